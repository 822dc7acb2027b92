"""Parquet tables: record batches in a stream, columns in the types that they have."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from burnish.tables.table import Survey, check_columns, repeated, text_of
from modules.errors import UserError

_BATCH_ROWS = 1_024


class ParquetTable:
    """A Parquet file.

    Args:
        path: the file.
        text_column: the column with the texts; numbers and dates are read as text.
        new: the names of the columns that are added.
    """

    def __init__(self, path: Path, text_column: str, new: Sequence[str]) -> None:
        self._path = path
        self._text_column = text_column
        self._new = new

    def survey(self) -> Survey:
        """Look at what the file says of itself."""
        with self._open() as file:
            n_rows, schema = file.metadata.num_rows, file.schema_arrow
        if not n_rows:
            raise UserError(f"a table must hold rows; {self._path} has none")
        check_columns(schema.names, self._text_column, self._new, str(self._path))
        kind = schema.field(self._text_column).type
        if pa.types.is_nested(kind) or _is_binary(kind):
            raise UserError(
                f"a text must be a string or a number; {self._text_column!r} of {self._path} holds "
                f"{kind}"
            )
        bytes_in = next((field.name for field in schema if _is_binary(field.type)), None)
        only_own = repeated(schema.names, str(self._path))
        if bytes_in is not None:
            only_own = f"the column {bytes_in!r} of {self._path} holds bytes"
        return Survey(n_rows, {field.name: str(field.type) for field in schema}, only_own)

    def texts(self) -> Iterator[str]:
        """Give each row's text, "" where it is missing."""
        column = self._text_column
        for batch in self.batches([column]):
            for cell in batch.column(0).to_pylist():
                yield text_of(cell, str(self._path), column)

    def values(self) -> Iterator[Sequence[Any]]:
        """Give each row's values."""
        for batch in self.batches():
            columns = [column.to_pylist() for column in batch.columns]
            yield from zip(*columns, strict=True)

    def schema(self) -> pa.Schema:
        """Give the columns and their types."""
        with self._open() as file:
            return file.schema_arrow

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Give the rows in small batches, all columns or some."""
        with self._open() as file:
            yield from file.iter_batches(_BATCH_ROWS, columns=columns, use_threads=False)

    @contextmanager
    def _open(self) -> Iterator[pq.ParquetFile]:
        try:
            with pq.ParquetFile(self._path, pre_buffer=False, buffer_size=1 << 16) as file:
                yield file
        except (OSError, pa.ArrowException) as error:
            raise UserError(f"{self._path} is not a readable parquet file: {error}") from error


def _is_binary(kind: pa.DataType) -> bool:
    return "binary" in str(kind)
