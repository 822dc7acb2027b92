"""Scoring: what a prompt's raw label probabilities on some examples are worth once calibrated.

No forward pass happens here. Everything that needs none (which calibration, which bias) is settled
from the log-probabilities of one pass.

Notation: n examples, k labels; `logp` float64 [n, k] uncalibrated, `gold` int64 [n].
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from modules.prompts import apply_bias, batch_bias, fit_scaled_bias
from modules.prompts.calibration import log_softmax
from modules.prompts.records import Score
from modules.wilson import wilson

Array = NDArray[np.float64]
Gold = NDArray[np.int64]

_FOLDS = 5


def information_loss(logp: Array, gold: Gold) -> Array:
    """Give each example's log-loss after a scale and a bias fitted on the other folds, [n], nats.

    It measures how much the model's scores tell about the label, whatever their scale and prior:
    a proper score, and far less noisy than accuracy at the same n. Example i lies in fold i mod 5.
    n below 5 leaves single examples out.
    """
    n = len(gold)
    losses = np.empty(n)
    folds = np.arange(n) % min(_FOLDS, n)
    for fold in range(min(_FOLDS, n)):
        held, rest = folds == fold, folds != fold
        scale, bias = fit_scaled_bias(logp[rest], gold[rest])
        q = log_softmax(scale * np.maximum(logp[held], -1e3) + bias)
        losses[held] = -q[np.arange(int(held.sum())), gold[held]]
    return losses


def calibrate(logp: Array, gold: Gold) -> tuple[str, Array]:
    """Choose among no calibration, batch calibration and a fitted bias, by cross-fitted accuracy.

    Ties go to the smaller cross-fitted log-loss, then to the simpler one.

    Returns:
        The name of the calibration ("none", "batch", "fitted") and its bias [k], fitted on all n.
    """
    fits: dict[str, Callable[[Array, Gold], Array]] = {
        "none": lambda logp, gold: np.zeros(logp.shape[1]),
        "batch": lambda logp, gold: batch_bias(logp),
        "fitted": fitted_bias,
    }
    ranked = []
    for order, (name, fit) in enumerate(fits.items()):
        q = _cross_fitted(logp, gold, fit)
        right = int((q.argmax(axis=1) == gold).sum())
        ranked.append((-right, float(-q[np.arange(len(gold)), gold].mean()), order, name))
    best = min(ranked)[-1]
    return best, fits[best](logp, gold)


def fitted_bias(logp: Array, gold: Gold) -> Array:
    """Give the bias that decides as scale and bias fitted together do, [k], mean zero."""
    scale, bias = fit_scaled_bias(logp, gold)
    return bias / scale


def split_score(logp: Array, gold: Gold, bias: Array) -> Score:
    """Score calibrated answers on a split; the most probable label answers, ties to the first."""
    q = apply_bias(np.maximum(logp, -1e3), bias)
    n = len(gold)
    n_correct = int((q.argmax(axis=1) == gold).sum())
    interval = wilson(n_correct, n)
    return Score(
        n=n,
        n_correct=n_correct,
        accuracy=n_correct / n,
        low=interval.low,
        high=interval.high,
        log_loss=float(-q[np.arange(n), gold].mean()),
    )


def _cross_fitted(logp: Array, gold: Gold, fit: Callable[[Array, Gold], Array]) -> Array:
    n = len(gold)
    q = np.empty_like(logp)
    folds = np.arange(n) % min(_FOLDS, n)
    for fold in range(min(_FOLDS, n)):
        held, rest = folds == fold, folds != fold
        bias = fit(logp[rest], gold[rest]) if rest.any() else np.zeros(logp.shape[1])
        q[held] = apply_bias(np.maximum(logp[held], -1e3), bias)
    return q
