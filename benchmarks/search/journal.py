"""The journal of the matrix: one JSON line per finished cell, and one per test split.

A line is written at once behind the last whole one; a kill leaves at most one torn line, which
the next writer cuts off and readers pass over.
"""

import json
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import IO, Any

from benchmarks.search.protocol import Cell
from modules.errors import UserError
from modules.files import make_folder
from modules.locked import open_locked

SCHEMA_VERSION = 1
RESULTS_FILE = "results.jsonl"
TESTS_FILE = "tests.jsonl"

_TRIES, _PAUSE_S = 100, 0.1


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one cell came to.

    `correct` has one "0" or "1" per test example, in the split's order, and is empty after an
    error. `guided` is that of promptolution's prompt under our `choose`, `biased` that of a prompt
    without calibration when our label bias is added, `weighed` when our whole calibration is, ""
    where that is no further figure. `dev` and `confirm` are accuracies in [0, 1] of the frozen
    prompt, or None.
    `forward_tokens` and `calls` are what the search spent of `budget_tokens`; `seconds` is the
    search alone, `test_seconds` what came after it, both wall time. `prompt_tokens` counts the
    prompt around an empty input. `notes` holds what only some contestants have to say. `dtype` is
    that of the weights, "" in a line that does not tell.
    """

    cell: Cell
    budget_tokens: int
    n_test: int
    test_hash: str
    correct: str = ""
    guided: str = ""
    biased: str = ""
    weighed: str = ""
    dev: float | None = None
    confirm: float | None = None
    forward_tokens: int = 0
    calls: int = 0
    seconds: float = 0.0
    test_seconds: float = 0.0
    prompt_tokens: int = 0
    prompt: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    error: str = ""
    dtype: str = ""

    @property
    def ok(self) -> bool:
        """Whether the cell came to a scored prompt."""
        return not self.error and bool(self.correct)

    def to_json(self) -> dict[str, Any]:
        """Give the line's value."""
        return {"schema_version": SCHEMA_VERSION, **asdict(self)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Result":
        """Read a line's value back; what a newer version may have added is left out."""
        known = {item.name for item in fields(cls)}
        cell = Cell(**value["cell"])
        return cls(**{k: v for k, v in value.items() if k in known and k != "cell"}, cell=cell)


def read_results(folder: Path) -> list[Result]:
    """Give the finished cells in the order of the file; of equal cells only the last.

    Raises:
        UserError: the file was written by a newer version.
    """
    found: dict[str, Result] = {}
    for value in _lines(folder / RESULTS_FILE):
        version = value.get("schema_version")
        if not isinstance(version, int) or version > SCHEMA_VERSION:
            raise UserError(
                f"{folder / RESULTS_FILE} has schema_version {version}, newer than {SCHEMA_VERSION}"
            )
        result = Result.from_json(value)
        found[result.cell.key] = result
    return list(found.values())


def same_prompt(finished: Iterable[Result], searched: Result) -> Result | None:
    """Give a finished cell with this prompt, test split, model and dtype, or None."""

    def key(result: Result) -> tuple[object, ...]:
        return (result.test_hash, result.cell.model, result.dtype, result.prompt)

    return next((one for one in finished if one.ok and key(one) == key(searched)), None)


def add_result(folder: Path, result: Result) -> None:
    """Append a finished cell, whole or not at all."""
    _append(folder / RESULTS_FILE, result.to_json())


def read_tests(folder: Path) -> dict[str, list[str]]:
    """Give the test examples' ids, in the split's order, by the split's digest."""
    return {value["test_hash"]: value["ids"] for value in _lines(folder / TESTS_FILE)}


def add_test(folder: Path, test_hash: str, ids: list[str]) -> None:
    """Append a test split's ids unless they are there."""
    if test_hash not in read_tests(folder):
        _append(folder / TESTS_FILE, {"test_hash": test_hash, "ids": ids})


def _lines(path: Path) -> list[dict[str, Any]]:
    raw = path.read_bytes() if path.is_file() else b""
    whole, _, _ = raw.rpartition(b"\n")
    return [json.loads(line) for line in whole.splitlines() if line]


def _append(path: Path, value: dict[str, Any]) -> None:
    make_folder(path.parent)
    line = json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"
    with _open(path) as file:
        file.truncate(path.read_bytes().rfind(b"\n") + 1)
        view = memoryview(line)
        while view:
            view = view[file.write(view) :]


def _open(path: Path) -> IO[bytes]:
    """Open a file to append, waiting while another process of the same matrix writes a line."""
    for _ in range(_TRIES - 1):
        try:
            return open_locked(path)
        except UserError:
            time.sleep(_PAUSE_S)
    return open_locked(path)
