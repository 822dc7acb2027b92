"""Parity: the frozen prompt through `dspy.Predict` gives what the batch path gives."""

from collections.abc import Sequence
from typing import NamedTuple

import dspy
import numpy as np

from modules.lm import LocalModel
from modules.programs import PromptAdapter, dspy_lm
from modules.prompts import Prompt, answers, calibrated, evidence_words, render
from modules.tasks.example import Example, Task


class Parity(NamedTuple):
    """How many of n answers, one an example and prompt, have the same label and the same bits."""

    n: int
    n_same_label: int
    n_same_bits: int


def dspy_parity(
    model: LocalModel, task: Task, prompts: Sequence[Prompt], examples: Sequence[Example]
) -> Parity:
    """Answer examples one by one through `dspy.Predict` and compare with one batch.

    Of an ensemble every prompt is compared by itself: a DSPy program has one.
    """
    each = [_prompt_parity(model, task, prompt, examples) for prompt in prompts]
    return Parity(*map(sum, zip(*each, strict=True)))


def _prompt_parity(
    model: LocalModel, task: Task, prompt: Prompt, examples: Sequence[Example]
) -> Parity:
    texts = [example.inputs[task.input_field] for example in examples]
    rendered = [render(prompt, text) for text in texts]
    scored = model.choose(rendered, answers(prompt), words=evidence_words(prompt))
    expected = np.exp(calibrated(prompt, scored.log_probabilities(), scored.word_logits))
    predict = dspy.Predict(task.signature)
    n_label = n_bits = 0
    with dspy.context(lm=dspy_lm(model), adapter=PromptAdapter(prompt, task.signature)):
        for text, p in zip(texts, expected, strict=True):
            prediction = predict(**{task.input_field: text})
            measured = prediction.probabilities[task.output_field]
            n_label += prediction[task.output_field] == task.label_names[int(p.argmax())]
            n_bits += [measured[name] for name in task.label_names] == p.tolist()
    return Parity(len(texts), n_label, n_bits)
