"""What accuracy sampled answers must have: in closed form, and beside it what was sampled.

Given the probability that each example's answer will be correct, no draw is needed to know the
accuracy at a temperature. The draws then check the decoder: the sampled accuracy has to lie near
the expected one. It owns the sums; the probabilities come from the rows.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_ROUNDING = 1e-9


class Expected(NamedTuple):
    """The accuracy to expect of drawn answers: its mean, and its standard deviation over redraws.

    The examples are held fixed, so `sd` says how far a redraw moves the accuracy, not how far the
    accuracy is known.
    """

    mean: float
    sd: float


class Check(NamedTuple):
    """A sampled accuracy beside the expected one.

    expected: the closed form.
    accuracy: what was sampled.
    z: (accuracy - expected.mean) / expected.sd; at sd 0 it is 0 where they agree, else infinite.
    inside: whether the expectation lies in the normal interval of that sd around the accuracy.
    """

    expected: Expected
    accuracy: float
    z: float
    inside: bool


def expected_accuracy(p_correct: Sequence[float] | Array, n_draws: int = 1) -> Expected:
    """Give mean and standard deviation of the accuracy of `n_draws` answers for each example.

    The number of correct answers is a sum of independent Bernoulli variables with different p
    (Poisson binomial), so the accuracy has mean sum(p) / n and standard deviation
    sqrt(sum(p (1 - p)) / n_draws) / n.

    Args:
        p_correct: [n], n at least 1, each in [0, 1]: an example's probability of a correct answer.
        n_draws: answers drawn for each example, at least 1, independently.

    Raises:
        ValueError: no examples, a value outside [0, 1] (NaN, which `generate` has, included), or
            fewer than one draw.
    """
    p = np.asarray(p_correct, dtype=np.float64)
    if p.ndim != 1 or len(p) == 0 or n_draws < 1:
        raise ValueError(
            f"an expected accuracy needs examples along one axis and at least one draw, not the "
            f"shape {p.shape} and {n_draws}"
        )
    outside = np.flatnonzero(~((p >= 0) & (p <= 1 + _ROUNDING)))
    if len(outside) > 0:
        raise ValueError(f"p_correct lies in [0, 1]; number {outside[0]} is {p[outside[0]]}")
    p = np.minimum(p, 1.0)
    return Expected(float(p.mean()), math.sqrt(float((p * (1 - p)).sum()) / n_draws) / len(p))


def check_sampled(
    p_correct: Sequence[float] | Array,
    accuracy: float,
    n_draws: int = 1,
    confidence: float = 0.95,
) -> Check:
    """Tell whether a sampled accuracy agrees with the closed form.

    The interval is normal, without continuity correction, with the standard deviation over
    redraws. It covers about as often as it says once sum(p (1 - p)) * n_draws is 10 or more. Where
    nearly every p is 0 or 1 few accuracies are possible at all, and coverage lies anywhere from
    about 90 to 100 %. With sd 0 every redraw gives the same accuracy: the expectation is inside
    exactly when the two are equal, but for rounding (1e-9).

    Args:
        p_correct: as in `expected_accuracy`.
        accuracy: of the drawn answers of these very examples, in [0, 1].
        n_draws: as in `expected_accuracy`.
        confidence: strictly between 0 and 1.

    Raises:
        ValueError: an argument outside its range.
    """
    if not 0 <= accuracy <= 1 or not 0 < confidence < 1:
        raise ValueError(
            f"need an accuracy in [0, 1] and a confidence strictly between 0 and 1, not {accuracy} "
            f"and {confidence}"
        )
    expected = expected_accuracy(p_correct, n_draws)
    gap = accuracy - expected.mean
    if expected.sd > 0:
        z = gap / expected.sd
    else:
        z = 0.0 if abs(gap) <= _ROUNDING else math.copysign(math.inf, gap)
    return Check(expected, accuracy, z, abs(z) <= NormalDist().inv_cdf((1 + confidence) / 2))


def tempered(log_p: Sequence[Sequence[float]] | Array, temperature: float | Array) -> Array:
    """Give softmax(log_p / temperature) over the labels, [n, k], rows summing to 1.

    It is the constrained decoder's distribution only where the labels' answers differ in their
    first token: later tokens are then certain. Otherwise each token is drawn at the temperature in
    turn, which is another distribution.

    Args:
        log_p: [n, k], k at least 1, log-probabilities or anything that differs from them by a
            constant in each row. Minus infinity is a label that cannot be drawn; a row has at
            least one that can.
        temperature: one for all rows, or [n]; finite, at least 0. At 0 the greatest has
            probability 1, the first of equals.

    Raises:
        ValueError: another shape, NaN or plus infinity, a row of minus infinity throughout, or a
            temperature out of range.
    """
    scores = np.asarray(log_p, dtype=np.float64)
    if scores.ndim != 2 or scores.shape[1] == 0:
        raise ValueError(f"log-probabilities have the shape [n, k], not {scores.shape}")
    t = np.broadcast_to(np.asarray(temperature, dtype=np.float64), scores.shape[:1])
    if not ((t >= 0) & (t < math.inf)).all():
        raise ValueError(f"a temperature is finite and at least 0, not {temperature}")
    if not np.isfinite(scores.max(axis=1)).all():
        raise ValueError("every row needs a finite greatest log-probability, and no NaN")
    is_cold = t == 0
    with np.errstate(over="ignore"):  # a gap beyond any float is a probability of 0
        gaps = scores - scores.max(axis=1, keepdims=True)
        weights = np.exp(gaps / np.where(is_cold, 1.0, t)[:, None])
    shares: Array = weights / weights.sum(axis=1, keepdims=True)
    shares[is_cold] = np.eye(scores.shape[1])[scores[is_cold].argmax(axis=1)]
    return shares
