"""Reliability: is an answer given with 80 % confidence right 80 % of the time?

It owns the bins of the reliability diagram and their one-number summary, the ECE. Scores that need
no bins belong to `scores`.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from modules.wilson import Interval, wilson

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]

_ROUNDING = 1e-9


class Bin(NamedTuple):
    """One bin of a reliability diagram: confidences over `low` up to and including `high`.

    The first bin holds 0 as well. `confidence` and `accuracy` are means over the bin's n answers
    and `interval` the 95 % Wilson interval of its accuracy; all are NaN where n is 0.
    """

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float
    interval: Interval


def reliability_bins(
    confidence: Sequence[float] | Array, correct: Sequence[bool] | Bools, n_bins: int = 10
) -> tuple[Bin, ...]:
    """Sort answers by confidence into bins of equal width over [0, 1].

    The bins start at 0, not at 1 / (number of labels): an answer drawn at a temperature need not be
    the most probable one, so its confidence can be lower than that.

    Args:
        confidence: [n], each in [0, 1]: the probability of the answer that was given. Answers
            without one (NaN) are the caller's to leave out and to count.
        correct: [n].
        n_bins: at least 1.

    Returns:
        All bins in rising order, the empty ones too; without answers all are empty.

    Raises:
        ValueError: two lengths, a confidence outside [0, 1] or NaN, or no bin.
    """
    p, right = np.asarray(confidence, dtype=np.float64), np.asarray(correct, dtype=bool)
    if p.ndim != 1 or p.shape != right.shape or n_bins < 1:
        raise ValueError(
            f"need one confidence per answer and at least one bin, not the shapes {p.shape} and "
            f"{right.shape} and {n_bins} bins"
        )
    outside = np.flatnonzero(~((p >= 0) & (p <= 1 + _ROUNDING)))
    if len(outside) > 0:
        raise ValueError(f"a confidence lies in [0, 1]; number {outside[0]} is {p[outside[0]]}")
    edges = np.arange(n_bins + 1) / n_bins
    places = np.searchsorted(edges[1:-1], p, side="left")
    return tuple(
        _bin(edges[at], edges[at + 1], p[places == at], right[places == at]) for at in range(n_bins)
    )


def calibration_error(bins: Sequence[Bin]) -> float:
    """Give the expected calibration error (ECE), in [0, 1]; 0 is best.

    It is the mean of |accuracy - confidence| over the bins, weighted by their n (Guo et al., 2017,
    On Calibration of Modern Neural Networks, equation 3). It depends on the bins, and with few
    answers it is biased upwards: noise alone makes it positive.

    Args:
        bins: as `reliability_bins` gives them. Without any answer the ECE is NaN.
    """
    n = sum(one.n for one in bins)
    if n == 0:
        return math.nan
    return math.fsum(one.n * abs(one.accuracy - one.confidence) for one in bins if one.n > 0) / n


def _bin(low: float, high: float, p: Array, right: Bools) -> Bin:
    n = len(p)
    if n == 0:
        return Bin(float(low), float(high), 0, math.nan, math.nan, Interval(math.nan, math.nan))
    n_right = int(right.sum())
    return Bin(float(low), float(high), n, float(p.mean()), n_right / n, wilson(n_right, n))
