"""One trial: a candidate prompt is scored on dev, block by block, until it ends or is behind."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modules.lm import LocalModel
from modules.prompts import Prompt, answers, render
from modules.prompts.render import after_lead
from modules.tasks.example import Task
from optimize.race.racing import MIN_EXAMPLES, is_behind
from optimize.race.said import Said, said_of, together
from optimize.race.scoring import cross_fitted, losses_of

Array = NDArray[np.float64]

BLOCK = 50
_MIN_BLOCKS = 4


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a trial gave: cross-fitted log-probabilities of the examples it saw, [n_seen, k].

    In dev order. `loss` is their mean loss in nats, `look_losses` holds those of the examples that
    were seen at each look; `pruned` says that it was stopped early, and `saved_tokens` how many
    forward tokens the rest of the split would have cost. `prompt_tokens` is the mean length of the
    prompts that were read.
    """

    logp: Array
    loss: float
    look_losses: tuple[Array, ...]
    pruned: bool
    saved_tokens: int
    prompt_tokens: float


def blocks(n: int) -> list[slice]:
    """Cut n examples into blocks of at most `BLOCK`, and at least four where there are enough."""
    size = max(1, min(BLOCK, -(-n // _MIN_BLOCKS)))
    return [slice(start, min(n, start + size)) for start in range(0, n, size)]


def looks(n: int) -> list[int]:
    """Give after how many of n examples it is asked whether a candidate is behind."""
    return [block.stop for block in blocks(n)[:-1] if block.stop >= MIN_EXAMPLES]


class NoNumbersError(Exception):
    """A model computes something that is no number for an example."""


class Race:
    """The race on a task's dev split: every trial runs the same blocks in the same order."""

    def __init__(
        self, model: LocalModel, task: Task, words: Sequence[str] = (), *, stops: bool = True
    ) -> None:
        """Make a race.

        Args:
            model: what the prompts are for.
            task: gives the dev split; its order is fixed.
            words: what evidence may weigh beside the label words.
            stops: whether a trial that is behind is stopped.
        """
        self._model = model
        self._task = task
        self._words = words
        self._stops = stops
        self._gold = np.array(task.gold(task.splits.dev))
        self._looks = looks(len(self._gold))

    def run(
        self,
        prompt: Prompt,
        best: Sequence[Array] | None,
        report: Callable[[float, int], None],
    ) -> Outcome:
        """Score a prompt on the dev split.

        Args:
            prompt: the candidate, uncalibrated.
            best: the best complete trial's losses at each look, or None.
            report: called after every block with the mean loss so far and the number of examples.

        Raises:
            BudgetExceeded: in the middle of the trial; nothing of it counts then.
            PromptTooLong: an example does not fit; nothing was run.
            NoNumbersError: the model gives no numbers for an example.
        """
        dev = self._task.splits.dev
        rendered = [render(prompt, example.inputs[self._task.input_field]) for example in dev]
        words, further = answers(prompt), after_lead(prompt, self._words)
        self._model.check_length(rendered, words)
        said: list[Said] = []
        lengths: list[int] = []
        seen: list[Array] = []
        saved = 0
        todo = blocks(len(dev))
        for block in todo:
            choices = self._model.choose(rendered[block], words, words=further)
            said.append(said_of(choices))
            if np.isnan(said[-1].logp).any() or not np.isfinite(said[-1].words).all():
                raise NoNumbersError(f"the model gives no numbers for {prompt}")
            lengths += choices.n_input_tokens
            gold = self._gold[: block.stop]
            logp = cross_fitted(together(*said), gold)
            losses = losses_of(logp, gold)
            report(float(losses.mean()), len(losses))
            if len(losses) not in self._looks:
                continue
            seen.append(losses)
            if self._is_behind(seen, best):
                rest = rendered[block.stop :]
                saved = self._model.cost(rest, words, with_shared=False)
                break
        return Outcome(
            logp=logp,
            loss=float(losses.mean()),
            look_losses=tuple(seen),
            pruned=len(losses) < len(dev),
            saved_tokens=saved,
            prompt_tokens=float(np.mean(lengths)),
        )

    def _is_behind(self, seen: Sequence[Array], best: Sequence[Array] | None) -> bool:
        """Whether the losses at the last look are behind the best trial's at the same look."""
        if not self._stops or best is None:
            return False
        return is_behind(seen[-1], best[len(seen) - 1], len(self._looks))
