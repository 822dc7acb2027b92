"""The study: Optuna proposes points, trials are raced, and a journal file remembers all of it.

The sampler is seeded anew for every trial from (seed, number of finished trials), and what a trial
cost is kept with it. So the next trial follows from the record alone, and a search that was killed
goes on as if it had not been.
"""

import json
import random
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from modules.errors import UserError
from modules.files import make_folder
from modules.lm import BudgetExceeded, Ledger, LocalModel, PromptTooLong
from modules.tasks.example import Task
from optimize.propose.moves import neighbour
from optimize.race.trial import Outcome, run_trial
from optimize.space.space import Space

Array = NDArray[np.float64]

_LOGP = "logp"
_TOKENS = "forward_tokens"
_PROMPTS = "n_prompts"
_FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
_STARTUP_TRIALS = 12
_ENOUGH_TOO_LONG = 50
_N_PARENTS = 2


@dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """A finished trial, read back from the study.

    `loss` is nats on the examples it saw, `logp` [n_seen, k] in dev order.
    """

    number: int
    point: dict[str, Any]
    loss: float
    pruned: bool
    logp: Array


class Search:
    """A study that can be carried on."""

    def __init__(self, path: Path, name: str, seed: int) -> None:
        self._study = _open(path, name)
        self.seed = seed

    def finished(self, budget_tokens: int | None = None) -> list[TrialRecord]:
        """Give the finished trials in the order of their numbers.

        With a budget only those that a study of that budget would have run: an earlier search may
        have carried the same study further.
        """
        return [_record(t) for t in self._within(budget_tokens) if _LOGP in t.user_attrs]

    def spent(self, budget_tokens: int | None = None) -> dict[str, int]:
        """Give what the finished trials cost: prompts answered and forward tokens."""
        trials = self._within(budget_tokens)
        return {
            key: sum(int(trial.user_attrs.get(key, 0)) for trial in trials)
            for key in (_PROMPTS, _TOKENS)
        }

    def nothing_fits(self) -> bool:
        """Whether so many trials were too long for the context, and no other, that none will do."""
        return len(self._within(None)) >= _ENOUGH_TOO_LONG and not self.finished()

    def best(self) -> TrialRecord | None:
        """Give the complete trial with the smallest loss; the earlier one of two equals."""
        whole = [trial for trial in self.finished() if not trial.pruned]
        return min(whole, key=lambda trial: (trial.loss, trial.number), default=None)

    def run(
        self,
        model: LocalModel,
        task: Task,
        space: Space,
        budget_tokens: int,
        told: Callable[[TrialRecord], None],
    ) -> None:
        """Run trials until the next one would pass the budget, or nothing fits into the context.

        The finished trials' costs count; `model.ledger` is replaced by one with what is left.

        Args:
            model: the model to search for.
            task: train feeds the demos, dev the trials.
            space: what to choose from.
            budget_tokens: forward tokens for all trials of this study together.
            told: called with every trial that ends.
        """
        self._drop_unfinished()
        while not self.nothing_fits():
            left = budget_tokens - self.spent()[_TOKENS]
            model.ledger = Ledger(max(0, left))
            trial = self._ask(space)
            try:
                outcome = self._run_one(trial, model, task, space)
            except BudgetExceeded:
                self._study.tell(trial, state=TrialState.FAIL)
                return
            self._tell(trial, outcome, model.ledger)
            told(_record(self._study.get_trials(deepcopy=False)[trial.number]))

    def _run_one(
        self, trial: optuna.Trial, model: LocalModel, task: Task, space: Space
    ) -> Outcome | None:
        """Run a trial; None when its prompt does not fit into the model's context."""
        prompt = space.prompt(space.suggest(trial))
        best = self.best()
        try:
            return run_trial(model, task, prompt, None if best is None else best.logp, trial.report)
        except PromptTooLong:
            return None

    def _ask(self, space: Space) -> optuna.Trial:
        n_finished = len(self._study.get_trials(deepcopy=False, states=_FINISHED))
        point = self._proposal(space, n_finished)
        if point is not None:
            self._study.enqueue_trial(point)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            self._study.sampler = optuna.samplers.TPESampler(
                seed=_seed(self.seed, n_finished),
                multivariate=True,
                n_startup_trials=_STARTUP_TRIALS,
            )
        return self._study.ask()

    def _proposal(self, space: Space, n_finished: int) -> dict[str, Any] | None:
        """Give the point to try next, or None where the sampler is to choose.

        First the starting points, then the sampler's startup, then two moves to one of its own.
        """
        waiting = self._study.get_trials(deepcopy=False, states=(TrialState.WAITING,))
        points = space.starting_points()
        if waiting:
            return None  # left by a process that was killed between proposing and asking
        if n_finished < len(points):
            return points[n_finished]
        if n_finished < _STARTUP_TRIALS or n_finished % 3 == 0:
            return None
        trials = self.finished()
        whole = sorted((t for t in trials if not t.pruned), key=lambda t: (t.loss, t.number))
        rng = random.Random(f"{self.seed}:{n_finished}")
        parents = [trial.point for trial in whole[:_N_PARENTS]]
        if not parents:
            return None
        return neighbour(parents, space.dimensions, [t.point for t in trials], rng)

    def _tell(self, trial: optuna.Trial, outcome: Outcome | None, ledger: Ledger) -> None:
        trial.set_user_attr(_TOKENS, ledger.account.forward_tokens)
        trial.set_user_attr(_PROMPTS, ledger.account.n_prompts)
        if outcome is None:
            trial.set_user_attr("skipped", "too long for the model's context")
            self._study.tell(trial, state=TrialState.PRUNED)
            return
        trial.set_user_attr(_LOGP, json.dumps(outcome.logp.tolist()))
        trial.set_user_attr("loss", outcome.loss)
        if outcome.pruned:
            self._study.tell(trial, state=TrialState.PRUNED)
        else:
            self._study.tell(trial, outcome.loss)

    def _within(self, budget_tokens: int | None) -> list[FrozenTrial]:
        trials = self._study.get_trials(deepcopy=False, states=_FINISHED)
        costs = accumulate(int(trial.user_attrs.get(_TOKENS, 0)) for trial in trials)
        return [
            trial
            for trial, cost in zip(trials, costs, strict=True)
            if budget_tokens is None or cost <= budget_tokens
        ]

    def _drop_unfinished(self) -> None:
        """Close the trial that a killed process left running; its point is asked for again."""
        for trial in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            self._study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)


def _open(path: Path, name: str) -> optuna.Study:
    make_folder(path.parent)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        _drop_torn_line(path)
        storage = JournalStorage(JournalFileBackend(str(path)))
        return optuna.create_study(
            storage=storage, study_name=name, direction="minimize", load_if_exists=True
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(
            f"{path} is not a study journal that can be read ({error}); move it away to start anew"
        ) from error


def _drop_torn_line(path: Path) -> None:
    """Cut off a last line that a crash left half written; Optuna would append to it."""
    if path.is_file() and (data := path.read_bytes()) and not data.endswith(b"\n"):
        with path.open("r+b") as file:
            file.truncate(data.rfind(b"\n") + 1)


def _record(trial: FrozenTrial) -> TrialRecord:
    return TrialRecord(
        number=trial.number,
        point=dict(trial.params),
        loss=float(trial.user_attrs.get("loss", float("inf"))),
        pruned=trial.state == TrialState.PRUNED,
        logp=np.array(json.loads(trial.user_attrs.get(_LOGP, "[]"))),
    )


def _seed(seed: int, n_finished: int) -> int:
    """Mix the seed with the number of finished trials into 32 bits."""
    return int(np.random.SeedSequence([abs(seed), int(seed < 0), n_finished]).generate_state(1)[0])
