"""Proper scores of probabilities: the Brier score and the log-loss.

It owns scores that are best, on average, for the true probabilities and for nothing else. How
confidence and accuracy go together in detail belongs to `reliability`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

FLOOR = 1e-15
"""The least probability that `log_loss` takes a gold label to have."""

_ROUNDING = 1e-6


def brier_score(probabilities: Sequence[Sequence[float]] | Array, gold: Sequence[int]) -> float:
    """Give the multi-class Brier score, in [0, 2]; 0 is best, and guessing k labels has 1 - 1/k.

    It is the mean over examples of the sum over labels of (p - y)^2, with y 1 for the gold label
    and else 0 (G. W. Brier, 1950, Monthly Weather Review 78, 1-3). For two labels that is twice
    the score that is common for binary problems.

    Args:
        probabilities: [n, k], n and k at least 1, each row of probabilities that sum to 1 but for
            rounding (1e-6).
        gold: [n], the gold labels' indices, each from 0 to k - 1.

    Raises:
        ValueError: shapes that do not fit, a row that is no distribution, or an index out of range.
    """
    p, labels = np.asarray(probabilities, dtype=np.float64), np.asarray(gold)
    if p.ndim != 2 or 0 in p.shape or labels.shape != p.shape[:1]:
        raise ValueError(
            f"need probabilities [n, k] and n gold labels, not the shapes {p.shape} and "
            f"{labels.shape}"
        )
    broken = np.flatnonzero(~((p.min(axis=1) >= 0) & (abs(p.sum(axis=1) - 1) <= _ROUNDING)))
    if len(broken) > 0:
        raise ValueError(f"probabilities sum to 1; row {broken[0]} is {p[broken[0]].tolist()}")
    if labels.min() < 0 or labels.max() >= p.shape[1]:
        raise ValueError(f"gold labels are indices from 0 to {p.shape[1] - 1}")
    errors = p.copy()
    errors[np.arange(len(p)), labels] -= 1
    return float((errors**2).sum(axis=1).mean())


def log_loss(p_gold: Sequence[float] | Array, floor: float = FLOOR) -> float:
    """Give the mean of -ln(p), in nats, at least 0; 0 is best, and guessing k labels has ln k.

    One gold label of probability 0 would make it infinite, so a probability below `floor` counts as
    `floor`: at 1e-15 an example costs at most 34.5 nats.

    Args:
        p_gold: [n], n at least 1: the gold label's probability, each in [0, 1].
        floor: strictly between 0 and 1.

    Raises:
        ValueError: no examples, a probability outside [0, 1] or NaN, or a floor out of range.
    """
    p = np.asarray(p_gold, dtype=np.float64)
    if p.ndim != 1 or len(p) == 0 or not 0 < floor < 1:
        raise ValueError(
            f"a log-loss needs probabilities along one axis and a floor strictly between 0 and 1, "
            f"not the shape {p.shape} and {floor}"
        )
    outside = np.flatnonzero(~((p >= 0) & (p <= 1 + _ROUNDING)))
    if len(outside) > 0:
        raise ValueError(f"a probability lies in [0, 1]; number {outside[0]} is {p[outside[0]]}")
    return float(-np.log(p.clip(floor, 1.0)).mean() + 0.0)  # + 0.0: no minus zero
