"""The run: cells in their order, what is finished left out, within a given time."""

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.search.contestants import run_cell, search_cell
from benchmarks.search.journal import Result, add_result, add_test, read_results
from benchmarks.search.protocol import Cell, budget_tokens, task_spec
from modules.errors import UserError
from modules.files import make_folder
from modules.lm import LocalModel, load_model
from modules.locked import LockedError, open_locked
from modules.tasks import TaskSpec, load_task
from modules.tasks.example import Task

RunCell = Callable[[Cell], Result]


class Setting(NamedTuple):
    """How a matrix is run: its folder, the size of the test split, and where data are."""

    out: Path
    n_test: int
    data_folder: Path | None
    dtype: str | None


def run_matrix(
    wanted: Sequence[Cell],
    out: Path,
    minutes: float,
    run: RunCell,
    *,
    retry: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Run the cells that are not in the journal, and give the number that is still left.

    It stops before the first cell that would probably end after `minutes`. Any number of processes
    may be given the same cells and folder: a cell that another one is at is passed over. `retry`
    runs cells again that had ended in an error.
    """
    began = clock()
    before = read_results(out)
    todo = pending(wanted, before, retry=retry)
    for cell in todo:
        path = _claim(out, cell)
        try:
            claim = open_locked(path)
        except LockedError:
            continue  # another process is at it
        with claim:
            if cell not in _left(todo, before, out):
                continue  # another process has finished it
            forecast = expected_seconds(cell, read_results(out))
            if clock() - began + forecast > minutes * 60:
                print(f"stopped before {cell.key}: about {forecast:.0f} s would pass the time")
                break
            result = run(cell)
            add_result(out, result)
        print(_line(result, len(_left(todo, before, out))), flush=True)
    return len(_left(todo, before, out))


def _left(todo: Sequence[Cell], before: Sequence[Result], out: Path) -> list[Cell]:
    """Give the cells that have no result, or still the one that is to be replaced."""
    new = {result.cell.key for result in read_results(out) if result not in before}
    return [cell for cell in todo if cell.key not in new]


def _claim(out: Path, cell: Cell) -> Path:
    """Give the file that a process holds locked while it runs a cell."""
    path = out / "claims" / cell.key
    make_folder(path.parent)
    return path


def pending(
    wanted: Sequence[Cell], finished: Iterable[Result], *, retry: bool = False
) -> list[Cell]:
    """Give the cells that are not finished, in their order; with `retry` also those in error."""
    done = {result.cell.key for result in finished if result.ok or not retry}
    return [cell for cell in wanted if cell.key not in done]


def expected_seconds(cell: Cell, finished: Iterable[Result]) -> float:
    """Forecast a cell's wall time in seconds from the finished ones; 0 where nothing is alike.

    The longest cell of the same task and model, each scaled by its budget; that of the same
    optimizer where there is one.
    """
    alike = [r for r in finished if (r.cell.task, r.cell.model) == (cell.task, cell.model)]
    same = [r for r in alike if r.cell.optimizer == cell.optimizer]
    tokens = budget_tokens(cell.task, cell.budget)
    return max(
        (r.seconds * tokens / r.budget_tokens + r.test_seconds for r in same or alike), default=0.0
    )


class Bench:
    """Runs cells with the task and the model that the last one had, loaded once."""

    def __init__(self, setting: Setting) -> None:
        self._setting = setting
        self._task: tuple[tuple[TaskSpec, int], Task] | None = None
        self._model: tuple[str, LocalModel] | None = None

    def __call__(self, cell: Cell) -> Result:
        """Run one cell."""
        task, model = self._load_task(cell), self._load_model(cell.model)
        return run_cell(cell, task, model, self._setting.out)

    def search(self, cell: Cell) -> Result:
        """Run one cell's search, and leave the test split out."""
        task, model = self._load_task(cell), self._load_model(cell.model)
        return search_cell(cell, task, model, self._setting.out / "times")

    def _load_task(self, cell: Cell) -> Task:
        setting = self._setting
        spec = task_spec(
            cell.task,
            n_test=setting.n_test,
            data_folder=setting.data_folder,
            budget=cell.budget,
        )
        if self._task is None or self._task[0] != (spec, cell.seed):
            task, _ = load_task(spec, cell.seed)
            test = task.splits.test
            add_test(setting.out, test.digest, [example.id for example in test.unseal()])
            self._task = ((spec, cell.seed), task)
        return self._task[1]

    def _load_model(self, name: str) -> LocalModel:
        if self._model is None or self._model[0] != name:
            self._model = None  # the old weights go before the new ones come
            self._model = (name, load_model(name, dtype=self._setting.dtype))
        return self._model[1]


def check_journal(out: Path, n_test: int) -> None:
    """Refuse a journal whose test splits have another upper bound.

    Raises:
        UserError: a finished cell was scored on more examples than `n_test`.
    """
    found = max((result.n_test for result in read_results(out)), default=0)
    if found > n_test:
        raise UserError(
            f"{out} holds cells with {found} test examples, but --n-test is {n_test}; take the "
            "same size, or another --out"
        )


def _line(result: Result, left: int) -> str:
    n = len(result.correct)
    told = f"{result.correct.count('1') / n:.1%} of {n}" if n else f"error: {result.error}"
    return (
        f"{result.cell.key}: {told}, {result.forward_tokens:,} tokens, {result.seconds:.0f} s + "
        f"{result.test_seconds:.0f} s, {left} left"
    )
