"""Writing Parquet: record batches with new columns, gathered into row groups of a bounded size."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from burnish.tables.columns import column_value
from burnish.tables.parquet_table import ParquetTable
from burnish.tables.table import Added, Survey, Table

_CHUNK_ROWS = 1_024
_GROUP_ROWS = 65_536
_GROUP_BYTES = 32_000_000
_TYPES = {
    "null": pa.null(),
    "bool": pa.bool_(),
    "int": pa.int64(),
    "long": pa.int64(),
    "float": pa.float64(),
    "str": pa.string(),
    "json": pa.string(),
}
_ADDED_TYPES = (pa.string(), pa.float64(), pa.string())


def write_parquet(
    table: Table, survey: Survey, new: Sequence[str], path: Path, added: Iterator[Added]
) -> None:
    """Write a table with what is added to it; equal rows and one pyarrow give equal bytes.

    Columns of a Parquet table keep their types. Those of other tables get the type of their kind.

    Raises:
        ValueError: there are more or fewer additions than rows.
    """
    if isinstance(table, ParquetTable):
        schema, batches = table.schema(), table.batches()
    else:
        schema = pa.schema([(name, _TYPES[kind]) for name, kind in survey.kinds.items()])
        batches = _batches(table, survey, schema)
    for name, kind in zip(new, _ADDED_TYPES, strict=True):
        schema = schema.append(pa.field(name, kind))
    with pq.ParquetWriter(path, schema, compression="zstd") as file:
        for group in _groups(_with_added(batches, schema, added)):
            file.write_table(pa.Table.from_batches(group, schema), row_group_size=_GROUP_ROWS)


def _batches(table: Table, survey: Survey, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    kinds = tuple(survey.kinds.values())
    rows = iter(table.values())
    while chunk := list(islice(rows, _CHUNK_ROWS)):
        columns = [
            pa.array([column_value(cell, kind) for cell in column], field.type)
            for column, kind, field in zip(zip(*chunk, strict=True), kinds, schema, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _with_added(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, added: Iterator[Added]
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        if not len(batch):
            continue
        cells = list(islice(added, len(batch)))
        if len(cells) != len(batch):
            raise ValueError("fewer additions than rows")
        new = zip(zip(*cells, strict=True), _ADDED_TYPES, strict=True)
        arrays = [*batch.columns, *(pa.array(column, kind) for column, kind in new)]
        yield pa.RecordBatch.from_arrays(arrays, schema=schema)
    if next(added, None) is not None:
        raise ValueError("more additions than rows")


def _groups(batches: Iterator[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """Gather small batches into row groups that are worth reading, within a bound of memory."""
    group: list[pa.RecordBatch] = []
    n_rows = n_bytes = 0
    for batch in batches:
        group.append(batch)
        n_rows, n_bytes = n_rows + len(batch), n_bytes + batch.nbytes
        if n_rows >= _GROUP_ROWS or n_bytes >= _GROUP_BYTES:
            yield group
            group, n_rows, n_bytes = [], 0, 0
    if group:
        yield group
