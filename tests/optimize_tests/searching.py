"""Searches of the tiny model, in this process and in others that may be killed."""

import multiprocessing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from modules.lm import LocalModel
from modules.tasks import TaskSpec, load_task
from optimize.config import Budget, SearchConfig
from optimize.finish.finalists import Finalist
from optimize.race.record import Cost, TrialRecord
from optimize.search import run_search
from optimize.space.space import Space
from optimize.study.study import Search
from tests import tables

BUDGET = 24_000
SMALL = 9_000


class Silent:
    """A watcher that looks away."""

    def began(self, search: Search, space: Space, budget: Budget) -> None:
        """Nothing."""

    def trial_ended(self, trial: TrialRecord, space: Space, spent: Cost) -> None:
        """Nothing."""

    def study_ended(self, trials: Sequence[TrialRecord], space: Space, spent: Cost) -> None:
        """Nothing."""

    def finalist_ended(self, finalist: Finalist) -> None:
        """Nothing."""


def config(folder: Path, **changes: Any) -> SearchConfig:
    """A small search below a folder."""
    settings: dict[str, Any] = {
        "budget": Budget(tokens=BUDGET),
        "seed": 0,
        "out": folder / "out",
        "runs": folder / "runs",
        "command": "x",
    }
    return SearchConfig(**(settings | changes))


def search_in_process(model_folder: Path, table: Path, folder: Path, changes: Any) -> None:
    """What another process does: load the same model and table, and search."""
    import torch

    torch.set_num_threads(1)
    model: LocalModel = tables.tiny_model(model_folder)
    task, _ = load_task(TaskSpec(name="file", data=table, sizes=tables.SIZES), 0)
    run_search(task, model, config(folder, **changes), Silent())


class Processes:
    """Starts searches in processes of their own, forked from one that has everything imported."""

    def __init__(self, model_folder: Path, table: Path) -> None:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["tests.optimize_tests.searching"])
        self._arguments = (model_folder, table)

    def start(self, folder: Path, **changes: Any) -> Any:
        """Start a search below a folder."""
        settings = {"budget": Budget(tokens=SMALL)} | changes
        process = self._context.Process(
            target=search_in_process, args=(*self._arguments, folder, settings)
        )
        process.start()
        return process


def frozen(folder: Path) -> bytes:
    """Give the bytes of the one artifact below a folder."""
    (path,) = folder.glob("out/*/*/*.json")
    return path.read_bytes()
