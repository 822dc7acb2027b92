"""Precision of one accuracy: how many examples an interval of a wanted width needs.

It owns the search for n. The interval is `modules.wilson`'s; differences of two accuracies belong
to `power`.
"""

import math
from statistics import NormalDist

from modules.wilson import wilson


def n_for_half_width(half_width: float, accuracy: float, confidence: float = 0.95) -> int:
    """Give the smallest n from which on every n has a Wilson interval that is narrow enough.

    An accuracy over n examples is a whole number of successes, so half the interval's width at
    `round(accuracy * n)` of n does not fall steadily: it may be narrow enough at some n and too
    wide again at n + 1. What is guaranteed: at the n returned and at every larger one half the
    width is at most `half_width`, and at n - 1, where n > 1, it is greater.

    Args:
        half_width: strictly between 0 and 0.5, as a fraction.
        accuracy: the one assumed, in [0, 1]. Half needs the most examples.
        confidence: strictly between 0 and 1.

    Raises:
        ValueError: an argument outside its range.
    """
    if not 0 < half_width < 0.5 or not 0 <= accuracy <= 1 or not 0 < confidence < 1:
        raise ValueError(
            "need a half-width strictly between 0 and 0.5, an accuracy in [0, 1] and a confidence "
            f"strictly between 0 and 1, not {half_width}, {accuracy} and {confidence}"
        )
    n = _first_below_the_bound(half_width, accuracy, confidence)
    while n > 1 and _half(n - 1, accuracy, confidence) <= half_width:
        n -= 1
    return n


def _half(n: int, accuracy: float, confidence: float) -> float:
    interval = wilson(round(accuracy * n), n, confidence)
    return (interval.high - interval.low) / 2


def _first_below_the_bound(half_width: float, accuracy: float, confidence: float) -> int:
    """Give the first n whose bound is at most `half_width`; the bound falls, so all later ones are.

    The bound lets the successes be half an example nearer to n / 2 than the accuracy says, which is
    the furthest that rounding goes: x = min(n p + 1/2, n / 2) of n, with p the rarer outcome's
    share. Its square is z^2 (x (n - x) / n + z^2 / 4) / (n + z^2)^2, which falls with n.
    """
    z2 = NormalDist().inv_cdf((1 + confidence) / 2) ** 2
    share = min(accuracy, 1 - accuracy)

    def is_enough(n: int) -> bool:
        x = min(n * share + 0.5, n / 2)
        return math.sqrt(z2 * (x * (n - x) / n + z2 / 4)) / (n + z2) <= half_width

    low, high = 0, 1
    while not is_enough(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_enough(middle) else (middle, high)
    return high
