"""The label words that the search may choose from: what the model says for each label.

They come from the labels' names, their meanings and lists that suit any labels; words from the
model's own vocabulary are the survey's.
"""

import re
from collections.abc import Sequence

from modules.errors import UserError

# Opposites that a model has met in reviews far more often than the label names themselves; each
# pair stands as (negative, positive).
_OPPOSITES = (
    ("bad", "good"),
    ("terrible", "great"),
    ("poor", "excellent"),
    ("boring", "brilliant"),
    ("dull", "enjoyable"),
    ("awful", "amazing"),
    ("disappointing", "impressive"),
    ("mediocre", "outstanding"),
    ("no", "yes"),
)
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_MAX_CHARS = 200  # what a LabelWord holds
_WORD = re.compile(r"[^\W\d_]{3,}")
# Words of three letters and more that say nothing by themselves.
_FUNCTION_WORDS = """
about all also and any are because been being between both but can contains could describes does
either expresses for from given had has have her him his how into its itself kind like makes may
means mentions more most neither nor not one only other others our out over says should shows some
something someone than that the their them then there these they thing things this those through
too towards under used uses very was were what when where whether which while who whom whose why
will with without would you your
"""
_STOP_WORDS = frozenset(_FUNCTION_WORDS.split())


def label_words(labels: Sequence[str], meanings: Sequence[str] = ()) -> dict[str, tuple[str, ...]]:
    """Give named sets of words, one word per label in label order.

    The labels' own names come first. For a negative and a positive label opposites follow, for any
    other set of up to 26 labels capital letters and numbers from 1 on. Where each label has a
    meaning with a content word that stands in no other label's, the first such words are the set
    "meanings". Left out is a set in which two words are equal, in which a word is another label's
    name, or that is there already, case aside.

    Args:
        labels: the labels' names, in label order.
        meanings: what each means, in the same order, "" where that is not known; or nothing.

    Raises:
        UserError: the labels' names cannot be words: too long, or equal but for case and spaces.
    """
    names = tuple(" ".join(label.split()) for label in labels)
    _check_names(names)
    found = {"names": names, "capitalised": tuple(name[:1].upper() + name[1:] for name in names)}
    if {name.casefold() for name in names} == {"negative", "positive"}:
        turned = names[0].casefold() == "positive"
        for pair in _OPPOSITES:
            found["-".join(pair)] = pair[::-1] if turned else pair
    elif len(names) <= len(_LETTERS):
        found["letters"] = tuple(_LETTERS[: len(names)])
        found["numbers"] = tuple(str(n + 1) for n in range(len(names)))
    if meant := _from_meanings(names, meanings):
        found["meanings"] = meant
    kept: dict[str, tuple[str, ...]] = {}
    for name, words in found.items():
        if words not in kept.values() and _tells_apart(words, names):
            kept[name] = words
    return kept


def _tells_apart(words: Sequence[str], names: Sequence[str]) -> bool:
    """Whether the words differ and none is the name of another label, case aside."""
    folded = [word.casefold() for word in words]
    owner = {name.casefold(): label for label, name in enumerate(names)}
    return len(set(folded)) == len(folded) and all(
        owner.get(word, label) == label for label, word in enumerate(folded)
    )


def _from_meanings(names: Sequence[str], meanings: Sequence[str]) -> tuple[str, ...]:
    """Give each meaning's first content word that stands in no other; nothing if one has none."""
    found = [[w for w in _WORD.findall(text.lower()) if len(w) <= _MAX_CHARS] for text in meanings]
    words = []
    for label, own in enumerate(found):
        others = {word for other in (*found[:label], *found[label + 1 :]) for word in other}
        others |= {name.lower() for name in (*names[:label], *names[label + 1 :])}
        telling = [word for word in own if word not in others and word not in _STOP_WORDS]
        words += telling[:1]
    return tuple(words) if len(words) == len(names) else ()


def _check_names(names: Sequence[str]) -> None:
    seen: dict[str, str] = {}
    for name in names:
        if len(name) > _MAX_CHARS:
            raise UserError(
                f"a label must have at most {_MAX_CHARS} characters, for a model has to say it; "
                f"got one of {len(name):,}: {name[:40]!r}..."
            )
        other = seen.setdefault(name.casefold(), name)
        if other is not name:
            raise UserError(
                f"labels must differ in more than case and spaces, but there are {other!r} and "
                f"{name!r}; rename one"
            )
