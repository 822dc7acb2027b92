"""Two texts word by word: what stays, what goes, what comes."""

import difflib
import re

from burnish.terminal import Piece

_WORDS = re.compile(r"\s+|\w+|[^\w\s]")
_MOST_WORDS = 2_000
_ALIKE = 0.4


def compared(before: str, after: str) -> list[Piece]:
    """Give one text that holds both: `[-what went-]` and `{+what came+}` between what stays.

    Texts that have little in common, or are very long, stand one after the other, whole.
    """
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if max(len(old), len(new)) > _MOST_WORDS:
        return _whole(before, after)
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return _whole(before, after)
    pieces = []
    for kind, start, end, begin, stop in matcher.get_opcodes():
        gone, come = "".join(old[start:end]), "".join(new[begin:stop])
        if kind == "equal":
            pieces.append(Piece(gone))
            continue
        if gone:
            pieces.append(Piece(f"[-{gone}-]", "removed"))
        if come:
            pieces.append(Piece(f"{{+{come}+}}", "added"))
    return pieces


def _whole(before: str, after: str) -> list[Piece]:
    return [Piece(f"- {before}\n", "removed"), Piece(f"+ {after}", "added")]
