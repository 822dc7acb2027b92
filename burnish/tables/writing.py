"""Writing a labelled table: the rows as they were read, in the format of an ending.

In the table's own format a row keeps its very text, or its columns their types. In another format
cells become the nearest value that it has: csv cells are strings, csv takes values that are no
strings as JSON, and JSON has no NaN.
"""

import json
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from burnish.tables.columns import cell_text, json_value
from burnish.tables.csv_table import CsvTable, csv_cell
from burnish.tables.jsonl_table import JsonlTable
from burnish.tables.parquet_out import write_parquet
from burnish.tables.table import Added, Survey, Table
from modules.errors import UserError

DELIMITERS = {".csv": ",", ".tsv": "\t"}


def check_target(survey: Survey, ending: str, target: str) -> None:
    """Check that a table can be written with another ending than its own.

    Raises:
        UserError: it holds what that format has not.
    """
    if ending != target and survey.only_own is not None:
        raise UserError(f"{survey.only_own}, which a {target} file cannot: write a {ending} file")


def write_labelled(
    table: Table,
    survey: Survey,
    endings: tuple[str, str],
    new: Sequence[str],
    path: Path,
    added: Iterator[Added],
) -> None:
    """Write a table with what is added to it.

    Args:
        table: the table.
        survey: what it holds.
        endings: the table's own, and the one whose format is written.
        new: the names of the columns that are added.
        path: the file, whatever its name.
        added: the new cells of each row.

    Raises:
        ValueError: there are more or fewer additions than rows.
    """
    own, target = endings
    if target == ".parquet":
        write_parquet(table, survey, new, path, added)
        return
    with path.open("w", encoding="utf-8", newline="") as file:
        if isinstance(table, CsvTable | JsonlTable) and own == target:
            file.writelines(_extended(table, added))
            return
        names = (*survey.kinds, *new)
        rows = ((*v, *one) for v, one in zip(table.values(), added, strict=True))
        if target == ".jsonl":
            file.writelines(_json_line(names, row) for row in rows)
        else:
            file.writelines(_csv_line(row, DELIMITERS[target]) for row in chain([names], rows))


def _extended(table: CsvTable | JsonlTable, added: Iterator[Added]) -> Iterator[str]:
    header, records = table.open()
    yield table.head(header)
    for record, one in zip(records, added, strict=True):
        yield table.line(record, one)


def _csv_line(row: Sequence[Any], delimiter: str) -> str:
    return delimiter.join(csv_cell(cell_text(cell), delimiter) for cell in row) + "\n"


def _json_line(names: Sequence[str], row: Sequence[Any]) -> str:
    value = json_value(dict(zip(names, row, strict=True)))
    return json.dumps(value, ensure_ascii=False, default=str, allow_nan=False) + "\n"
