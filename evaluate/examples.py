"""The sample as a table: what the analysis needs to know of each example beside its rows."""

import math
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped,unused-ignore]
import pyarrow.parquet as pq  # type: ignore[import-untyped,unused-ignore]

from modules.errors import UserError
from modules.files import atomic_path
from modules.tasks.example import Example, Task

SCHEMA_VERSION = 1

_KEY = b"burnish_examples"
_SCHEMA = pa.schema(
    [
        ("example_id", pa.string()),
        ("gold", pa.string()),
        ("rating", pa.float64()),
        ("n_words", pa.int64()),
        ("text", pa.string()),
    ],
    metadata={_KEY: str(SCHEMA_VERSION).encode()},
)
_DTYPES = {
    "example_id": "str",
    "gold": "str",
    "rating": "float64",
    "n_words": "int64",
    "text": "str",
}


def examples_frame(task: Task, examples: Sequence[Example]) -> pd.DataFrame:
    """Give one line per example: example_id, gold, rating (NaN where there is none), n_words, text.

    Words stand between white space, as everywhere.
    """
    lines = [
        {
            "example_id": example.id,
            "gold": example.label,
            "rating": math.nan if example.rating is None else example.rating,
            "n_words": len(example.inputs[task.input_field].split()),
            "text": example.inputs[task.input_field],
        }
        for example in examples
    ]
    return pd.DataFrame(lines, columns=list(_DTYPES)).astype(_DTYPES)


def save_examples(examples: pd.DataFrame, path: Path) -> None:
    """Write the table as Parquet, whole or not at all."""
    columns = [pa.array(examples[name].tolist(), _SCHEMA.field(name).type) for name in _DTYPES]
    with atomic_path(path) as temporary:
        pq.write_table(pa.Table.from_arrays(columns, schema=_SCHEMA), temporary, compression="zstd")


def load_examples(path: Path) -> pd.DataFrame:
    """Read the table back.

    Raises:
        UserError: there is no such file, it is broken, not ours, or of a newer version.
    """
    try:
        table = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise UserError(f"cannot read examples from {path}: {error}") from error
    if not table.schema.equals(_SCHEMA, check_metadata=True):
        raise UserError(f"{path} does not hold the examples of an evaluation by this Burnish")
    cells = {name: table.column(name).to_pylist() for name in _DTYPES}
    return pd.DataFrame(cells).astype(_DTYPES)
