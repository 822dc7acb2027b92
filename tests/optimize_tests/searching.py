"""Searches of the tiny model, in this process and in others that may be killed."""

import json
import multiprocessing
import os
from pathlib import Path
from typing import Any

from modules.lm import LocalModel
from modules.tasks import TaskSpec, load_task
from optimize.config import Budget, SearchConfig
from optimize.race.record import Cost, TrialRecord
from optimize.search import run_search
from optimize.space.space import Space
from optimize.watcher import Watcher
from tests import tables

BUDGET = 24_000
SMALL = 9_000


class Counting(Watcher):
    """Notes the slots of the trials that it is told of."""

    def __init__(self) -> None:
        self.slots: list[int] = []

    def trial_ended(self, trial: TrialRecord, space: Space, spent: Cost) -> None:
        """Note the slot."""
        self.slots.append(trial.slot)


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
    """What another process does: load the same model and table, search, and write what was told."""
    import torch

    torch.set_num_threads(1)
    model: LocalModel = tables.tiny_model(model_folder)
    task, _ = load_task(TaskSpec(name="file", data=table, sizes=tables.SIZES), 0)
    watcher = Counting()
    run_search(task, model, config(folder, **changes), watcher)
    (folder / f"told-{os.getpid()}.json").write_text(json.dumps(watcher.slots))


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
