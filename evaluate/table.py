"""A summary as text: an aligned table for a terminal, and a Markdown table for the report.

It owns how numbers and untrusted names are written. The numbers come from `evaluate.summary`.
"""

import math
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

UNDEFINED = "-"
_MARKDOWN_SPECIAL = frozenset("\\`*_~[]<>|&")


def clean(name: str) -> str:
    """Give a name that is safe to show: one line, without control or direction characters.

    Runs of white space become one space; characters of the Unicode categories C (control, format
    and so all bidirectional marks, surrogate, private, unassigned) vanish. What is then empty
    becomes `-`.
    """
    spaced = " ".join(name.split())
    shown = "".join(char for char in spaced if not unicodedata.category(char).startswith("C"))
    return " ".join(shown.split()) or UNDEFINED


def percent(share: float) -> str:
    """Write a share of [0, 1] as percent with one decimal and no sign; NaN is `-`."""
    return UNDEFINED if math.isnan(share) else f"{100 * share:.1f}"


def accuracy_cell(accuracy: float, low: float, high: float) -> str:
    """Write an accuracy with its interval in percent, as `84.1 [81.7, 86.2]`; NaN is `-`."""
    if math.isnan(accuracy):
        return UNDEFINED
    return f"{percent(accuracy)} [{percent(low)}, {percent(high)}]"


def text_table(summary: pd.DataFrame) -> str:
    """Give a summary as aligned plain text: a heading, a rule and one line per configuration.

    Args:
        summary: what `evaluate.summary.summarise` gives; its order is kept.

    Returns:
        Lines joined by newlines, none at the end, no trailing spaces. Names are padded on the
        right and numbers on the left, by terminal columns (a wide character takes two). Without
        configurations the heading and the rule alone.
    """
    lines = [_HEADINGS, *_cells(summary)]
    widths = [max(_width(line[column]) for line in lines) for column in range(len(_HEADINGS))]
    rule = ["-" * width for width in widths]
    padded = [_padded(line, widths) for line in (lines[0], rule, *lines[1:])]
    return "\n".join("  ".join(line).rstrip() for line in padded)


def markdown_table(summary: pd.DataFrame) -> str:
    """Give a summary as a GitHub Markdown table with the same cells as `text_table`.

    Pipes and every other character that Markdown or HTML would read are escaped in names, so a
    name can neither break the table nor become a link or a tag.
    """
    rule = [":--" if index < _N_NAMES else "--:" for index in range(len(_HEADINGS))]
    body = [[*map(_escaped, line[:_N_NAMES]), *line[_N_NAMES:]] for line in _cells(summary)]
    return "\n".join(f"| {' | '.join(line)} |" for line in (_HEADINGS, rule, *body))


def _number(value: float) -> str:
    return UNDEFINED if math.isnan(value) else f"{value:.1f}"


_FIELDS: Sequence[tuple[str, Callable[[Any], str]]] = (
    ("model", lambda line: clean(line.model)),
    ("prompt", lambda line: clean(line.prompt)),
    ("decoding", lambda line: clean(line.decoding)),
    ("T", lambda line: f"{line.temperature:g}"),
    ("examples", lambda line: str(line.n_examples)),
    ("seeds", lambda line: str(line.seeds)),
    ("accuracy % [95% CI]", lambda line: accuracy_cell(line.accuracy, line.low, line.high)),
    ("invalid %", lambda line: percent(line.invalid)),
    ("errors", lambda line: str(line.n_errors)),
    ("p(gold) %", lambda line: percent(line.p_gold)),
    ("tokens in", lambda line: _number(line.input_tokens)),
    ("tokens out", lambda line: _number(line.output_tokens)),
)
_N_NAMES = 3
_HEADINGS = [heading for heading, _ in _FIELDS]


def _cells(summary: pd.DataFrame) -> list[list[str]]:
    """Give the text of every cell, one list per configuration."""
    return [[write(line) for _, write in _FIELDS] for line in summary.itertuples(index=False)]


def _escaped(text: str) -> str:
    return "".join(f"\\{char}" if char in _MARKDOWN_SPECIAL else char for char in text)


def _width(text: str) -> int:
    """Give the terminal columns that a text takes: wide characters two, combining marks none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def _padded(line: Sequence[str], widths: Sequence[int]) -> list[str]:
    """Fill every cell to its column's width, names on the right and numbers on the left."""
    fills = [" " * (width - _width(cell)) for cell, width in zip(line, widths, strict=True)]
    return [
        cell + fill if column < _N_NAMES else fill + cell
        for column, (cell, fill) in enumerate(zip(line, fills, strict=True))
    ]
