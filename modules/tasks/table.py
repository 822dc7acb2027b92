"""Your own file: a csv, jsonl or parquet table with a text column and a label column.

Owns the checks on the rows; reading the bytes belongs to `table_file`, the meanings of the labels
to `signature`, splitting to `splits`.
"""

import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from modules.errors import UserError
from modules.shown import is_utf8
from modules.tasks.clean import clean_text
from modules.tasks.example import Example
from modules.tasks.loaded import Loaded
from modules.tasks.table_file import read_table

MAX_LABELS = 50

_log = logging.getLogger(__name__)


def load_table(path: Path, text_column: str, label_column: str, input_field: str) -> Loaded:
    """Load a labelled table; rows without any text are left out as `empty`, and logged.

    A label is the cell as a string without the spaces around it, so `1` and `"1"` are one label.
    A row's number counts the rows of data from 1, without the header.

    Args:
        path: a file whose name ends in .csv, .jsonl or .parquet, in any case.
        text_column: the column with the texts.
        label_column: another column, with the labels.
        input_field: the name under which the text stands in `Example.inputs`.

    Raises:
        UserError: the file cannot be read (see `read_table`), a column is missing, there are no
            rows, a label is missing, no plain value or nothing that UTF-8 has, or there are fewer
            than 2 or more than `MAX_LABELS` labels.
    """
    frame = read_table(path)
    _check_columns(frame, path, text_column, label_column)
    labels = _labels(frame[label_column].tolist(), path, label_column)
    texts = [clean_text("" if _is_missing(cell) else str(cell)) for cell in frame[text_column]]
    examples = tuple(
        Example(inputs={input_field: text}, label=label)
        for text, label in zip(texts, labels, strict=True)
        if text
    )
    n_empty = len(texts) - len(examples)
    if n_empty:
        _log.warning("%s: left out %d rows without a text in %r", path, n_empty, text_column)
    _check_label_count(label_names(examples), path, label_column)
    return Loaded(examples=examples, n_read=len(texts), left_out={"empty": n_empty})


def label_names(examples: Sequence[Example]) -> tuple[str, ...]:
    """Give the labels that occur, sorted as strings."""
    return tuple(sorted({example.label for example in examples}))


def _check_columns(frame: pd.DataFrame, path: Path, text_column: str, label_column: str) -> None:
    if len(frame) == 0:
        raise UserError(f"a table must hold labelled rows; {path} has none")
    if text_column == label_column:
        raise UserError(f"text and label must be two columns; both are {text_column!r}")
    for kind, column in (("text", text_column), ("label", label_column)):
        if column not in frame.columns:
            raise UserError(
                f"{path} has no column {column!r} (the {kind} column); its columns are "
                f"{', '.join(map(str, frame.columns))}"
            )


def _labels(cells: Sequence[object], path: Path, column: str) -> list[str]:
    for row, cell in enumerate(cells, start=1):
        if not isinstance(cell, (str, int, float)) and not _is_missing(cell):
            raise UserError(
                f"a label must be a string or a number; row {row} of {path} has {cell!r} in "
                f"{column!r}"
            )
    labels = ["" if _is_missing(cell) else str(cell).strip() for cell in cells]
    n_missing = labels.count("")
    if n_missing:
        raise UserError(
            f"every row needs a label; {n_missing} of {len(labels)} rows of {path} have none in "
            f"{column!r}, the first is row {labels.index('') + 1}; label them or take them out"
        )
    for row, label in enumerate(labels, start=1):
        if not is_utf8(label):
            raise UserError(
                f"the label of row {row} of {path} has half a character (a lone surrogate), which "
                f"no UTF-8 file holds: {label!r}"
            )
    return labels


def _check_label_count(names: Sequence[str], path: Path, column: str) -> None:
    if len(names) < 2:
        raise UserError(
            f"a task needs at least two labels; {path} has {len(names)} in {column!r}"
            f"{''.join(f' ({name!r})' for name in names)}"
        )
    if len(names) > MAX_LABELS:
        raise UserError(
            f"a task can have at most {MAX_LABELS} labels; {path} has {len(names):,} in "
            f"{column!r}, such as {names[0]!r}: is it the label column?"
        )


def _is_missing(cell: object) -> bool:
    return cell is None or cell is pd.NA or cell is pd.NaT or cell != cell  # NaN is unlike itself
