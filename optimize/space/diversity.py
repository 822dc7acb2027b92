"""Which examples differ most, by the model's hidden states: the order of the diverse demos."""

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def standardised(hidden: NDArray[np.float32]) -> Array:
    """Give hidden states with mean 0 and variance 1 in each dimension, [n, H].

    A few dimensions of a language model are larger than all others by orders of magnitude; without
    this they alone would be the distance.
    """
    centred = hidden.astype(np.float64) - hidden.mean(axis=0, dtype=np.float64)
    spread: Array = np.sqrt((centred**2).mean(axis=0))
    standardised: Array = np.zeros_like(centred)
    np.divide(centred, spread, out=standardised, where=spread > 0)
    return standardised


def farthest_first(states: Array) -> list[int]:
    """Give points in the order of greedy k-centers: each is the farthest from all before it.

    Gonzalez 1985: any beginning of the order covers the points within twice the best possible
    radius. The first is the nearest to the mean; ties go to the earlier point.

    Args:
        states: the points, [n, H], at least one; the distance is Euclidean.
    """
    order = [int(((states - states.mean(axis=0)) ** 2).sum(axis=1).argmin())]
    nearest = np.full(len(states), np.inf)
    while len(order) < len(states):
        nearest = np.minimum(nearest, ((states - states[order[-1]]) ** 2).sum(axis=1))
        nearest[order] = -1.0
        order.append(int(nearest.argmax()))
    return order
