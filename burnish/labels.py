"""What log-probabilities say: each label's probability, and the label.

What an artifact's probes record is uncalibrated or calibrated (`modules.prompts.ensemble`); what is
asked anew is brought into the same form first, so that all that follows is one.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from modules.prompts import LOWEST, Prompt, apply_bias, records_raw

Array = NDArray[np.float64]


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
    if not records_raw(prompts):
        whole: Array = logp[0]
        return whole
    with np.errstate(over="ignore"):  # a bias may be as large as a number can be
        calibrated: Array = apply_bias(logp, np.array(prompts[0].bias))[0]
    return calibrated
