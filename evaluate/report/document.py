"""The report as a value: a title, sections, and the blocks that stand in them.

It owns what a report is made of and what makes it whole. Every text in it is plain and untrusted:
nothing is markup, whatever it holds. How a text is quoted is each writer's business, and what the
report says is the business of those who build it.
"""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

_STEM = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")
_ANCHOR = re.compile(r"[a-z][a-z0-9-]{0,79}")
_PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, kw_only=True)
class Paragraph:
    """One paragraph of prose; line breaks in it are spaces."""

    text: str


@dataclass(frozen=True, kw_only=True)
class Bullets:
    """Short statements, at least one; before the first section they are the key findings."""

    items: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse an empty list (ValueError): no format shows it well."""
        if not self.items:
            raise ValueError("a list of bullets needs at least one item, got none")


@dataclass(frozen=True, kw_only=True)
class Note:
    """A sentence set apart: a caveat ("note"), or what must not be overlooked ("alarm")."""

    text: str
    kind: Literal["note", "alarm"] = "note"


@dataclass(frozen=True, kw_only=True)
class Column:
    """A table's column: its heading, and whether its cells are numbers."""

    name: str
    is_number: bool = False


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table, saved as `tables/NAME.csv` too.

    `rows` holds one tuple a row, with one cell a column; there may be no rows. The first column
    says what a row is about.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]

    def __post_init__(self) -> None:
        """Refuse a broken table (ValueError): its name, no columns, or a row of another length."""
        _check(_STEM, "a table's name", self.name)
        if not self.columns:
            raise ValueError(f"the table {self.name!r} has no columns")
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(
                    f"row {number} of the table {self.name!r} has {len(row)} cells, "
                    f"not {len(self.columns)}"
                )


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A picture, saved as `figures/NAME.png` too.

    `light` and `dark` are the same picture as SVG for a light and a dark page, `png` is the light
    one. `alt` says in words what the picture shows.
    """

    name: str
    caption: str
    alt: str
    light: bytes
    dark: bytes
    png: bytes

    def __post_init__(self) -> None:
        """Refuse a broken figure (ValueError): its name, or bytes of another format."""
        _check(_STEM, "a figure's name", self.name)
        if not (b"<svg" in self.light and b"<svg" in self.dark):
            raise ValueError(f"the figure {self.name!r} needs SVG for light and for dark")
        if not self.png.startswith(_PNG_MAGIC):
            raise ValueError(f"the figure {self.name!r} needs a PNG")


@dataclass(frozen=True, kw_only=True)
class Code:
    """A text to be shown as it is, space for space: a prompt as the model reads it, a command."""

    caption: str
    text: str


@dataclass(frozen=True, kw_only=True)
class Example:
    """One text of the task with facts about it, each a name and a value: its gold, the answers."""

    heading: str
    text: str
    facts: tuple[tuple[str, str], ...] = ()


Block = Paragraph | Bullets | Note | Table | Figure | Code | Example


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of the report under a heading; `anchor` is its address within the page."""

    title: str
    anchor: str
    blocks: tuple[Block, ...]

    def __post_init__(self) -> None:
        """Refuse an anchor that is no address (ValueError)."""
        _check(_ANCHOR, "a section's anchor", self.anchor)


@dataclass(frozen=True, kw_only=True)
class Report:
    """A whole report: what stands before the first section (the summary), then the sections."""

    title: str
    lead: tuple[Block, ...]
    sections: tuple[Section, ...]

    def __post_init__(self) -> None:
        """Refuse two tables, two figures or two sections of one name (ValueError)."""
        _check_unique("tables named", (table.name for table in self.tables))
        _check_unique("figures named", (figure.name for figure in self.figures))
        _check_unique("sections with the anchor", (section.anchor for section in self.sections))

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Every block, in reading order."""
        return (*self.lead, *(block for section in self.sections for block in section.blocks))

    @property
    def tables(self) -> tuple[Table, ...]:
        """Every table, in reading order."""
        return tuple(block for block in self.blocks if isinstance(block, Table))

    @property
    def figures(self) -> tuple[Figure, ...]:
        """Every figure, in reading order."""
        return tuple(block for block in self.blocks if isinstance(block, Figure))


def _check(pattern: re.Pattern[str], what: str, name: str) -> None:
    if not pattern.fullmatch(name):
        raise ValueError(f"{what} is {pattern.pattern}, not {name!a}")


def _check_unique(what: str, names: Iterable[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"a report cannot have two {what} {twice[0]!r}")
