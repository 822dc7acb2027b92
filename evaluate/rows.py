"""The rows of a held-out evaluation: one per example and draw, their columns, and their file.

It owns the schema, its validation and the Parquet file. Who fills the rows is the business of the
grid and of `evaluate.baselines`; what they add up to is the business of `evaluate.summary`.

| column          | dtype                | meaning                                               |
|-----------------|----------------------|-------------------------------------------------------|
| task            | str                  | the task's name                                       |
| model           | str                  | the model's name, or the baseline's                   |
| prompt          | str                  | its name, see `evaluate.ladder`; `-` for a baseline   |
| prompt_id       | str                  | the prompt's identity; `-` for a classical baseline   |
| decoding        | str                  | `choose`, `generate` or `classifier`                  |
| temperature     | float64              | at least 0; 0 is the most probable answer             |
| seed            | int64                | the seed of this draw; 0 is a seed                    |
| example_id      | str                  | the example's id                                      |
| gold            | str                  | the gold label's name                                 |
| answer          | str or null          | the label answered; null unless the outcome is `ok`   |
| outcome         | str                  | `ok`, `invalid` (unreadable answer) or `lm_error`     |
| correct         | bool                 | False unless the outcome is `ok`                      |
| probabilities   | list[float] or None  | one per label, in label order, finite                 |
| confidence      | float64 or NaN       | the probability of the answer                         |
| p_gold          | float64 or NaN       | the probability of the gold label                     |
| p_correct       | float64 or NaN       | how likely this row was to be correct, before drawing |
| text            | str or null          | what the model wrote, in `generate`                   |
| n_input_tokens  | int64                | tokens read                                           |
| n_output_tokens | int64                | tokens written                                        |

`probabilities`, `confidence` and `p_gold` are those at temperature 1, whatever the row's own is.
`p_correct` is that of the distribution that the answer was drawn from: p(gold) at the row's
temperature in `choose`, 1 or 0 where nothing was drawn, NaN for generated text. Version 1 had no
`p_correct`. No column holds a time, so two runs with the same seed give equal rows and equal bytes.
"""

import math
from collections.abc import Iterable, Mapping
from numbers import Integral, Real
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]
import pyarrow.parquet as pq  # type: ignore[import-untyped,unused-ignore]

from modules.errors import UserError
from modules.files import atomic_path

SCHEMA_VERSION = 2
DECODINGS = ("choose", "generate", "classifier")
OUTCOMES = ("ok", "invalid", "lm_error")
COLUMNS: Mapping[str, str] = {
    "task": "str",
    "model": "str",
    "prompt": "str",
    "prompt_id": "str",
    "decoding": "str",
    "temperature": "float",
    "seed": "int",
    "example_id": "str",
    "gold": "str",
    "answer": "str or null",
    "outcome": "str",
    "correct": "bool",
    "probabilities": "list of float or null",
    "confidence": "float",
    "p_gold": "float",
    "p_correct": "float",
    "text": "str or null",
    "n_input_tokens": "int",
    "n_output_tokens": "int",
}
_DTYPES = {
    "str": ("str", pa.string()),
    "str or null": ("str", pa.string()),
    "float": ("float64", pa.float64()),
    "int": ("int64", pa.int64()),
    "bool": ("bool", pa.bool_()),
    "list of float or null": ("object", pa.list_(pa.float64())),
}
_VERSION_KEY = b"burnish_rows"
_SCHEMA = pa.schema(
    [pa.field(name, _DTYPES[kind][1]) for name, kind in COLUMNS.items()],
    metadata={_VERSION_KEY: str(SCHEMA_VERSION).encode()},
)
_SCHEMA_1 = _SCHEMA.remove(_SCHEMA.get_field_index("p_correct"))


def frame(records: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """Give records as a frame of rows, in the order received, with exactly the table's dtypes.

    Args:
        records: one mapping per row with every column of `COLUMNS` and no other. None or NaN may
            stand for null only where the table says so; a NaN float must be given as NaN.

    Returns:
        A new frame with a fresh index; without records an empty one of the same dtypes.

    Raises:
        ValueError: a missing or unknown column, a wrong type, a row that contradicts itself, or a
            text with a lone surrogate, which has no UTF-8.
    """
    cells: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for number, record in enumerate(records):
        _check_names(record, f"row {number}")
        for name in COLUMNS:
            cells[name].append(record[name])
    return _from_cells(cells)


def save(rows: pd.DataFrame, path: Path) -> None:
    """Write rows as Parquet, whole or not at all; equal rows and one pyarrow give equal bytes.

    Raises:
        ValueError: the rows break the schema.
        UserError: the disk refuses.
    """
    _check_names(rows.columns, "the frame")
    checked = _from_cells({name: rows[name].tolist() for name in COLUMNS})
    arrays = [
        pa.array([_none_if_null(cell, kind) for cell in checked[name].tolist()], _DTYPES[kind][1])
        for name, kind in COLUMNS.items()
    ]
    with atomic_path(path) as temporary:
        pq.write_table(pa.Table.from_arrays(arrays, schema=_SCHEMA), temporary, compression="zstd")


def load(path: Path) -> pd.DataFrame:
    """Read rows back, equal to the frame that was saved.

    Raises:
        UserError: there is no such file, it is broken, not ours, or of a newer version.
    """
    try:
        with pq.ParquetFile(path) as file:
            version = _check_schema(file.schema_arrow, path)
            table = file.read()
        cells = {name: table.column(name).to_pylist() for name in table.column_names}
        if version == 1:
            cells["p_correct"] = [math.nan] * table.num_rows
        return _from_cells(cells)
    except (OSError, pa.ArrowException, ValueError) as error:
        raise UserError(f"cannot read rows from {path}: {error}") from error


def _check_schema(schema: Any, path: Path) -> int:
    """Give the version of a file of rows; refuse what is not ours, or of a newer version."""
    version = (schema.metadata or {}).get(_VERSION_KEY, b"").decode("ascii", "replace")
    if version.isdigit() and int(version) > SCHEMA_VERSION:
        raise UserError(
            f"{path} has rows of version {version}; this Burnish reads up to {SCHEMA_VERSION}: "
            "use the newer Burnish that wrote it"
        )
    known = {str(SCHEMA_VERSION): _SCHEMA, "1": _SCHEMA_1}
    if version not in known or not schema.equals(known[version]):
        raise UserError(f"{path} is a Parquet file but does not hold Burnish rows")
    return int(version)


def _from_cells(cells: Mapping[str, list[Any]]) -> pd.DataFrame:
    """Check every cell and every row, and build the frame."""
    columns: dict[str, list[Any]] = {}
    for name, kind in COLUMNS.items():
        columns[name] = [_cell(cell, name, kind, row) for row, cell in enumerate(cells[name])]
    for number in range(len(columns["task"])):
        _check_row({name: column[number] for name, column in columns.items()}, number)
    return pd.DataFrame(
        {name: pd.Series(columns[name], dtype=_DTYPES[kind][0]) for name, kind in COLUMNS.items()}
    )


def _check_names(names: Iterable[Any], where: str) -> None:
    """Refuse a set of column names that is not the schema's; their order is free."""
    given = list(names)
    missing = [name for name in COLUMNS if name not in given]
    unknown = [name for name in given if name not in COLUMNS]
    if missing or unknown:
        raise ValueError(f"rows have fixed columns; {where}: missing {missing}, unknown {unknown}")


def _none_if_null(cell: Any, kind: str) -> Any:
    """Give None for a null in a column that may hold nulls, else the cell; NaN floats stay."""
    nullable = kind.endswith("or null")
    return None if nullable and (cell is None or cell is pd.NA or _is_nan(cell)) else cell


def _is_nan(cell: Any) -> bool:
    return isinstance(cell, float) and math.isnan(cell)


def _cell(cell: Any, name: str, kind: str, row: int) -> Any:
    """Give one cell as a plain Python value of its column's kind, or refuse it."""
    cell = _none_if_null(cell, kind)
    is_bool = isinstance(cell, bool | np.bool_)
    if cell is None and kind.endswith("or null"):
        return None
    if kind.startswith("str") and isinstance(cell, str):
        return str(cell)
    if kind == "bool" and is_bool:
        return bool(cell)
    if kind == "int" and isinstance(cell, Integral) and not is_bool:
        return int(cell)
    if kind == "float" and isinstance(cell, Real) and not is_bool:
        return float(cell)
    if kind.startswith("list") and isinstance(cell, list | tuple | np.ndarray):
        return [_cell(part, name, "float", row) for part in cell]
    raise ValueError(f"row {row}: {name} must be {kind}, not {cell!r} ({type(cell).__name__})")


def _check_row(row: Mapping[str, Any], number: int) -> None:
    """Refuse a row that contradicts itself; all cells have the right type already."""
    outcome, answer = row["outcome"], row["answer"]
    if row["decoding"] not in DECODINGS:
        broken = f"decoding must be one of {DECODINGS}, not {row['decoding']!r}"
    elif outcome not in OUTCOMES:
        broken = f"outcome must be one of {OUTCOMES}, not {outcome!r}"
    elif not 0 <= row["temperature"] < math.inf:
        broken = f"temperature must be finite and at least 0, not {row['temperature']}"
    elif not all(map(math.isfinite, row["probabilities"] or ())):
        broken = f"probabilities must be finite, not {row['probabilities']}"
    elif (outcome == "ok") != (answer is not None):
        broken = f"the outcome ok and no other has an answer, not {answer!r} beside {outcome!r}"
    elif row["correct"] and outcome != "ok":
        broken = f"correct must be False for the outcome {outcome!r}"
    else:
        return
    raise ValueError(f"row {number}: {broken}")
