"""Choosing: each example is scored once, and answers are drawn from that distribution."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluate.draws.entry import Cell, Entry, Plan, Progress, Record, record, too_long
from modules.lm import Choices, LocalModel, draw_index, stream
from modules.prompts import Prompt, Rendered, answers, calibrated, combine, evidence_words, render
from modules.tasks.example import Example, Task

Array = NDArray[np.float64]


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
    prompt's calibration in it: with a bias alone, log p is proportional to (log-probability + bias)
    / T. An ensemble draws from the combination of all its prompts' distributions at T. An example
    that is too long for the model, in any of the prompts, is an `lm_error`. `progress` is told of
    every example.
    """
    texts = [example.inputs[task.input_field] for example in examples]
    rendered = [[render(prompt, text) for text in texts] for prompt in entry.prompts]
    scored = score(model, entry.prompts, rendered, progress)
    for cell in plan.choosing:
        for example, scores in zip(examples, scored, strict=True):
            yield choice_record(model, task, entry, example, cell, scores)


class Drawn(NamedTuple):
    """A label's index, and the distribution [k] that it was drawn from."""

    at: int
    p: Array


class Scores:
    """The answers' scores for one example behind each prompt, and what is drawn from them.

    `p` [k] is the distribution at temperature 1, calibrated; `n_input_tokens` counts the
    tokens of all prompts.
    """

    def __init__(self, choices: Sequence[Choices], prompts: Sequence[Prompt]) -> None:
        self._choices = choices
        self._prompts = prompts
        self.n_input_tokens = sum(one.n_input_tokens[0] for one in choices)
        self.p = self.distribution(1.0)

    def distribution(self, temperature: float) -> Array:
        """Give the decoder's distribution [k] at a temperature above 0, calibrated."""
        parts = [
            calibrated(prompt, one.log_probabilities(temperature), one.word_logits, temperature)
            for prompt, one in zip(self._prompts, self._choices, strict=True)
        ]
        return np.asarray(np.exp(combine(parts))[0])

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
    prompts: Sequence[Prompt],
    rendered: Sequence[Sequence[Rendered]],
    progress: Progress | None = None,
) -> list[Scores | None]:
    """Score the answers of prompts behind their renderings; None where one does not fit.

    Args:
        model: the model.
        prompts: one, or those of an ensemble.
        rendered: for each prompt its renderings of the same n examples.
        progress: called with numbers that add up to n.
    """
    n_examples = len(rendered[0])
    words = [answers(prompt) for prompt in prompts]
    fitting = [
        n
        for n in range(n_examples)
        if all(model.fits(own[n], answers=w) for own, w in zip(rendered, words, strict=True))
    ]
    if progress is not None:
        progress(n_examples - len(fitting))
    if not fitting:
        return [None] * n_examples
    by_prompt: list[list[Choices]] = []
    for prompt, own, word_set in zip(prompts, rendered, words, strict=True):
        told = progress if len(by_prompt) == len(prompts) - 1 else None
        fit = [own[n] for n in fitting]
        choices = model.choose(fit, word_set, told, words=evidence_words(prompt))
        by_prompt.append(choices.split())
    together = zip(*by_prompt, strict=True)
    found = {n: Scores(each, prompts) for n, each in zip(fitting, together, strict=True)}
    return [found.get(n) for n in range(n_examples)]


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
