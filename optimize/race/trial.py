"""One trial: a candidate prompt is scored on dev, block by block, until it ends or is behind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modules.lm import LocalModel
from modules.prompts import Prompt, answers, render
from modules.tasks.example import Example, Task
from optimize.race.racing import is_behind
from optimize.race.scoring import information_loss

Array = NDArray[np.float64]

BLOCK = 50


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a trial gave: the log-probabilities of the examples it saw, in dev order, [n_seen, k].

    `loss` is their mean information loss in nats; `pruned` says that it was stopped early.
    """

    logp: Array
    loss: float
    pruned: bool


def label_log_probabilities(
    model: LocalModel, task: Task, prompt: Prompt, examples: Sequence[Example]
) -> Array:
    """Score a prompt's label words on examples: uncalibrated log-probabilities, [n, k]."""
    prompts = [render(prompt, example.inputs[task.input_field]) for example in examples]
    return model.choose(prompts, answers(prompt)).log_probabilities()


def run_trial(
    model: LocalModel,
    task: Task,
    prompt: Prompt,
    best: Array | None,
    report: Callable[[float, int], None],
) -> Outcome:
    """Score a prompt on the dev split.

    Args:
        model: what the prompt is for.
        task: gives the dev split; its order is fixed, so blocks are the same for every trial.
        prompt: the candidate, uncalibrated.
        best: the best complete trial's log-probabilities on all of dev, or None.
        report: called after every block with the mean loss so far and the number of examples.

    Raises:
        BudgetExceeded: in the middle of the trial; nothing of it counts then.
        PromptTooLong: an example does not fit.
    """
    dev = task.splits.dev
    gold = np.array(task.gold(dev))
    logp = np.empty((0, len(task.labels)))
    losses = np.empty(0)
    for start in range(0, len(dev), BLOCK):
        block = label_log_probabilities(model, task, prompt, dev[start : start + BLOCK])
        logp = np.concatenate([logp, block])
        n = len(logp)
        losses = information_loss(logp, gold[:n])
        report(float(losses.mean()), n)
        if best is not None and n < len(dev):
            rival = information_loss(best[:n], gold[:n])
            if is_behind(losses, rival):
                return Outcome(logp=logp, loss=float(losses.mean()), pruned=True)
    return Outcome(logp=logp, loss=float(losses.mean()), pruned=False)
