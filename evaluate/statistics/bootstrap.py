"""The percentile bootstrap over examples: of a mean, and of the difference of two paired means.

It owns the resampling alone. One value stands for one example: whoever has several draws of an
example averages them first, so that examples, not draws, are the unit.

How far the interval can be trusted (Efron and Tibshirani, 1993, chapter 13): its ends are right to
first order, so coverage comes near the nominal one as n grows. From about 50 examples on, with at
least 10 that differ from the most frequent value, simulated coverage at 95 % lies between 93 and
97 %. Below that the interval is too narrow, by the factor sqrt((n - 1) / n) at least.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from modules.wilson import Interval

Array = NDArray[np.float64]

_CHUNK_VALUES = 2_000_000
_FEW = 64


def paired_bootstrap(
    a: Sequence[float] | Array,
    b: Sequence[float] | Array,
    *,
    seed: int,
    n_resamples: int = 10_000,
    confidence: float = 0.95,
) -> Interval:
    """Give the percentile interval of mean(a) - mean(b), both measured on the same examples.

    Examples are resampled in pairs: the interval is that of the mean of a - b.

    Args:
        a: [n], one finite value per example.
        b: [n], in the same order of examples.
        seed: see `bootstrap_mean`.
        n_resamples: see `bootstrap_mean`.
        confidence: see `bootstrap_mean`.

    Returns:
        Both ends, within the range of a - b. One example: NaN at both ends. Equal differences
        throughout: a point, see `bootstrap_mean`.

    Raises:
        ValueError: two lengths, or what `bootstrap_mean` refuses.
    """
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if first.shape != second.shape:
        raise ValueError(f"pairs need equal shapes, not {first.shape} and {second.shape}")
    return bootstrap_mean(first - second, seed=seed, n_resamples=n_resamples, confidence=confidence)


def bootstrap_mean(
    values: Sequence[float] | Array,
    *,
    seed: int,
    n_resamples: int = 10_000,
    confidence: float = 0.95,
) -> Interval:
    """Give the percentile interval of the mean of `values`.

    Args:
        values: [n], finite, one per example, n at least 1.
        seed: of a generator of its own; any whole number, 0 included. Equal arguments give equal
            intervals.
        n_resamples: how often n values are drawn with replacement, at least 1. With 10,000 an end
            moves from seed to seed by about 0.03 standard errors of the mean.
        confidence: strictly between 0 and 1.

    Returns:
        The quantiles (1 - confidence) / 2 and (1 + confidence) / 2 of the resampled means, with
        linear interpolation. One example has no spread: both ends are NaN. Where all values are
        equal, every resample is the same and the interval is that one point; it then says nothing
        about the uncertainty, and a test or a Wilson interval has to.

    Raises:
        ValueError: no values, not one axis, a value that is not finite, or a setting out of range.
    """
    sample = np.asarray(values, dtype=np.float64)
    _check(sample, n_resamples, confidence)
    if len(sample) == 1:
        return Interval(math.nan, math.nan)
    distinct, counts = np.unique(sample, return_counts=True)
    if len(distinct) == 1:
        return Interval(float(distinct[0]), float(distinct[0]))
    rng = np.random.default_rng(seed % 2**64)  # a generator takes no negative seed
    if len(distinct) <= _FEW:
        means = _means_of_few(distinct, counts, n_resamples, rng)
    else:
        means = _means_of_many(sample, n_resamples, rng)
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return Interval(float(low), float(high))


def _means_of_few(
    distinct: Array, counts: NDArray[np.int64], n_resamples: int, rng: np.random.Generator
) -> Array:
    """Give resampled means, [n_resamples]: how often each value comes up is multinomial.

    It is the distribution of `_means_of_many`, at a cost that does not grow with the examples.
    """
    n = int(counts.sum())
    means: Array = rng.multinomial(n, counts / n, size=n_resamples) @ distinct / n
    return means


def _means_of_many(sample: Array, n_resamples: int, rng: np.random.Generator) -> Array:
    """Give resampled means, [n_resamples], in chunks of `_CHUNK_VALUES` drawn values at most."""
    n = len(sample)
    step = max(1, _CHUNK_VALUES // n)
    means = np.empty(n_resamples)
    for start in range(0, n_resamples, step):
        size = min(step, n_resamples - start)
        drawn = rng.integers(0, n, size=(size, n), dtype=np.int32)
        means[start : start + size] = sample[drawn].mean(axis=1)
    return means


def _check(sample: Array, n_resamples: int, confidence: float) -> None:
    if sample.ndim != 1 or len(sample) == 0:
        raise ValueError(f"a bootstrap needs values along one axis, not shape {sample.shape}")
    if not np.isfinite(sample).all():
        at = int(np.flatnonzero(~np.isfinite(sample))[0])
        raise ValueError(f"a bootstrap needs finite values; number {at} is {sample[at]}")
    if n_resamples < 1 or not 0 < confidence < 1:
        raise ValueError(
            "a bootstrap needs at least one resample and a confidence strictly between 0 and 1, "
            f"not {n_resamples} and {confidence}"
        )
