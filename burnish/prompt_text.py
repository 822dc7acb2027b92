"""A prompt on the screen: its text line by line, with a margin that says what each line is."""

from collections.abc import Iterator

from burnish.example import Example, Segment, ShownTurn
from burnish.scores import percent
from burnish.terminal import Piece, Screen

_MOST_LABELS = 5
_STYLES = {"input": "input", "answer": "answer"}
_NAMES = {"input_lead": "input", "input": "input", "answer_lead": "answer", "answer": "answer"}


def prompt_lines(example: Example, screen: Screen) -> list[str]:
    """Give the lines of a prompt with one example in it.

    In the margin stands what a line begins with, where that changes: "shared" (in chat the turn's
    role instead), "input" or "answer". A bar goes before each line of the prompt, a broken bar
    where the screen is too narrow for it and it goes on. Below stand the example's label and what
    the model made of it, where they are known.
    """
    lines = []
    for turn in example.turns:
        before = None
        for name, pieces in _named_lines(turn):
            name = name or before or ""
            margin = name if name != before else ""
            lines += screen.lines(pieces, f"  {margin:>9} │ ", f"  {'':>9} ┊ ")
            before = name
    return [*lines, *_outcome(example, screen)]


def _outcome(example: Example, screen: Screen) -> list[str]:
    lines = []
    if example.gold is not None:
        lines += screen.lines(example.gold, f"  {'gold':>9}   ")
    if example.probabilities is not None:
        ranked = sorted(example.probabilities.items(), key=lambda item: -item[1])
        shares = [f"{label} {percent(share)} %" for label, share in ranked[:_MOST_LABELS]]
        more = [f"{len(ranked) - _MOST_LABELS} more"] if len(ranked) > _MOST_LABELS else []
        verdict = "right" if example.said == example.gold else "wrong"
        said = f"{', '.join([*shares, *more])} ({verdict})"
        lines += screen.lines(said, f"  {'model':>9}   ")
    return ["", *lines] if lines else []


def _named_lines(turn: ShownTurn) -> Iterator[tuple[str, list[Piece]]]:
    """Give each line's name, which an empty one lacks, and its text."""
    name = ""
    pieces: list[Piece] = []
    for segment in turn.segments:
        for number, text in enumerate(segment.text.split("\n")):
            if number:
                yield name, pieces
                name, pieces = "", []
            if text:
                name = name or _name(turn, segment)
                pieces.append(Piece(text, _STYLES.get(segment.kind, "plain")))
    yield name, pieces


def _name(turn: ShownTurn, segment: Segment) -> str:
    shared = "shared" if turn.role == "text" else turn.role
    return _NAMES.get(segment.kind, shared)
