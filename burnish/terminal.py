"""The terminal: colour where it is wanted, lines that fit, and text from files shown harmlessly.

It owns how words are drawn; what is said is each command's business.
"""

import argparse
import os
import shutil
import sys
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple, TextIO

from modules.shown import harmless as harmless
from modules.shown import is_hidden

COLOURS = ("auto", "always", "never")

_NARROWEST = 12
_ALIGNED = 24
_CODES = {
    "plain": "",
    "strong": "1",
    "dim": "2",
    "input": "36",
    "answer": "1;32",
    "added": "32",
    "removed": "31",
    "warning": "33",
    "escape": "7",
}


class Piece(NamedTuple):
    """A text and how it is drawn: a style is one of `_CODES`."""

    text: str
    style: str = "plain"


Said = str | Sequence[Piece]


class _Cell(NamedTuple):
    """What is drawn whole: a character, or the escape that stands for one."""

    text: str
    style: str
    width: int


def columns(text: str) -> int:
    """Give the terminal columns of a harmless line: wide characters two, combining marks none."""
    return sum(map(_width, text))


def clipped(text: str, most: int) -> str:
    """Give a harmless line of at most `most` columns; what is cut off leaves an ellipsis."""
    text = harmless(text).replace("\n", "\\n")
    if columns(text) <= most:
        return text
    kept, used = "", 1
    for char in text:
        used += _width(char)
        if used > most:
            break
        kept += char
    return kept + "…"


def add_display_options(parser: argparse.ArgumentParser) -> None:
    """Add `--json` and `--color`."""
    parser.add_argument("--json", action="store_true", help="print one JSON object, for programs")
    add_colour_option(parser)


def add_colour_option(parser: argparse.ArgumentParser) -> None:
    """Add `--color`."""
    parser.add_argument(
        "--color",
        choices=COLOURS,
        default="auto",
        help="auto is colour on a terminal, unless NO_COLOR is set (default: auto)",
    )


def wants_colour(choice: str, out: TextIO, environment: Mapping[str, str]) -> bool:
    """Decide on colour: as was chosen, else on a terminal that has it, unless NO_COLOR is set."""
    if choice != "auto":
        return choice == "always"
    plain = environment.get("NO_COLOR") or environment.get("TERM") == "dumb"
    return not plain and out.isatty()


@dataclass(frozen=True, kw_only=True)
class Screen:
    """Draws lines. `width` is in columns; None, as in a pipe, lets lines be as long as they get."""

    colour: bool = False
    width: int | None = None

    @classmethod
    def of(cls, choice: str) -> "Screen":
        """Give the screen that standard output is, with the colour that was chosen."""
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        return cls(colour=wants_colour(choice, sys.stdout, os.environ), width=width)

    def lines(self, said: Said, first: str = "", rest: str | None = None) -> list[str]:
        """Give a text as lines that fit.

        Args:
            said: the text, made harmless here; its line breaks begin new lines.
            first: stands before the first line, drawn dim.
            rest: stands before the others; None is as many spaces as `first` has.
        """
        rest = " " * columns(first) if rest is None else rest
        margin = max(columns(first), columns(rest))
        room = None if self.width is None else max(self.width - margin, _NARROWEST)
        drawn: list[str] = []
        for line in _split(list(_cells(said))):
            for cells in _wrapped(line, room):
                before = rest if drawn else first
                drawn.append(self._paint([_Cell(before, "dim", 0), *cells]).rstrip())
        return drawn

    def heading(self, text: str) -> list[str]:
        """Give the heading of a section."""
        return self.lines([Piece(text, "strong")])

    def facts(self, pairs: Sequence[tuple[str, Said]]) -> list[str]:
        """Give names and what is said of each, in two columns.

        A name that is long for the screen has its own line.
        """
        widest = max((columns(n) for n, _ in pairs if columns(n) <= _ALIGNED), default=0)
        drawn: list[str] = []
        for name, said in pairs:
            name = harmless(name).replace("\n", "\\n")
            if columns(name) > widest:
                drawn += self.lines([Piece(name, "dim")], "  ")
                drawn += self.lines(said, "    ")
            else:
                drawn += self.lines(said, f"  {name}{' ' * (widest - columns(name))}  ")
        return drawn

    def _paint(self, cells: Sequence[_Cell]) -> str:
        if not self.colour:
            return "".join(cell.text for cell in cells)
        drawn = ""
        for style, run in groupby(cells, key=lambda cell: cell.style):
            text, code = "".join(cell.text for cell in run), _CODES[style]
            drawn += f"\x1b[{code}m{text}\x1b[0m" if code and text.strip() else text
        return drawn


def _width(char: str) -> int:
    if unicodedata.category(char) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def _cells(said: Said) -> Iterator[_Cell]:
    for text, style in [Piece(said)] if isinstance(said, str) else said:
        for char in text:
            if is_hidden(char):
                shown = harmless(char)
                yield _Cell(shown, "escape", len(shown))
            else:
                yield _Cell(char, style, _width(char))


def _split(cells: list[_Cell]) -> Iterator[list[_Cell]]:
    """Give the lines between line breaks; no cells are one empty line."""
    line: list[_Cell] = []
    for cell in cells:
        if cell.text == "\n":
            yield line
            line = []
        else:
            line.append(cell)
    yield line


def _wrapped(line: list[_Cell], room: int | None) -> Iterator[list[_Cell]]:
    """Break a line behind the last space that fits, or in a word that is longer than the room."""
    start = behind_space = used = 0
    for at, cell in enumerate(line):
        used += cell.width
        while room is not None and used > room and at > start and cell.text != " ":
            cut = behind_space if behind_space > start else at
            yield line[start:cut]
            start, used = cut, sum(kept.width for kept in line[cut : at + 1])
        if cell.text == " ":
            behind_space = at + 1
    yield line[start:]
