"""How a search is drawn on a terminal: a bar of tokens, and a line for what is worth one."""

import sys

import numpy as np
from tqdm.auto import tqdm

from modules.tasks.example import Task
from optimize.finish.finalists import Finalist
from optimize.race.scoring import calibrate, split_score
from optimize.space.space import Space
from optimize.study.study import TrialRecord


class Display:
    """Draws the search: a bar of tokens, and a line for every trial that takes the lead."""

    def __init__(self, task: Task, budget_tokens: int) -> None:
        self._gold = np.array(task.gold(task.splits.dev))
        self._best = float("inf")
        self._bar = tqdm(
            total=budget_tokens,
            unit="tok",
            unit_scale=True,
            desc="  search",
            leave=False,
            disable=None,  # where nobody watches, only errors go to stderr
        )

    def __enter__(self) -> "Display":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def trial_ended(self, trial: TrialRecord, space: Space, spent_tokens: int) -> None:
        """Move the bar; say so when the trial is the best so far."""
        self._bar.update(spent_tokens - self._bar.n)
        if trial.pruned or trial.loss >= self._best:
            return
        self._best = trial.loss
        name, bias = calibrate(trial.logp, self._gold)
        score = split_score(trial.logp, self._gold, bias)
        tqdm.write(
            f"  trial {trial.number:>3}  {score.accuracy:.1%} on dev  {_said(trial, space, name)}",
            file=sys.stdout,
        )

    def finalist_ended(self, finalist: Finalist) -> None:
        """Say how a finalist did on confirm."""
        self._bar.set_description_str("  confirm")
        tqdm.write(
            f"  finalist, trial {finalist.trial}: {finalist.dev.accuracy:.1%} on dev, "
            f"{finalist.confirm.accuracy:.1%} on confirm",
            file=sys.stdout,
        )


def _said(trial: TrialRecord, space: Space, calibration: str) -> str:
    point = trial.point
    on = [key.removeprefix("part_") for key, value in point.items() if value is True]
    return (
        f"{point['layout']}, {'/'.join(space.words[point['words']])}, {point['n_demos']} demos, "
        f"instruction: {' + '.join(on) or 'none'}, calibration: {calibration}"
    )
