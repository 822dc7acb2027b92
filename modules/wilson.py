"""The Wilson score interval of a share: how far an accuracy over n examples can be trusted.

It owns the formula alone. What counts as one observation is the caller's business (see
`evaluate.summary` for draws that repeat an example).
"""

import math
from statistics import NormalDist
from typing import NamedTuple


class Interval(NamedTuple):
    """Both ends of an interval for a share, 0 <= low <= high <= 1."""

    low: float
    high: float


def wilson(n_correct: int, n: int, confidence: float = 0.95) -> Interval:
    """Give the Wilson score interval of `n_correct` successes in `n` independent trials.

    The ends are the two solutions p of (n_correct / n - p)^2 = z^2 p (1 - p) / n, with z the
    normal quantile of (1 + confidence) / 2, without continuity correction (E. B. Wilson, 1927,
    JASA 22, 209-212). They are the shares that a two-sided score test would not reject.

    Args:
        n_correct: successes, from 0 to n. At 0 the low end is exactly 0, at n the high end
            exactly 1.
        n: trials, at least 1.
        confidence: the nominal coverage, strictly between 0 and 1.

    Raises:
        ValueError: an argument outside its range; n = 0 has no interval, not a wide one.
    """
    if n < 1:
        raise ValueError(f"an interval needs at least one trial, not n = {n}")
    if not 0 <= n_correct <= n:
        raise ValueError(f"n_correct must be from 0 to n = {n}, not {n_correct}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie strictly between 0 and 1, not {confidence}")
    z2 = NormalDist().inv_cdf((1 + confidence) / 2) ** 2
    n_wrong = n - n_correct
    centre = n_correct + z2 / 2
    half = math.sqrt(z2 * (n_correct * n_wrong / n + z2 / 4))
    low = 0.0 if n_correct == 0 else (centre - half) / (n + z2)
    high = 1.0 if n_wrong == 0 else (centre + half) / (n + z2)
    return Interval(max(0.0, low), min(1.0, high))
