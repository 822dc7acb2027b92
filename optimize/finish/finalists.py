"""The finalists: the best trials meet the confirm split, which the search has never seen.

The winner is the one whose scores tell most about the labels of dev and confirm together. Choosing
on confirm alone would throw away what dev told, and with normal losses it never chooses better
(`benchmarks/choosing.py`). Confirm's own score is what is told of the winner: the search was not
fitted to it, and only the choice among the finalists flatters it.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modules.lm import BudgetExceeded, Ledger, LocalModel, PromptTooLong
from modules.prompts import Prompt, answers, recorded, render, what_is_read
from modules.prompts.records import Score
from modules.tasks.example import Task
from optimize.race.record import TrialRecord, by_loss
from optimize.race.said import Said, ask, together
from optimize.race.scoring import mean_loss, score_of, settle
from optimize.space.space import Space

Array = NDArray[np.float64]

N_FINALISTS = 3

MAX_FINALISTS = 5
"""Where a budget is large (`optimize.finish.reserve`); those beside the best are for `spread`."""

Entrant = tuple[TrialRecord, Prompt]
"""A complete trial with its uncalibrated prompt, on its way to the confirm split."""


@dataclass(frozen=True, kw_only=True)
class Finalist:
    """A calibrated prompt with its scores on dev and on confirm.

    Both scores are those of the calibration that was settled on dev alone, whose log-probabilities
    are `dev_logp` (see `Calibration.own`) and `confirm_logp`, [n, k]. The prompt carries the one
    that is settled on both splits: the same rule, more examples. `dev_said` and `confirm_said` are
    what the model said.
    """

    trial: int
    prompt: Prompt
    calibration: str
    dev: Score
    confirm: Score
    dev_said: Said
    confirm_said: Said
    dev_logp: Array
    confirm_logp: Array

    @property
    def recorded(self) -> Array:
        """What the model said on confirm, in the form of an artifact's probes."""
        return recorded([self.prompt], [self.confirm_said.logp], [self.confirm_said.words])


def ranked(trials: Sequence[TrialRecord], space: Space) -> list[Entrant]:
    """Give the complete trials by their losses, no two that read alike."""
    chosen: dict[Hashable, Entrant] = {}
    for trial in by_loss(trials):
        prompt = space.prompt(trial.point)
        chosen.setdefault(what_is_read(prompt), (trial, prompt))
    return list(chosen.values())


def spread(entrants: Sequence[Entrant]) -> tuple[list[Entrant], int]:
    """Put, behind the best `N_FINALISTS`, those next that share few demos with all before them.

    The longer a search, the more of its best are one prompt with small changes, and what these
    gained on dev is partly luck. Among such there is little for confirm to choose; demos make a
    difference. Few is half of what two prompts have together, at most.

    Args:
        entrants: the best first; so they stay among those that are put first, and among the others.

    Returns:
        All entrants, and how many are put first.
    """
    first = list(entrants[:N_FINALISTS])
    others: list[Entrant] = []
    for entrant in entrants[N_FINALISTS:]:
        alike = any(_alike(entrant[1], other[1]) for other in first)
        (others if alike else first).append(entrant)
    return [*first, *others], len(first)


def _alike(one: Prompt, other: Prompt) -> bool:
    """Whether two prompts share more than half of all their demos, or have none."""
    demos, others = set(one.demos), set(other.demos)
    return demos == others or 2 * len(demos & others) > len(demos | others)


def confirm(
    model: LocalModel,
    task: Task,
    entrants: Sequence[Entrant],
    n_wanted: int,
    words: tuple[str, ...],
    told: Callable[[Finalist], None],
    left_out: Callable[[TrialRecord, str], None],
) -> list[Finalist]:
    """Calibrate the best entrants on dev and score them on confirm; the winner comes first.

    Order: smallest mean loss on both splits, then the earlier trial. One that is too long for the
    model's context is left out, and the next one takes its place. One that the ledger refuses is
    left out too, but not replaced: what is left would be spent on prompts that are worse.

    Args:
        model: its ledger holds what may be spent.
        task: gives the splits.
        entrants: who may be scored, the best first.
        n_wanted: how many are.
        words: what evidence may weigh beside the label words.
        told: called with every finalist.
        left_out: called with every trial that is left out, and why.
    """
    dev_gold = np.array(task.gold(task.splits.dev))
    confirm_gold = np.array(task.gold(task.splits.confirm))
    finalists: list[Finalist] = []
    n_refused = 0
    for trial, prompt in entrants:
        if len(finalists) + n_refused == n_wanted:
            break
        try:
            said = ask(model, task, prompt, task.splits.confirm, words)
        except BudgetExceeded:
            left_out(trial, "the budget has too little left for it")
            n_refused += 1
            continue
        except PromptTooLong:
            left_out(trial, "with a confirm example it is too long for the model")
            continue
        with _paid(model):
            dev = ask(model, task, prompt, task.splits.dev, words)
        on_dev = settle(dev, dev_gold)
        confirm_logp = on_dev.of(said)
        final = settle(together(dev, said), np.concatenate([dev_gold, confirm_gold]))
        finalist = Finalist(
            trial=trial.slot,
            prompt=final.onto(prompt, words),
            calibration=final.name,
            dev=score_of(on_dev.own, dev_gold),
            confirm=score_of(confirm_logp, confirm_gold),
            dev_said=dev,
            confirm_said=said,
            dev_logp=on_dev.own,
            confirm_logp=confirm_logp,
        )
        told(finalist)
        finalists.append(finalist)
    return sorted(finalists, key=lambda one: (loss_on_both(one, task), one.trial))


def loss_on_both(finalist: Finalist, task: Task) -> float:
    """Give the mean cross-fitted loss on dev and confirm together, in nats; it decides."""
    gold = np.array([*task.gold(task.splits.dev), *task.gold(task.splits.confirm)])
    return mean_loss(together(finalist.dev_said, finalist.confirm_said), gold)


@contextmanager
def _paid(model: LocalModel) -> Iterator[None]:
    """Charge nothing inside: what is asked was charged to its trial, and is asked again."""
    before, model.ledger = model.ledger, Ledger()
    try:
        yield
    finally:
        model.ledger = before


def shown(prompt: Prompt, text: str, model: LocalModel) -> str:
    """Give a prompt as the model reads it, with the answers it may give, for people."""
    rendered = render(prompt, text)
    return f"{model.codec.chat_text(rendered)}  →  {' |'.join(answers(prompt))}"
