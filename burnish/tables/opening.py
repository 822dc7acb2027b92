"""Opening: a file's ending says which kind of table it is."""

from collections.abc import Sequence
from pathlib import Path

from burnish.tables.csv_table import CsvTable
from burnish.tables.jsonl_table import JsonlTable
from burnish.tables.lines import Lines
from burnish.tables.parquet_table import ParquetTable
from burnish.tables.table import Table
from burnish.tables.writing import DELIMITERS
from modules.errors import UserError

ENDINGS = (*DELIMITERS, ".jsonl", ".parquet")
STREAMED = (*DELIMITERS, ".jsonl")


def ending_of(path: Path) -> str:
    """Give a table's ending in lower case.

    Raises:
        UserError: it is none of `ENDINGS`.
    """
    ending = path.suffix.lower()
    if ending not in ENDINGS:
        raise UserError(
            f"a table's name must end in one of {', '.join(ENDINGS)}; got {path.name!r}"
        )
    return ending


def open_table(path: Path, text_column: str, new: Sequence[str]) -> Table:
    """Open a file as a table; its content is looked at when it is read.

    Args:
        path: the file.
        text_column: the column with the texts.
        new: the names of the columns that are added.

    Raises:
        UserError: no such file, nothing in it, or another ending.
    """
    ending = ending_of(path)
    try:
        size = path.stat().st_size
    except FileNotFoundError as error:
        raise UserError(f"there is no file {path}; check the path of the data") from error
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    if path.exists() and not path.is_file():
        raise UserError(f"cannot read {path}: it is not a regular file")
    if not size:
        raise UserError(f"a table must hold rows; {path} is empty")
    if ending == ".parquet":
        return ParquetTable(path, text_column, new)
    return _of_lines(path, ending, text_column, new)


def open_stream(ending: str, text_column: str, new: Sequence[str]) -> CsvTable | JsonlTable:
    """Open standard input as a table of one of the endings `STREAMED`."""
    return _of_lines(None, ending, text_column, new)


def _of_lines(
    path: Path | None, ending: str, text_column: str, new: Sequence[str]
) -> CsvTable | JsonlTable:
    if ending == ".jsonl":
        return JsonlTable(Lines(path, "\n"), text_column, new)
    return CsvTable(Lines(path, ""), DELIMITERS[ending], text_column, new)
