"""`burnish diff`: two frozen prompts, part by part, and their scores side by side."""

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from burnish.aligned import aligned
from burnish.changes import ORIGIN_PARTS, PROMPT_PARTS, Change, changes
from burnish.provenance import short
from burnish.scores import accuracy, overlap
from burnish.terminal import Piece, Said, Screen, add_display_options
from burnish.words import compared
from modules.prompts import Artifact, ensemble_identity, load_artifact

DIFFERENT = 1

_HEADINGS = ("", "A: % [95 % CI]", "n", "B: % [95 % CI]", "n")
_MOST_CHARS = 400
_LONG = 30
_DIGEST = re.compile(r"[0-9a-f]{64}")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `burnish diff`."""
    parser.add_argument("a", type=Path, metavar="A", help="a frozen prompt")
    parser.add_argument("b", type=Path, metavar="B", help="another one")
    add_display_options(parser)


def run(options: argparse.Namespace) -> int:
    """Print what differs between two frozen prompts.

    Returns:
        0 where the prompts are the same, whatever else differs; 1 where they are not.

    Raises:
        UserError: a file is no artifact.
    """
    paths = (options.a, options.b)
    pair = load_artifact(options.a), load_artifact(options.b)
    if options.json:
        print(json.dumps(to_json(paths, pair), indent=2))
    else:
        print("\n".join(drawn(paths, pair, Screen.of(options.color))))
    return 0 if is_same(pair) else DIFFERENT


def is_same(pair: tuple[Artifact, Artifact]) -> bool:
    """Whether two artifacts hold the same prompt, or the same ones in the same order."""
    return ensemble_identity(pair[0].prompts) == ensemble_identity(pair[1].prompts)


def verdict(pair: tuple[Artifact, Artifact]) -> str:
    """Say in a sentence what the confirm scores say of the two."""
    one, other = (artifact.scores["confirm"] for artifact in pair)
    on = "on the same examples" if _same_examples(pair) else "on different examples"
    if overlap(one, other):
        return f"The confirm intervals overlap ({on}): these scores do not tell the two apart."
    higher = "A" if one.accuracy > other.accuracy else "B"
    return f"The confirm intervals do not overlap ({on}): {higher} is more accurate."


def to_json(paths: Sequence[Path], pair: tuple[Artifact, Artifact]) -> dict[str, Any]:
    """Give the comparison as plain JSON values."""
    return {
        "a": str(paths[0]),
        "b": str(paths[1]),
        "same_prompt": is_same(pair),
        "changes": [change.to_json() for change in changes(*pair)],
        "scores": {
            split: {
                "a": pair[0].scores[split].model_dump(),
                "b": pair[1].scores[split].model_dump(),
            }
            for split in ("dev", "confirm")
        },
        "confirm_intervals_overlap": overlap(*(x.scores["confirm"] for x in pair)),
        "same_confirm_examples": _same_examples(pair),
    }


def drawn(paths: Sequence[Path], pair: tuple[Artifact, Artifact], screen: Screen) -> list[str]:
    """Give the lines of the whole screen."""
    found = changes(*pair)
    lines = screen.facts([("A", str(paths[0])), ("B", str(paths[1]))])
    lines += ["", *screen.lines([Piece(_summary(found, PROMPT_PARTS, "prompts"), "strong")])]
    lines += _parts(found, PROMPT_PARTS, screen)
    lines += ["", *screen.lines([Piece(_summary(found, ORIGIN_PARTS, "origins"), "strong")])]
    lines += _parts(found, ORIGIN_PARTS, screen)
    return [*lines, "", *screen.heading("Scores"), *_scores(pair), *screen.lines(verdict(pair))]


def _summary(found: Sequence[Change], parts: Sequence[str], of: str) -> str:
    other = [part for part in parts if any(change.part == part for change in found)]
    if not other:
        return f"The {of} are the same."
    return f"The {of} differ in {', '.join(other)}."


def _parts(found: Sequence[Change], parts: Sequence[str], screen: Screen) -> list[str]:
    lines = []
    for part in parts:
        own = [change for change in found if change.part == part]
        if own:
            lines += ["", *screen.lines(part), *screen.facts(list(map(_fact, own)))]
    return lines


def _fact(change: Change) -> tuple[str, Said]:
    before, after = _text(change.before), _text(change.after)
    if change.kind == "moved":
        return "moved", f"{before} → {after}: {_cut(change.what)}"
    if change.kind == "removed":
        return change.what, [Piece(f"- {before}", "removed")]
    if change.kind == "added":
        return change.what, [Piece(f"+ {after}", "added")]
    if _is_prose(change.before) and _is_prose(change.after):
        return change.what, compared(change.before, change.after)
    return change.what, [Piece(before, "removed"), Piece(" → "), Piece(after, "added")]


def _is_prose(value: Any) -> bool:
    """Whether a value is read word by word, rather than as a whole."""
    return isinstance(value, str) and len(value) > _LONG and not _DIGEST.fullmatch(value)


def _text(value: Any) -> str:
    """Write a value of a file for people; a long one is cut."""
    match value:
        case {"text": str(text), "label": str(label)}:
            return _cut(f"{label}: {text}")
        case str():
            return f"{short(value)}…" if _DIGEST.fullmatch(value) else _cut(value)
        case float():
            return f"{value:+.4g}"
        case bool() | None:
            return json.dumps(value)
        case int():
            return f"{value:,}"
    return _cut(json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    n_more = len(text) - _MOST_CHARS
    return text if n_more <= 0 else f"{text[:_MOST_CHARS]}… ({n_more:,} characters more)"


def _scores(pair: tuple[Artifact, Artifact]) -> list[str]:
    rows = [_HEADINGS]
    for split in ("dev", "confirm"):
        one, other = (artifact.scores[split] for artifact in pair)
        rows.append((split, accuracy(one), f"{one.n:,}", accuracy(other), f"{other.n:,}"))
    return [f"  {line}" for line in aligned(rows, left=(0,))]


def _same_examples(pair: tuple[Artifact, Artifact]) -> bool:
    one, other = (
        (task.data_hash, task.split_seed, task.sizes, task.input_field)
        for task in (artifact.task for artifact in pair)
    )
    return one == other
