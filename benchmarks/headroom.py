"""How much is there to choose? The best trials of a search are scored on fresh examples.

    python -m benchmarks.headroom --out runs/matrix --tasks snippets --budgets large

It takes the finished "optuna" cells of a matrix (`benchmarks.search`), goes on from their studies
(or runs them anew where they are gone), calibrates every one of the best trials on dev and confirm,
as a finalist is, and scores it on examples that the search did not see and that no seed of the
matrix tests on, so that rules can be settled here without looking at a test. Told are the accuracy
of what the search froze, of the mean and the extremes of all, of what more examples would choose,
and of the best prompts together.
"""

import argparse
import functools
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from benchmarks.common import machine, save_result
from benchmarks.confirming import taken_up
from benchmarks.evidence import fresh_examples
from benchmarks.racing import Keeper
from benchmarks.search.journal import Result, read_results
from benchmarks.search.protocol import SHARES, task_spec
from modules.command import recorded
from modules.lm import Ledger, LocalModel, load_model
from modules.prompts import combine
from modules.tasks import TASK_NAMES, load_task
from modules.tasks.example import Example, Task
from optimize.config import SearchConfig
from optimize.finish.finalists import ranked
from optimize.race.said import ask, together
from optimize.race.scoring import mean_loss, settle
from optimize.search import run_search

Array = NDArray[np.float64]

_ENOUGH = 3_000
TOGETHER = (5, 12)
"""How many of the best prompts answer together."""


@dataclass(frozen=True)
class Candidate:
    """A whole trial: its loss on dev, and its calibrated log-probabilities on fresh examples."""

    trial: int
    dev_loss: float
    logp: Array


def candidates(
    task: Task, model: LocalModel, config: SearchConfig, fresh: Sequence[Example], best: int
) -> tuple[int, list[Candidate]]:
    """Search, and score the best whole trials on fresh examples, the best first.

    Returns:
        The number of the trial that was frozen, and the candidates; the frozen one is among them.
    """
    keeper = Keeper()
    artifact, _ = run_search(task, model, config, keeper)
    assert keeper.space is not None
    winner = next(one.trial for one in keeper.finalists if one.prompt == artifact.prompt)
    model.ledger = Ledger()
    labelled = [task.splits.dev, task.splits.confirm]
    gold = np.array(task.gold([*labelled[0], *labelled[1]]))
    found = []
    for place, (trial, prompt) in enumerate(ranked(keeper.trials, keeper.space)):
        if place >= best and trial.slot != winner:
            continue
        dev, confirm, told = (
            ask(model, task, prompt, examples, keeper.space.evidence)
            for examples in (*labelled, fresh)
        )
        calibration = settle(together(dev, confirm), gold)
        dev_loss = mean_loss(dev, gold[: len(labelled[0])])
        found.append(Candidate(trial.slot, dev_loss, calibration.of(told)))
    return winner, found


def headroom(winner: int, found: Sequence[Candidate], gold: NDArray[np.int64]) -> dict[str, Any]:
    """Give accuracies on the fresh examples, and what choosing with half of them would reach.

    Args:
        winner: the trial that was frozen.
        found: the candidates, the best first.
        gold: the fresh examples' labels, [n].

    Returns:
        Shares of right answers. `chosen_on_half` takes the candidate that is best on every other
        fresh example and scores it on the rest, both ways: no hindsight, as `best` has. `together`
        are the first k by the mean of their log-probabilities. `rank_correlation` is Spearman's,
        of the dev loss with the fresh accuracy, its sign turned so that 1 is perfect. `prompts` has
        every candidate's own figures.
    """
    right = np.array([one.logp.argmax(axis=1) == gold for one in found])  # [candidates, n]
    means = right.mean(axis=1)
    losses = [one.dev_loss for one in found]
    correlation = -spearmanr(losses, means).statistic if len(found) > 2 else float("nan")
    half = np.arange(len(gold)) % 2 == 0
    return {
        "n": len(gold),
        "n_prompts": len(found),
        "frozen": float(means[[one.trial for one in found].index(winner)]),
        "first_by_dev": float(means[0]),
        "mean": float(means.mean()),
        "worst": float(means.min()),
        "best": float(means.max()),
        "chosen_on_half": float(np.mean([_chosen(right, half), _chosen(right, ~half)])),
        "rank_correlation": round(float(correlation), 3),
        "together": {
            str(k): float((combine([one.logp for one in found[:k]]).argmax(axis=1) == gold).mean())
            for k in TOGETHER
        },
        "prompts": [
            {"trial": one.trial, "dev_loss": round(one.dev_loss, 4), "fresh": round(mean, 4)}
            for one, mean in zip(found, means.tolist(), strict=True)
        ],
    }


def _chosen(right: NDArray[np.bool_], seen: NDArray[np.bool_]) -> float:
    """Give the accuracy, on what was not seen, of the candidate that is best on what was."""
    best = int(right[:, seen].mean(axis=1).argmax())
    return float(right[best, ~seen].mean())


def measure(result: Result, out: Path, n: int, best: int) -> dict[str, Any]:
    """Take one cell's study up again and score its best trials."""
    cell = result.cell
    spec = task_spec(cell.task, n_test=result.n_test, data_folder=None, budget=cell.budget)
    task, _ = load_task(spec, cell.seed)
    wide, _ = load_task(replace(spec, sizes=replace(spec.sizes, test=_ENOUGH)), cell.seed)
    seen = {e.id for e in (*task.splits.train, *task.splits.dev, *task.splits.confirm)}
    fresh = [e for e in fresh_examples(cell.task, wide, _ENOUGH) if e.id not in seen][:n]
    config = taken_up(cell, out, "benchmarks.headroom")
    winner, found = candidates(task, _model(cell.model, result.dtype), config, fresh, best)
    return {"cell": cell.to_json(), **headroom(winner, found, np.array(task.gold(fresh)))}


@functools.cache
def _model(name: str, dtype: str) -> LocalModel:
    return load_model(name, dtype=dtype or None)


def main() -> None:
    """Score the best trials of every finished cell, and write the dated result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="the folder of a matrix")
    short = [name for name in TASK_NAMES if name != "imdb"]
    parser.add_argument("--tasks", nargs="+", default=short, choices=short)
    parser.add_argument("--models", nargs="+", default=["smollm2-135m", "gemma-3-270m"])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--budgets", nargs="+", default=["large"], choices=SHARES)
    parser.add_argument("--n", type=int, default=300, help="fresh examples")
    parser.add_argument("--best", type=int, default=24, help="trials that are scored, at most")
    options = parser.parse_args()
    logging.disable(logging.INFO)
    done = [result for result in read_results(options.out) if _wanted(result, options)]
    cells = []
    for result in done:
        cells.append(measure(result, options.out, options.n, options.best))
        print({key: value for key, value in cells[-1].items() if key != "prompts"}, flush=True)
    command = recorded("python", "-m", "benchmarks.headroom", *sys.argv[1:])
    found: Mapping[str, Any] = {"command": command, "machine": machine(), "cells": cells}
    print(save_result("headroom", found))


def _wanted(result: Result, options: argparse.Namespace) -> bool:
    cell = result.cell
    return (
        result.ok
        and cell.optimizer == "optuna"
        and cell.task in options.tasks
        and cell.model in options.models
        and cell.seed in options.seeds
        and cell.budget in options.budgets
    )


if __name__ == "__main__":
    main()
