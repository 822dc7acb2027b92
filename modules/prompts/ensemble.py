"""Ensembles: what several prompts say of the same examples together. Pure arrays, no model.

A logarithmic opinion pool with equal weights (Genest & Zidek 1986, "Combining Probability
Distributions: A Critique and an Annotated Bibliography"): the mean of the prompts' calibrated
log-probabilities, renormalised.
"""

from collections.abc import Sequence

import numpy as np

from modules.files import canonical_json, sha256_text
from modules.prompts.calibration import LOWEST, Array, log_softmax
from modules.prompts.evidence import calibrated
from modules.prompts.prompt import Prompt


def combine(parts: Sequence[Array]) -> Array:
    """Give the log-probabilities of an ensemble, [n, k], rows that sum to 1 in probability.

    A single prompt's are its own. Of several, each prompt's log-probabilities count as at least
    `LOWEST`, so that no one of them rules a label out.

    Args:
        parts: each prompt's calibrated log-probabilities, [n, k].

    Raises:
        ValueError: no prompt, or arrays of different shapes.
    """
    if not parts:
        raise ValueError("an ensemble of no prompts")
    shapes = {part.shape for part in parts}
    if len(shapes) > 1:
        raise ValueError(f"the prompts' log-probabilities have the shapes {sorted(shapes)}")
    if len(parts) == 1:
        return parts[0]
    return log_softmax(np.mean([np.maximum(part, LOWEST) for part in parts], axis=0))


def recorded(prompts: Sequence[Prompt], logps: Sequence[Array], words: Sequence[Array]) -> Array:
    """Give log-probabilities [n, k] as an artifact's probes record them, none below `LOWEST`.

    Of a single prompt that only has a bias they are the uncalibrated ones; with evidence, and of
    several prompts, they are what is answered from.

    Args:
        prompts: an artifact's, one or those of an ensemble.
        logps: the uncalibrated log-probabilities of each prompt, [n, k].
        words: of each prompt the logits of the words that its evidence weighs, [n, M].
    """
    if records_raw(prompts):
        return np.maximum(logps[0], LOWEST)
    with np.errstate(over="ignore"):  # a bias may be as large as a number can be
        parts = [calibrated(*each) for each in zip(prompts, logps, words, strict=True)]
        return np.maximum(combine(parts), LOWEST)


def records_raw(prompts: Sequence[Prompt]) -> bool:
    """Whether an artifact's probes record uncalibrated log-probabilities."""
    return len(prompts) == 1 and prompts[0].evidence is None


def ensemble_identity(prompts: Sequence[Prompt]) -> str:
    """Give what only equal prompts in the same order share: a single one's is its own identity."""
    each = [prompt.identity() for prompt in prompts]
    return each[0] if len(each) == 1 else sha256_text(canonical_json(["ensemble", *each]))
