"""JSONL tables: one JSON object a line, each kept as the very text that it is.

A row is written as it was read, with new members before its closing brace: the spelling of numbers,
escapes and the order of keys stay.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from burnish.tables.columns import merged_kind
from burnish.tables.lines import Lines
from burnish.tables.table import BOM, Added, Record, Survey, check_columns, text_of
from modules.errors import UserError
from modules.tasks.table_file import parse_json_line


class JsonlTable:
    """A table of JSON objects. Blank lines are no rows, and are left out.

    Args:
        lines: its lines, which end in "\\n".
        text_column: the key of the texts; a row without it has none.
        new: the keys that are added.
    """

    def __init__(self, lines: Lines, text_column: str, new: Sequence[str]) -> None:
        self._lines = lines
        self._text_column = text_column
        self._new = new
        self._columns: tuple[str, ...] = ()

    def open(self) -> tuple[Record, Iterator[Record]]:
        """Begin to read: an empty header, and the rows to come.

        Raises:
            UserError: a line is no JSON object, or has a new key already.
        """
        return Record(0, "", {}), self._records()

    def text(self, record: Record, _: Record) -> str:
        """Give a record's text, "" where it is missing."""
        where = f"line {record.line} of {self._lines.name}"
        return text_of(record.cells.get(self._text_column), where, self._text_column)

    def head(self, _: Record) -> str:
        """Give what stands before the rows: nothing."""
        return ""

    def line(self, record: Record, added: Added) -> str:
        """Give a record's text with the new members."""
        end = record.raw.rindex("}")
        body = record.raw[:end].rstrip()
        members = json.dumps(dict(zip(self._new, added, strict=True)), ensure_ascii=False)[1:]
        comma = ", " if record.cells else ""
        return f"{body}{comma}{members}{record.raw[end + 1 :]}"

    def survey(self) -> Survey:
        """Read all of it once; remember its columns."""
        kinds: dict[str, str] = {}
        n_rows, only_own = 0, None
        for record in self._records():
            n_rows += 1
            self.text(record, record)
            for key, value in record.cells.items():
                kinds[key] = merged_kind(kinds.get(key, "null"), value)
            if only_own is None and not _has_utf8(record):
                only_own = f"line {record.line} of {self._lines.name} has half a surrogate pair"
        if not n_rows:
            raise UserError(f"a table must hold rows; {self._lines.name} is empty")
        check_columns(tuple(kinds), self._text_column, self._new, self._lines.name)
        self._columns = tuple(kinds)
        return Survey(n_rows, kinds, only_own)

    def texts(self) -> Iterator[str]:
        """Give each row's text, "" where it is missing."""
        return (self.text(record, record) for record in self._records())

    def values(self) -> Iterator[Sequence[Any]]:
        """Give each row's values in the order of the columns that the survey found."""
        return ([record.cells.get(key) for key in self._columns] for record in self._records())

    def _records(self) -> Iterator[Record]:
        for number, line in enumerate(self._lines, start=1):
            bare = line.removeprefix(BOM) if number == 1 else line
            if not bare.strip():
                continue
            where = f"line {number} of {self._lines.name}"
            cells = parse_json_line(bare, where)
            taken = [key for key in self._new if key in cells]
            if taken:
                raise UserError(
                    f"{where} already has the key {taken[0]!r}; give the new ones other names "
                    "with --prefix"
                )
            yield Record(number, line, cells)


def _has_utf8(record: Record) -> bool:
    """Whether no string in it is half of a surrogate pair, which JSON can escape."""
    if "\\u" not in record.raw:
        return True
    try:
        json.dumps(record.cells, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True
