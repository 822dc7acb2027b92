"""Does racing lose the winner? Every trial that a search stopped early is run to its end.

    python -m benchmarks.racing --model smollm2-135m --task snippets

The search runs with its usual racing. Then each stopped trial's prompt is scored on the whole dev
split, and its information loss there is compared with those of the trials that went on: would it
have been the best, or among the finalists? The tokens that racing saved are those that this costs.
"""

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.common import machine, save_result
from benchmarks.search.protocol import N_CONFIRM, N_DEV, N_TRAIN
from modules.command import recorded
from modules.lm import Ledger, LocalModel, PromptTooLong, load_model
from modules.tasks import SplitSizes, TaskSpec, load_task
from modules.tasks.example import Task
from optimize.config import Budget, SearchConfig
from optimize.finish.finalists import N_FINALISTS, Finalist
from optimize.race.record import Cost, TrialRecord
from optimize.race.said import ask
from optimize.race.scoring import mean_loss
from optimize.search import run_search
from optimize.space.space import Space
from optimize.watcher import Watcher


class Keeper(Watcher):
    """Keeps a study's trials, its space and its finalists."""

    trials: Sequence[TrialRecord] = ()
    space: Space | None = None

    def __init__(self) -> None:
        self.finalists: list[Finalist] = []

    def study_ended(self, trials: Sequence[TrialRecord], space: Space, spent: Cost) -> None:
        """Keep them."""
        self.trials, self.space = trials, space

    def finalist_ended(self, finalist: Finalist) -> None:
        """Keep it."""
        self.finalists.append(finalist)


def replay(task: Task, model: LocalModel, trials: Sequence[TrialRecord], space: Space) -> Any:
    """Run the stopped trials to their ends and say what racing lost.

    Returns:
        Counts, tokens, and the losses in nats: `best` of the trials that went on, `last_finalist`
        of the worst that met confirm, and each stopped trial's on the whole split.
    """
    gold = np.array(task.gold(task.splits.dev))
    whole = sorted(trial.loss for trial in trials if not trial.pruned)
    stopped = [trial for trial in trials if trial.pruned and not trial.skipped]
    model.ledger = Ledger()
    losses = []
    for trial in stopped:
        prompt = space.prompt(trial.point)
        try:
            said = ask(model, task, prompt, task.splits.dev, space.evidence)
        except PromptTooLong:
            continue
        losses.append(mean_loss(said, gold))
    spent = sum(trial.cost.tokens for trial in trials)
    saved = sum(trial.saved_tokens for trial in trials)
    last = whole[min(N_FINALISTS, len(whole)) - 1]
    return {
        "n_trials": len(trials),
        "n_stopped": len(stopped),
        "trial_tokens": spent,
        "saved_tokens": saved,
        "saved_share": round(saved / (saved + spent), 3),
        "best": round(whole[0], 4),
        "last_finalist": round(last, 4),
        "stopped_losses": sorted(round(loss, 4) for loss in losses),
        "n_better_than_best": sum(loss < whole[0] for loss in losses),
        "n_better_than_last_finalist": sum(loss < last for loss in losses),
    }


def main() -> None:
    """Search, replay, and write the dated result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", nargs="+", default=["smollm2-135m"])
    parser.add_argument("--task", nargs="+", default=["snippets"])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--budget-tokens", type=int, default=40_000)
    parser.add_argument(
        "--dtype", help="bfloat16, float32 or float64 (default: the machine's faster one)"
    )
    options = parser.parse_args()
    logging.disable(logging.INFO)
    sizes = SplitSizes(train=N_TRAIN, dev=N_DEV, confirm=N_CONFIRM)
    results = []
    for name in options.model:
        model = load_model(name, dtype=options.dtype)
        for task_name in options.task:
            for seed in options.seeds:
                task, _ = load_task(TaskSpec(name=task_name, sizes=sizes), seed)
                results.append(
                    {"model": name, "task": task_name, "seed": seed}
                    | _measure(task, model, seed, options.budget_tokens)
                )
                print(results[-1], flush=True)
    command = recorded("python", "-m", "benchmarks.racing", *sys.argv[1:])
    sizes_said = {"train": N_TRAIN, "dev": N_DEV, "confirm": N_CONFIRM}
    found = {"command": command, "machine": machine(), "sizes": sizes_said, "results": results}
    print(save_result("racing", found))


def _measure(task: Task, model: LocalModel, seed: int, budget: int) -> Any:
    keeper = Keeper()
    with TemporaryDirectory() as folder:
        config = SearchConfig(
            budget=Budget(tokens=budget),
            seed=seed,
            out=Path(folder) / "artifacts",
            runs=Path(folder) / "runs",
            command="benchmarks.racing",
        )
        run_search(task, model, config, keeper)
    assert keeper.space is not None
    return replay(task, model, keeper.trials, keeper.space)


if __name__ == "__main__":
    main()
