"""Holm's correction: p-values of many comparisons, adjusted so that they can be read one by one.

It owns the adjustment alone. Which comparisons belong to one family is the caller's business.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def holm(p_values: Sequence[float] | Array) -> Array:
    """Give Holm's step-down adjusted p-values, in the order received.

    The i-th smallest of m values, counted from 1, is multiplied by m - i + 1; then each is raised
    to the greatest of those before it, and cut at 1 (S. Holm, 1979, Scandinavian Journal of
    Statistics 6, 65-70). Rejecting where an adjusted value is at most alpha keeps the probability
    of any false rejection at most alpha, whatever the dependence between the tests.

    Args:
        p_values: [m], each in [0, 1].

    Returns:
        A new array, [m], each at least its p-value. Equal p-values get equal adjusted ones. One
        value stays as it is, and none give an empty array.

    Raises:
        ValueError: a value outside [0, 1], NaN included, or not one axis.
    """
    p = np.asarray(p_values, dtype=np.float64)
    if p.ndim != 1:
        raise ValueError(f"p-values lie along one axis, not in the shape {p.shape}")
    outside = np.flatnonzero(~((p >= 0) & (p <= 1)))
    if len(outside) > 0:
        raise ValueError(
            f"a p-value lies in [0, 1]; number {outside[0]} of {len(p)} is {p[outside[0]]}"
        )
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    factors = np.arange(len(p), 0, -1)
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(p[order] * factors))
    return adjusted
