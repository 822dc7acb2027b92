"""Does the confirm split help? Every finalist is scored on the test split.

    python -m benchmarks.confirming --out runs/matrix

It takes the finished "optuna" cells of a matrix (`benchmarks.search`), goes on from their studies
(or runs them anew where they are gone), and scores the finalists of each on the test split. Told
are the test accuracies of what dev alone, confirm alone and both splits together choose among the
three, and how far the dev score and the confirm score of the choice lie above its test score.
Nothing is tuned on it: that the search takes what both choose is settled without a model, by
`benchmarks.choosing`.
"""

import argparse
import functools
import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import machine, save_result
from benchmarks.racing import Keeper
from benchmarks.search.contestants import choose_labels
from benchmarks.search.journal import Result, read_results
from benchmarks.search.protocol import SHARES, Cell, budget_tokens, task_spec
from modules.command import recorded
from modules.lm import Ledger, LocalModel, load_model
from modules.tasks import TASK_NAMES, load_task
from modules.tasks.example import Example, Task
from optimize.config import Budget, SearchConfig
from optimize.finish.finalists import loss_on_both
from optimize.race.scoring import mean_loss
from optimize.search import run_search


def finalists_of(task: Task, model: LocalModel, config: SearchConfig) -> list[dict[str, Any]]:
    """Give a search's finalists by their dev loss, each with its scores on all three splits."""
    keeper = Keeper()
    run_search(task, model, config, keeper)
    model.ledger = Ledger()
    test = task.splits.test.unseal()
    dev_gold, confirm_gold = (
        np.array(task.gold(split)) for split in (task.splits.dev, task.splits.confirm)
    )
    found = [
        {
            "trial": one.trial,
            "dev_loss": mean_loss(one.dev_said, dev_gold),
            "confirm_loss": mean_loss(one.confirm_said, confirm_gold),
            "both_loss": loss_on_both(one, task),
            "dev": one.dev.accuracy,
            "confirm": one.confirm.accuracy,
            "test": _accuracy(task, model, one.prompt, test),
        }
        for one in keeper.finalists
    ]
    return sorted(found, key=lambda one: (one["dev_loss"], one["trial"]))


def _accuracy(task: Task, model: LocalModel, prompt: Any, test: tuple[Example, ...]) -> float:
    said = choose_labels(model, [prompt], [example.inputs[task.input_field] for example in test])
    return float((said == np.array(task.gold(test))).mean())


def chosen(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Give what each rule chooses among the finalists."""
    return {
        rule: min(found, key=lambda one: (one[f"{rule}_loss"], one["trial"]))
        for rule in ("dev", "confirm", "both")
    }


def taken_up(cell: Cell, out: Path, command: str) -> SearchConfig:
    """Give the configuration that goes on with a cell's search, or runs it anew."""
    home = out / "cells" / cell.key
    return SearchConfig(
        budget=Budget(tokens=budget_tokens(cell.task, cell.budget)),
        seed=cell.seed,
        out=home / "again",
        runs=home / "runs",
        command=command,
    )


def measure(result: Result, out: Path, data_folder: Path | None) -> dict[str, Any]:
    """Take one cell's study up again and score its finalists."""
    cell = result.cell
    spec = task_spec(cell.task, n_test=result.n_test, data_folder=data_folder, budget=cell.budget)
    task, _ = load_task(spec, cell.seed)
    config = taken_up(cell, out, "benchmarks.confirming")
    found = finalists_of(task, _model(cell.model, result.dtype), config)
    return {"cell": cell.to_json(), "finalists": found, "chosen": chosen(found)}


@functools.cache
def _model(name: str, dtype: str) -> LocalModel:
    return load_model(name, dtype=dtype or None, cache=True)


def summary(cells: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Give each rule's mean test accuracy, and how far its scores lie above it, in points."""
    told = {}
    for rule in ("dev", "confirm", "both"):
        picked = [cell["chosen"][rule] for cell in cells]
        test = np.mean([one["test"] for one in picked])
        told[rule] = {
            "test": round(100 * float(test), 2),
            "dev_above_test": round(100 * float(np.mean([p["dev"] for p in picked]) - test), 2),
            "confirm_above_test": round(
                100 * float(np.mean([p["confirm"] for p in picked]) - test), 2
            ),
        }
    return told


def main() -> None:
    """Score the finalists of every finished cell, and write the dated result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the folder of a matrix")
    parser.add_argument("--budgets", nargs="+", default=["small"], choices=SHARES)
    parser.add_argument("--tasks", nargs="+", default=list(TASK_NAMES), choices=TASK_NAMES)
    parser.add_argument("--data-folder", type=Path, help="imdb only")
    options = parser.parse_args()
    logging.disable(logging.INFO)
    done = [
        result
        for result in read_results(options.out)
        if result.ok
        and result.cell.optimizer == "optuna"
        and result.cell.budget in options.budgets
        and result.cell.task in options.tasks
    ]
    cells = []
    for result in done:
        cells.append(measure(result, options.out, options.data_folder))
        print(cells[-1]["cell"], cells[-1]["chosen"], flush=True)
    command = recorded("python", "-m", "benchmarks.confirming", *sys.argv[1:])
    found = {"command": command, "machine": machine(), "summary": summary(cells), "cells": cells}
    print(found["summary"])
    print(save_result("confirming", found))


if __name__ == "__main__":
    main()
