"""Calibration: an additive bias per label in log space. Pure arrays, no model.

Notation: `n` examples, `k` labels; `logp` float64 [n, k], rows that sum to 1 in probability;
`bias` float64 [k], mean zero.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

LOWEST: Final = -1e3
"""What stands for a log-probability below it, minus infinity too; files hold nothing below it."""


def apply_bias(logp: Array, bias: Array, temperature: float = 1.0) -> Array:
    """Add the bias and renormalise: log softmax(logp + bias / temperature), [n, k].

    Args:
        logp: log-probabilities, [n, k], already at the temperature.
        bias: as it was fitted, at temperature 1.
        temperature: > 0; divides the bias as it divided the scores.

    -inf stays -inf.
    """
    return log_softmax(logp + bias / temperature)


def log_softmax(scores: Array) -> Array:
    """Normalise scores along the last axis in log space; -inf stays -inf."""
    top = scores.max(axis=-1, keepdims=True)
    shifted = scores - top
    total = np.exp(shifted).sum(axis=-1, keepdims=True)
    return np.asarray(shifted - np.log(total), dtype=np.float64)


def fit_bias(logp: Array, gold: NDArray[np.int64], strength: float = 1.0) -> Array:
    """Fit the bias on labelled examples by penalised maximum likelihood.

    Minimises the summed log-loss plus strength/2 * |bias|^2: a Gaussian prior around "no bias",
    worth less and less as n grows. Convex, so the minimum is unique.

    Args:
        logp: uncalibrated log-probabilities, [n, k].
        gold: label indices, [n]. n = 0 gives a zero bias.
        strength: weight of the prior, > 0.

    Returns:
        The bias, [k], shifted to mean zero.
    """
    from scipy.optimize import minimize  # half a second that reading a prompt need not take

    n, k = logp.shape
    finite = np.maximum(logp, LOWEST)

    def objective(bias: Array) -> tuple[float, Array]:
        q = log_softmax(finite + bias)
        loss = -q[np.arange(n), gold].sum() + 0.5 * strength * float(bias @ bias)
        slope = np.exp(q).sum(axis=0) - np.bincount(gold, minlength=k) + strength * bias
        return float(loss), slope

    bias = minimize(objective, np.zeros(k), jac=True, method="L-BFGS-B").x
    return np.asarray(bias - bias.mean(), dtype=np.float64)


def fit_scaled_bias(
    logp: Array, gold: NDArray[np.int64], strength: float = 1.0
) -> tuple[float, Array]:
    """Fit log softmax(scale * logp + bias): Platt scaling for any number of labels.

    The scale takes up over- and underconfidence, so that the bias is fitted where the labels are
    decided and not by a few examples that are surely wrong (Guo et al. 2017, "On Calibration of
    Modern Neural Networks", section 4.2, "bias-corrected temperature scaling"). The penalty is
    strength/2 * (log(scale)^2 + |bias|^2). As the scale moves no argmax, `bias / scale` is the bias
    that decides alike without it.

    Args:
        logp: uncalibrated log-probabilities, [n, k].
        gold: label indices, [n]. n = 0 gives scale 1 and a zero bias.
        strength: weight of the penalty, > 0.

    Returns:
        The scale, > 0, and the bias, [k], mean zero.
    """
    from scipy.optimize import minimize  # half a second that reading a prompt need not take

    n, k = logp.shape
    finite = np.maximum(logp, LOWEST)
    centred = finite - finite.mean(axis=1, keepdims=True)
    rows = np.arange(n)

    def objective(point: Array) -> tuple[float, Array]:
        scale, bias = np.exp(point[0]), point[1:]
        q = log_softmax(scale * centred + bias)
        residual = np.exp(q)
        residual[rows, gold] -= 1.0
        loss = -q[rows, gold].sum() + 0.5 * strength * float(point @ point)
        slope = np.concatenate([[scale * float((residual * centred).sum())], residual.sum(axis=0)])
        return float(loss), slope + strength * point

    bounds = [(-5.0, 5.0)] + [(None, None)] * k
    point = minimize(objective, np.zeros(k + 1), jac=True, method="L-BFGS-B", bounds=bounds).x
    bias = np.asarray(point[1:] - point[1:].mean(), dtype=np.float64)
    return float(np.exp(point[0])), bias


def batch_bias(logp: Array) -> Array:
    """Batch calibration: subtract the mean log-probability of each label over unlabelled examples.

    Zhou et al. 2023, "Batch Calibration", equation 6, with the mean taken in log space as the bias
    is additive there. n = 0 raises ValueError.
    """
    if logp.shape[0] == 0:
        raise ValueError("batch calibration needs at least one example")
    bias = -np.maximum(logp, LOWEST).mean(axis=0)
    return np.asarray(bias - bias.mean(), dtype=np.float64)
