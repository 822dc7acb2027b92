"""A table as CSV that a program reads back exactly and a spreadsheet does not execute."""

import csv
import io
import re
import unicodedata

from evaluate.report.document import Table
from evaluate.table import UNDEFINED, clean

_NUMBER = r"[-+]?\d+(?:,\d{3})*(?:\.\d+)?(?:[eE][-+]?\d+)?(?: ?%)?"
_PLAIN = re.compile(rf"{_NUMBER}(?: \[{_NUMBER}, {_NUMBER}\])?")
_TRIGGERS = "=+-@|"
_AFTER_SEPARATOR = re.compile(r"(?<=;)(?=[\s\"']*[=+\-@|\uff1d\uff0b\uff0d\uff20\uff5c])")


def write_csv(table: Table) -> str:
    """Give a table as CSV by RFC 4180: a line of headings, then the rows, each ending in CR LF.

    Cells are one line each, without control and direction characters (see `evaluate.table.clean`).
    What is undefined in a column of numbers is an empty cell. See `_defused` for formulas.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_defused(clean(column.name)) for column in table.columns])
    for row in table.rows:
        cells = zip(table.columns, map(clean, row), strict=True)
        writer.writerow(
            "" if column.is_number and cell == UNDEFINED else _defused(cell)
            for column, cell in cells
        )
    return out.getvalue()


def _defused(cell: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula.

    That is a cell which begins with `=`, `+`, `-`, `@` or `|`, or their full-width forms, be it
    behind spaces or quotes; and the same behind a semicolon, which some countries' spreadsheets
    take for the end of a cell. A tab or a carriage return, the other two characters of the OWASP
    list on CSV injection, cannot occur in a cleaned cell. Plain numbers, with an interval or
    without, and a lone dash are left as they are.
    """
    if cell == UNDEFINED or _PLAIN.fullmatch(cell):
        return cell
    cell = _AFTER_SEPARATOR.sub("'", cell)
    begin = unicodedata.normalize("NFKC", cell.lstrip(" \"'")[:1])
    return f"'{cell}" if begin and begin in _TRIGGERS else cell
