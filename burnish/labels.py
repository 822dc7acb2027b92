"""What log-probabilities say: each label's probability, and the label.

An artifact's probes record a single prompt's log-probabilities uncalibrated, and an ensemble's
combined, with every bias in them. What is asked anew is brought into that form first, so that all
that follows is the same for both.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from modules.prompts import LOWEST, Prompt, apply_bias, combine

Array = NDArray[np.float64]


def as_recorded(prompts: Sequence[Prompt], logps: Sequence[Array]) -> Array:
    """Give log-probabilities [n, k] in the form of a probe's, none of them below `LOWEST`.

    Args:
        prompts: an artifact's, one or those of an ensemble.
        logps: the uncalibrated log-probabilities of each prompt, [n, k].
    """
    if len(prompts) == 1:
        return np.maximum(logps[0], LOWEST)
    with np.errstate(over="ignore"):  # a bias may be as large as a number can be
        combined = combine(logps, [np.array(prompt.bias) for prompt in prompts])
    return np.maximum(combined, LOWEST)


def probabilities(prompts: Sequence[Prompt], recorded: Sequence[float]) -> dict[str, float]:
    """Give each label's probability, in the order of the prompts' words.

    Args:
        prompts: an artifact's; they give the labels, and a single one the bias.
        recorded: log-probabilities as a probe records them, one for each label.
    """
    shares = np.exp(_calibrated(prompts, recorded))
    return dict(zip(prompts[0].label_names, shares.tolist(), strict=True))


def answered(prompts: Sequence[Prompt], recorded: Sequence[float]) -> str:
    """Give the most probable label; ties go to the first."""
    return prompts[0].label_names[int(_calibrated(prompts, recorded).argmax())]


def _calibrated(prompts: Sequence[Prompt], recorded: Sequence[float]) -> Array:
    logp = np.maximum(np.array([recorded], dtype=np.float64), LOWEST)
    if len(prompts) > 1:
        whole: Array = logp[0]
        return whole
    with np.errstate(over="ignore"):  # a bias may be as large as a number can be
        calibrated: Array = apply_bias(logp, np.array(prompts[0].bias))[0]
    return calibrated
