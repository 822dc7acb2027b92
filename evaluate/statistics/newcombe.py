"""Newcombe's interval for the difference of two shares from independent samples.

It owns the formula for independent samples, as dev, confirm and test are. Two prompts on the same
examples are paired: their difference belongs to `bootstrap`.
"""

import math

from modules.wilson import Interval, wilson


def newcombe(
    n_correct_a: int, n_a: int, n_correct_b: int, n_b: int, confidence: float = 0.95
) -> Interval:
    """Give the hybrid score interval of a's share less b's.

    With the shares p, and [l, u] the Wilson interval of each, the ends are
    p_a - p_b - sqrt((p_a - l_a)^2 + (u_b - p_b)^2) and
    p_a - p_b + sqrt((u_a - p_a)^2 + (p_b - l_b)^2): method 10 of R. G. Newcombe, 1998, Statistics
    in Medicine 17, 873-890.

    It knows nothing of a choice made by looking at one of the samples: where a prompt was chosen
    because it did well on dev, the difference to test holds that luck as well, which is what
    shrinkage means.

    Args:
        n_correct_a: successes of the first, from 0 to n_a.
        n_a: trials of the first, at least 1.
        n_correct_b: successes of the second, from 0 to n_b.
        n_b: trials of the second, at least 1.
        confidence: the nominal coverage, strictly between 0 and 1.

    Returns:
        Both ends, here of a difference: -1 <= low <= high <= 1. Exchanging the two samples
        exchanges and negates the ends.

    Raises:
        ValueError: an argument outside its range (see `modules.wilson.wilson`).
    """
    a = wilson(n_correct_a, n_a, confidence)
    b = wilson(n_correct_b, n_b, confidence)
    p_a, p_b = n_correct_a / n_a, n_correct_b / n_b
    low = p_a - p_b - math.hypot(p_a - a.low, b.high - p_b)
    high = p_a - p_b + math.hypot(a.high - p_a, p_b - b.low)
    return Interval(max(-1.0, low), min(1.0, high))
