"""Table files: bytes on the disk to a pandas frame, with an error that says what is wrong.

Owns the three formats and nothing of their meaning; the columns and rows are checked in `table`.
"""

import io
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from modules.errors import UserError


def read_table(path: Path) -> pd.DataFrame:
    """Read a .csv, .jsonl or .parquet file; the ending's case does not matter.

    Cells come as they are written: in csv all are strings (`NA` and `01` too, an absent cell is
    empty or missing), in jsonl they keep their JSON type, in parquet their stored one. A byte
    order mark is skipped.

    Raises:
        UserError: another ending, no such file, an empty file, text that is not UTF-8, or content
            that is not what the ending says.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None:
        raise UserError(
            f"a table's name must end in one of {', '.join(_READERS)}; got {path.name!r}"
        )
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise UserError(f"there is no file {path}; check the path of the data") from error
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    if not data.strip():
        raise UserError(f"a table must hold labelled rows; {path} is empty")
    return reader(data, path)


def _read_csv(data: bytes, path: Path) -> pd.DataFrame:
    text = _decode(data, path)
    try:
        frame = pd.read_csv(io.StringIO(text, newline=""), dtype=str, keep_default_na=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise UserError(f"{path} is not a well-formed csv table: {error}") from error
    if not isinstance(frame.index, pd.RangeIndex):
        # pandas takes the surplus fields for an index and shifts all columns, without a word
        raise UserError(
            f"the rows of {path} have more fields than its header; quote texts with commas in them"
        )
    return frame


def _read_jsonl(data: bytes, path: Path) -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for number, line in enumerate(_decode(data, path).split("\n"), start=1):
        if line.strip():
            rows.append(parse_json_line(line, f"line {number} of {path}"))
    return pd.DataFrame(rows, dtype=object)  # else a column of 1 and null becomes 1.0 and NaN


def parse_json_line(line: str, where: str) -> dict[str, Any]:
    """Read a line of a jsonl file; `where` names it in the error.

    Raises:
        UserError: it is not JSON, or not an object.
    """
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise UserError(f"every line of a jsonl file must be JSON; {where}: {error}") from error
    if not isinstance(row, dict):
        raise UserError(
            f"every line of a jsonl file must be a JSON object; {where} is a {type(row).__name__}"
        )
    return row


def _read_parquet(data: bytes, path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(io.BytesIO(data), engine="pyarrow")
    except (OSError, ValueError, NotImplementedError) as error:
        raise UserError(f"{path} is not a readable parquet file: {error}") from error


def _decode(data: bytes, path: Path) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise UserError(
            f"a {path.suffix} file must be UTF-8 text; line {line} of {path} has the byte "
            f"0x{data[error.start]:02x}, which is not: save the file as UTF-8"
        ) from error
    if "\0" in text:
        raise UserError(
            f"a {path.suffix} file must be UTF-8 text; {path} holds zero bytes: it is binary, or "
            "UTF-16 text"
        )
    return text


_READERS: Mapping[str, Callable[[bytes, Path], pd.DataFrame]] = {
    ".csv": _read_csv,
    ".jsonl": _read_jsonl,
    ".parquet": _read_parquet,
}
