"""What the kinds of tables have in common: their rows, what is added to them, what a survey finds.

A table is read in a stream, as often as it is asked for. A survey reads it whole once, before any
work is spent on it: a mistake in the last line is found first.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, Protocol

from modules.errors import UserError

BOM = "\ufeff"

_SHOWN_COLUMNS = 20


class Added(NamedTuple):
    """The new cells of a row; None is a missing one."""

    label: str | None
    confidence: float | None
    outcome: str


class Survey(NamedTuple):
    """What a table holds.

    `kinds` gives each column's kind, in order (see `burnish.tables.columns`; in Parquet its type).
    `only_own` says why it can be written in its own format only, if that is so.
    """

    n_rows: int
    kinds: dict[str, str]
    only_own: str | None = None


class Record(NamedTuple):
    """A row of a text file: the line it starts on, the very text, and the cells in it."""

    line: int
    raw: str
    cells: Any


class Table(Protocol):
    """A table in a file."""

    def survey(self) -> Survey:
        """Read all of it once.

        Raises:
            UserError: it is broken somewhere.
        """

    def texts(self) -> Iterator[str]:
        """Give the cell of the text column for each row, "" where it is missing."""

    def values(self) -> Iterator[Sequence[Any]]:
        """Give the cells of each row as values, in the order of the survey's columns."""


def check_columns(columns: Sequence[str], text_column: str, new: Sequence[str], name: str) -> None:
    """Check that the text column is there once, and that no new column has a name that is taken.

    Raises:
        UserError: it is not so.
    """
    if columns.count(text_column) != 1:
        many = "two columns" if text_column in columns else "no column"
        shown = ", ".join(map(repr, columns[:_SHOWN_COLUMNS]))
        more = len(columns) - _SHOWN_COLUMNS
        raise UserError(
            f"{name} has {many} {text_column!r}; its columns are {shown}"
            f"{f' and {more} more' if more > 0 else ''}; name one with --text-column"
        )
    taken = [column for column in new if column in columns]
    if taken:
        raise UserError(
            f"{name} already has the column {taken[0]!r}; give the new columns other names with "
            "--prefix"
        )


def repeated(columns: Sequence[str], name: str) -> str | None:
    """Say which column's name a table has twice, which not every format can."""
    twice = next((column for column in columns if columns.count(column) > 1), None)
    return None if twice is None else f"{name} has two columns {twice!r}"


def text_of(cell: object, where: str, column: str) -> str:
    """Give a cell of the text column as a string, "" where it is missing.

    Raises:
        UserError: it is a list or an object.
    """
    if isinstance(cell, str):
        return cell
    if isinstance(cell, list | dict):
        raise UserError(
            f"a text must be a string or a number; {where} has a {type(cell).__name__} in "
            f"{column!r}"
        )
    return "" if cell is None or cell != cell else str(cell)  # NaN is unlike itself
