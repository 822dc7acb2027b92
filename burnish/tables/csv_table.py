"""CSV and TSV tables: records in a stream, each with the very text that it stands in.

A row is written as it was read, to the byte, with new cells before its line's end: quotes, leading
zeros, line breaks in cells, a byte order mark and the kind of line ends stay.
"""

import csv
from collections.abc import Iterator, Sequence
from typing import Any

from burnish.tables.lines import Lines
from burnish.tables.table import BOM, Added, Record, Survey, check_columns, repeated
from modules.errors import UserError

# A quote that is never closed would read the rest of the file as one cell.
_MAX_CELL_CHARS = 10_000_000


class CsvTable:
    """A table of lines with a header. Blank lines are no rows, and are left out.

    Args:
        lines: its lines, which end in any of the three ways.
        delimiter: what stands between cells.
        text_column: the column with the texts.
        new: the names of the columns that are added.
    """

    def __init__(self, lines: Lines, delimiter: str, text_column: str, new: Sequence[str]) -> None:
        self._lines = lines
        self._delimiter = delimiter
        self._text_column = text_column
        self._new = new

    def open(self) -> tuple[Record, Iterator[Record]]:
        """Begin to read: the header, and the rows to come.

        Raises:
            UserError: it has no header, the text column is not there, a new column is, or a row
                is malformed or has more or fewer cells than the header.
        """
        records = self._records()
        header = next(records, None)
        if header is None:
            raise UserError(f"a table must hold rows; {self._lines.name} is empty")
        check_columns(header.cells, self._text_column, self._new, self._lines.name)
        return header, self._checked(records, len(header.cells))

    def text(self, record: Record, header: Record) -> str:
        """Give a record's cell in the text column."""
        return str(record.cells[header.cells.index(self._text_column)])

    def head(self, header: Record) -> str:
        """Give the header's text with the new columns."""
        return self._extended(header.raw, self._new)

    def line(self, record: Record, added: Added) -> str:
        """Give a record's text with the new cells."""
        return self._extended(record.raw, added)

    def survey(self) -> Survey:
        """Read all of it once."""
        header, records = self.open()
        n_rows = sum(1 for _ in records)
        if not n_rows:
            raise UserError(f"a table must hold rows; {self._lines.name} has none")
        kinds = dict.fromkeys(header.cells, "str")
        return Survey(n_rows, kinds, repeated(header.cells, self._lines.name))

    def texts(self) -> Iterator[str]:
        """Give the cell of the text column for each row."""
        header, records = self.open()
        at = header.cells.index(self._text_column)
        return (record.cells[at] for record in records)

    def values(self) -> Iterator[Sequence[Any]]:
        """Give the cells of each row, all of them strings."""
        return (record.cells for record in self.open()[1])

    def _extended(self, raw: str, cells: Sequence[object]) -> str:
        body = raw.rstrip("\r\n")
        new = (csv_cell(cell, self._delimiter) for cell in cells)
        return self._delimiter.join([body, *new]) + raw[len(body) :]

    def _records(self) -> Iterator[Record]:
        csv.field_size_limit(_MAX_CELL_CHARS)
        pulled: list[str] = []

        def noted() -> Iterator[str]:
            for number, line in enumerate(self._lines):
                pulled.append(line)
                yield line.removeprefix(BOM) if number == 0 else line

        reader = csv.reader(noted(), delimiter=self._delimiter, strict=True)
        while True:
            pulled.clear()
            first = reader.line_num + 1
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise UserError(
                    f"{self._lines.name} is not a well-formed table: the row on line {first}: "
                    f"{error}"
                ) from error
            if cells is None:
                return
            if cells:
                yield Record(first, "".join(pulled), cells)

    def _checked(self, records: Iterator[Record], n_columns: int) -> Iterator[Record]:
        for record in records:
            if len(record.cells) != n_columns:
                raise UserError(
                    f"every row must have the header's {n_columns} cells; line {record.line} of "
                    f"{self._lines.name} has {len(record.cells)}: quote cells that hold the "
                    "delimiter"
                )
            yield record


def csv_cell(value: object, delimiter: str) -> str:
    """Write a cell: None is nothing at all, an empty string a pair of quotes."""
    if value is None:
        return ""
    text = value if isinstance(value, str) else repr(value)
    if text and not any(mark in text for mark in (delimiter, '"', "\r", "\n")):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'
