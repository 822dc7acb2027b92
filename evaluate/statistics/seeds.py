"""The spread of an accuracy over seeds: how much of it is the luck of the draw.

It owns four numbers. What a seed moves (the draws alone, or the search as well) is known to the
caller, who has to say it beside them.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Spread(NamedTuple):
    """Accuracies of several seeds: their number, mean, standard deviation, least and greatest.

    sd: with n - 1 in the denominator; NaN for one seed, whose spread is unknown and not 0.
    """

    n: int
    mean: float
    sd: float
    least: float
    greatest: float


def seed_spread(accuracies: Sequence[float]) -> Spread:
    """Summarise one accuracy per seed.

    Args:
        accuracies: at least one, each finite.

    Raises:
        ValueError: none, or one that is not finite.
    """
    values = np.asarray(accuracies, dtype=np.float64)
    if values.ndim != 1 or len(values) == 0:
        raise ValueError(f"a spread needs the accuracy of at least one seed, not {accuracies!r}")
    if not np.isfinite(values).all():
        raise ValueError(f"accuracies must be finite, not {list(accuracies)}")
    return Spread(
        n=len(values),
        mean=float(values.mean()),
        sd=float(values.std(ddof=1)) if len(values) > 1 else math.nan,
        least=float(values.min()),
        greatest=float(values.max()),
    )
