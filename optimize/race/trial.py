"""One trial: a candidate prompt is scored on dev, block by block, until it ends or is behind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modules.lm import LocalModel
from modules.prompts import Prompt, answers, render
from modules.tasks.example import Example, Task
from optimize.race.racing import MIN_EXAMPLES, is_behind
from optimize.race.scoring import information_loss

Array = NDArray[np.float64]

BLOCK = 50
_MIN_BLOCKS = 4


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a trial gave: the log-probabilities of the examples it saw, in dev order, [n_seen, k].

    `loss` is their mean information loss in nats; `pruned` says that it was stopped early, and
    `saved_tokens` how many forward tokens the rest of the split would have cost. `prompt_tokens` is
    the mean length of the prompts that were read.
    """

    logp: Array
    loss: float
    pruned: bool
    saved_tokens: int
    prompt_tokens: float


def label_log_probabilities(
    model: LocalModel, task: Task, prompt: Prompt, examples: Sequence[Example]
) -> Array:
    """Score a prompt's label words on examples: uncalibrated log-probabilities, [n, k]."""
    prompts = [render(prompt, example.inputs[task.input_field]) for example in examples]
    return model.choose(prompts, answers(prompt)).log_probabilities()


def blocks(n: int) -> list[slice]:
    """Cut n examples into blocks of at most `BLOCK`, and at least four where there are enough."""
    size = max(1, min(BLOCK, -(-n // _MIN_BLOCKS)))
    return [slice(start, min(n, start + size)) for start in range(0, n, size)]


def looks(n: int) -> list[int]:
    """Give after how many of n examples it is asked whether a candidate is behind."""
    return [block.stop for block in blocks(n)[:-1] if block.stop >= MIN_EXAMPLES]


class Race:
    """The race on a task's dev split: every trial runs the same blocks in the same order."""

    def __init__(self, model: LocalModel, task: Task, *, stops: bool = True) -> None:
        """Make a race.

        Args:
            model: what the prompts are for.
            task: gives the dev split; its order is fixed.
            stops: whether a trial that is behind is stopped.
        """
        self._model = model
        self._task = task
        self._stops = stops
        self._gold = np.array(task.gold(task.splits.dev))
        self._looks = looks(len(self._gold))

    def run(
        self, prompt: Prompt, best: Array | None, report: Callable[[float, int], None]
    ) -> Outcome:
        """Score a prompt on the dev split.

        Args:
            prompt: the candidate, uncalibrated.
            best: the best complete trial's log-probabilities on all of dev, or None.
            report: called after every block with the mean loss so far and the number of examples.

        Raises:
            BudgetExceeded: in the middle of the trial; nothing of it counts then.
            PromptTooLong: an example does not fit.
        """
        dev, words = self._task.splits.dev, answers(prompt)
        rendered = [render(prompt, example.inputs[self._task.input_field]) for example in dev]
        logp = np.empty((0, len(self._task.labels)))
        lengths: list[int] = []
        saved = 0
        todo = blocks(len(dev))
        for number, block in enumerate(todo):
            choices = self._model.choose(rendered[block], words)
            lengths += choices.n_input_tokens
            logp = np.concatenate([logp, choices.log_probabilities()])
            losses = information_loss(logp, self._gold[: len(logp)])
            report(float(losses.mean()), len(logp))
            if self._is_behind(losses, best):
                rest = rendered[todo[number].stop :]
                saved = self._model.cost(rest, words, with_shared=False)
                break
        return Outcome(
            logp=logp,
            loss=float(losses.mean()),
            pruned=len(logp) < len(dev),
            saved_tokens=saved,
            prompt_tokens=float(np.mean(lengths)),
        )

    def _is_behind(self, losses: Array, best: Array | None) -> bool:
        n = len(losses)
        if not self._stops or best is None or n not in self._looks:
            return False
        others = information_loss(best[:n], self._gold[:n])
        return is_behind(losses, others, len(self._looks))
