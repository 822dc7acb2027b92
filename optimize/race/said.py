"""What the model said on some examples behind one prompt, before any calibration."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modules.lm import Choices, LocalModel
from modules.prompts import Prompt, answers, render
from modules.prompts.render import after_lead
from modules.tasks.example import Example, Task

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Said:
    """What the model said on n examples: of the label words, and of the words of evidence.

    `logp` [n, k] are the label words' uncalibrated log-probabilities, `words` [n, M] the logits of
    further words where an answer begins; M may be 0.
    """

    logp: Array
    words: Array


def together(*parts: Said) -> Said:
    """Give what was said on the examples of all parts, at least one, in order."""
    return Said(
        logp=np.concatenate([part.logp for part in parts]),
        words=np.concatenate([part.words for part in parts]),
    )


def bare(logp: Array) -> Said:
    """Give what label words alone say."""
    return Said(logp=logp, words=np.empty((len(logp), 0)))


def ask(
    model: LocalModel,
    task: Task,
    prompt: Prompt,
    examples: Sequence[Example],
    words: Sequence[str] = (),
) -> Said:
    """Ask the model for examples' labels behind a prompt, and for the logits of further words."""
    rendered = [render(prompt, example.inputs[task.input_field]) for example in examples]
    return said_of(model.choose(rendered, answers(prompt), words=after_lead(prompt, words)))


def said_of(choices: Choices) -> Said:
    """Take what was said from what `choose` gives."""
    return Said(logp=choices.log_probabilities(), words=choices.word_logits)
