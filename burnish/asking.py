"""Asking: texts go through an artifact's prompts, and the model's log-probabilities come back."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from modules.lm import LocalModel, PromptTooLong
from modules.prompts import Prompt, answers, evidence_words, recorded, render

Array = NDArray[np.float64]
Progress = Callable[[int], None]


def ask(
    model: LocalModel,
    prompts: Sequence[Prompt],
    texts: Sequence[str],
    progress: Progress | None = None,
) -> Array:
    """Give the labels' log-probabilities [n, k] in the form that a probe records.

    Args:
        model: the model.
        prompts: an artifact's, one or those of an ensemble, k labels each.
        texts: n of them.
        progress: called with the number of texts just finished.

    Raises:
        PromptTooLong: a text is too long in one of the prompts; nothing was run.
        ValueError, UserError: the model cannot read a prompt.
    """
    if len(prompts) > 1:
        _check_room(model, prompts, texts)
    scored = []
    for number, prompt in enumerate(prompts, start=1):
        rendered = [render(prompt, text) for text in texts]
        told = progress if number == len(prompts) else None
        words = evidence_words(prompt)
        scored.append(model.choose(rendered, answers(prompt), told, words=words))
    logps = [one.log_probabilities() for one in scored]
    return recorded(prompts, logps, [one.word_logits for one in scored])


def _check_room(model: LocalModel, prompts: Sequence[Prompt], texts: Sequence[str]) -> None:
    """Refuse what a later prompt would refuse once the earlier ones have run."""
    for prompt in prompts:
        words = answers(prompt)
        if not all(model.fits(render(prompt, text), answers=words) for text in texts):
            raise PromptTooLong("a text is too long in one of the prompts of the ensemble")
