"""Choosing: each example is scored once, and answers are drawn from that distribution."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluate.draws.entry import Cell, Entry, Plan, Progress, Record, record, too_long
from modules.lm import Choices, LocalModel, draw_index, stream
from modules.prompts import Prompt, Rendered, answers, apply_bias, render
from modules.tasks.example import Example, Task

Array = NDArray[np.float64]
_LOWEST = -1e3  # stands for a log-probability of -inf


def choose_records(
    model: LocalModel,
    task: Task,
    entry: Entry,
    examples: Sequence[Example],
    plan: Plan,
    progress: Progress | None = None,
) -> Iterator[Record]:
    """Score the examples once and give their answers at temperature 0 and at every other one.

    At a temperature T the label is drawn from the constrained decoder's distribution at T with the
    prompt's bias in it: log p is proportional to (log-probability + bias) / T. An example that is
    too long for the model is an `lm_error`. `progress` is told of every example.
    """
    rendered = [render(entry.prompt, example.inputs[task.input_field]) for example in examples]
    scored = score(model, entry.prompt, rendered, progress)
    for cell in plan.choosing:
        for example, scores in zip(examples, scored, strict=True):
            yield choice_record(model, task, entry, example, cell, scores)


class Drawn(NamedTuple):
    """A label's index, and the distribution [k] that it was drawn from."""

    at: int
    p: Array


class Scores:
    """The answers' scores behind one prompt, and what is drawn from them.

    `p` [k] is the distribution at temperature 1 with the prompt's bias in it.
    """

    def __init__(self, choices: Choices, prompt: Prompt) -> None:
        self._choices = choices
        self._bias = np.array(prompt.bias)
        self.n_input_tokens = choices.n_input_tokens[0]
        self.p = self.distribution(1.0)

    def distribution(self, temperature: float) -> Array:
        """Give the decoder's distribution [k] at a temperature above 0, with the bias in it."""
        logp = np.maximum(self._choices.log_probabilities(temperature), _LOWEST)
        return np.asarray(np.exp(apply_bias(logp, self._bias, temperature))[0])

    def draw(self, cell: Cell, example_id: str) -> Drawn:
        """Draw a label from the example's own stream; at temperature 0 the most probable one."""
        temperature, seed = cell
        if temperature == 0:
            at = int(self.p.argmax())
            return Drawn(at, np.eye(len(self.p))[at])
        p = self.distribution(temperature)
        return Drawn(draw_index(p, stream("choose", seed, example_id, temperature).random()), p)


def score(
    model: LocalModel,
    prompt: Prompt,
    rendered: Sequence[Rendered],
    progress: Progress | None = None,
) -> list[Scores | None]:
    """Score a prompt's answers behind its renderings; None where one does not fit.

    `progress` is called with numbers that add up to that of the renderings.
    """
    words = answers(prompt)
    fitting = [n for n, one in enumerate(rendered) if model.fits(one, answers=words)]
    if progress is not None:
        progress(len(rendered) - len(fitting))
    if not fitting:
        return [None] * len(rendered)
    choices = model.choose([rendered[n] for n in fitting], words, progress).split()
    found = {n: Scores(one, prompt) for n, one in zip(fitting, choices, strict=True)}
    return [found.get(n) for n in range(len(rendered))]


def choice_record(
    model: LocalModel,
    task: Task,
    entry: Entry,
    example: Example,
    cell: Cell,
    scores: Scores | None,
) -> Record:
    """Give the record of a drawn label, or of a prompt that was too long."""
    if scores is None:
        return too_long(model, task, entry, example, "choose", cell)
    drawn = scores.draw(cell, example.id)
    answer = task.label_names[drawn.at]
    gold = task.label_names.index(example.label)
    return record(model, task, entry, example, "choose", cell) | {
        "answer": answer,
        "outcome": "ok",
        "correct": answer == example.label,
        "probabilities": scores.p.tolist(),
        "confidence": float(scores.p[drawn.at]),
        "p_gold": float(scores.p[gold]),
        "p_correct": float(drawn.p[gold]),
        "n_input_tokens": scores.n_input_tokens,
        "n_output_tokens": 1,
    }
