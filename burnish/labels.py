"""What log-probabilities say: with the prompt's bias, each label's probability, and the label."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from modules.prompts import Prompt, apply_bias

Array = NDArray[np.float64]

LOWEST = -1e3
"""What stands for a log-probability of minus infinity; files hold nothing below it."""


def probabilities(prompt: Prompt, log_probabilities: Sequence[float]) -> dict[str, float]:
    """Give each label's probability, in the order of the prompt's words.

    Args:
        prompt: gives labels and bias.
        log_probabilities: uncalibrated, one for each label.
    """
    shares = np.exp(_calibrated(prompt, log_probabilities))
    return dict(zip(prompt.label_names, shares.tolist(), strict=True))


def answered(prompt: Prompt, log_probabilities: Sequence[float]) -> str:
    """Give the most probable label; ties go to the first."""
    return prompt.label_names[int(_calibrated(prompt, log_probabilities).argmax())]


def _calibrated(prompt: Prompt, log_probabilities: Sequence[float]) -> Array:
    logp = np.maximum(np.array([log_probabilities], dtype=np.float64), LOWEST)
    with np.errstate(over="ignore"):  # a bias may be as large as a number can be
        calibrated: Array = apply_bias(logp, np.array(prompt.bias))[0]
    return calibrated
