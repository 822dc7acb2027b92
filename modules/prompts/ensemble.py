"""Ensembles: what several prompts say of the same examples together. Pure arrays, no model.

A logarithmic opinion pool with equal weights (Genest & Zidek 1986, "Combining Probability
Distributions: A Critique and an Annotated Bibliography"): the mean of the prompts' calibrated
log-probabilities, renormalised.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from modules.files import canonical_json, sha256_text
from modules.prompts.calibration import Array, apply_bias, log_softmax
from modules.prompts.prompt import Prompt

LOWEST: Final = -1e3
"""What stands for a log-probability below it, minus infinity too; files hold nothing below it."""


def combine(logps: Sequence[Array], biases: Sequence[Array], temperature: float = 1.0) -> Array:
    """Give the log-probabilities of an ensemble, [n, k], rows that sum to 1 in probability.

    One prompt's are exactly `apply_bias`. Of several, each prompt's log-probabilities count as at
    least `LOWEST`, before the bias and with it, so that no one of them rules a label out.

    Args:
        logps: each prompt's uncalibrated log-probabilities, [n, k], already at the temperature.
        biases: each prompt's bias, [k], as it was fitted, at temperature 1.
        temperature: > 0; divides each bias as it divided the scores.

    Raises:
        ValueError: no prompt, not one bias for each, or arrays of different shapes.
    """
    if not logps or len(logps) != len(biases):
        raise ValueError(f"{len(logps)} prompts' log-probabilities and {len(biases)} biases")
    shapes = {logp.shape for logp in logps}
    if len(shapes) > 1:
        raise ValueError(f"the prompts' log-probabilities have the shapes {sorted(shapes)}")
    if len(logps) == 1:
        return apply_bias(logps[0], biases[0], temperature)
    calibrated = [
        np.maximum(apply_bias(np.maximum(logp, LOWEST), bias, temperature), LOWEST)
        for logp, bias in zip(logps, biases, strict=True)
    ]
    return log_softmax(np.mean(calibrated, axis=0))


def ensemble_identity(prompts: Sequence[Prompt]) -> str:
    """Give what only equal prompts in the same order share: a single one's is its own identity."""
    each = [prompt.identity() for prompt in prompts]
    return each[0] if len(each) == 1 else sha256_text(canonical_json(["ensemble", *each]))
