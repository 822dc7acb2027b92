"""The journal of an evaluation: finished blocks of rows on disk, so that a killed run goes on.

A block is a few examples of one prompt and one model. Its key says everything that its rows depend
on, so a block is found again whatever else the run was asked for, and is never taken for another.
Each block is one line, written at once: a kill leaves at most one torn line, which is cut off.
"""

import json
import math
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from evaluate.rows import COLUMNS, SCHEMA_VERSION
from modules.errors import UserError
from modules.locked import open_locked


class Block(NamedTuple):
    """The rows of a block, what they took, their tokens, and how many of these needed no run."""

    records: list[dict[str, Any]]
    seconds: float
    n_tokens: int
    n_reused_tokens: int


class RowJournal:
    """An open journal; no other process has it open.

    Args:
        path: the file, made if absent.
        anew: forget what it holds.

    Raises:
        UserError: the file is no journal, in use, or cannot be written.
    """

    def __init__(self, path: Path, *, anew: bool = False) -> None:
        self._path = path
        self._file = open_locked(self._path)
        try:
            if anew:
                self._file.truncate(0)
            self._places = self._take_up()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "RowJournal":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._places:  # nothing was finished: leave nothing behind
            self._path.unlink(missing_ok=True)
        self._file.close()

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def get(self, key: str) -> Block | None:
        """Give a block, or None where it is not there or its line was damaged."""
        if key not in self._places:
            return None
        with self._path.open("rb") as file:
            file.seek(self._places[key])
            found = _parsed(file.readline())
        if found is None:
            return None
        columns = [found["columns"][name] for name in COLUMNS]
        rows = (dict(zip(COLUMNS, row, strict=True)) for row in zip(*columns, strict=True))
        return Block(
            [_record(row) for row in rows],
            found["seconds"],
            found.get("n_tokens", 0),
            found["n_reused_tokens"],
        )

    def put(self, key: str, block: Block) -> None:
        """Add a block.

        Raises:
            UserError: the disk refuses; what was there stays.
        """
        columns = {name: [_plain(one[name]) for one in block.records] for name in COLUMNS}
        self._places[key] = self._file.seek(0, 2)
        self._write(
            {
                "rows": SCHEMA_VERSION,
                "block": key,
                "seconds": round(block.seconds, 3),
                "n_tokens": block.n_tokens,
                "n_reused_tokens": block.n_reused_tokens,
                "columns": columns,
            }
        )

    def _take_up(self) -> dict[str, int]:
        """Find the blocks' places, and cut off what a kill left behind the last whole line."""
        places: dict[str, int] = {}
        at = 0
        with self._path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                found = _parsed(line)
                if found is None and at == 0:
                    raise UserError(
                        f"{self._path} is not the journal of an evaluation: move it away, or give "
                        "another --out"
                    )
                if found is not None:
                    places[found["block"]] = at
                at += len(line)
        self._file.truncate(at)
        return places

    def _write(self, value: object) -> None:
        try:
            view = memoryview(json.dumps(value, separators=(",", ":")).encode() + b"\n")
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            raise UserError(
                f"cannot write {self._path}: {error.strerror}; run the same command again to go on"
            ) from error


def _parsed(line: bytes) -> dict[str, Any] | None:
    """Give a line's block, or None where it is none of this version."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or value.get("rows") != SCHEMA_VERSION:
        return None
    columns = value.get("columns")
    whole = (
        isinstance(value.get("block"), str)
        and isinstance(columns, dict)
        and set(columns) == set(COLUMNS)
        and len({len(column) for column in columns.values()}) == 1
    )
    return value if whole else None


def _plain(cell: Any) -> Any:
    """Give a cell as JSON has it: NaN is null."""
    return None if isinstance(cell, float) and math.isnan(cell) else cell


def _record(cells: dict[str, Any]) -> dict[str, Any]:
    """Give a record back: null in a column of numbers is NaN."""
    return {
        name: math.nan if cell is None and COLUMNS[name] == "float" else cell
        for name, cell in cells.items()
    }
