"""Newcombe's interval against his published examples, and its coverage by simulation."""

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluate.statistics import newcombe
from modules.wilson import Interval

# The square of the 97.5 % point of the normal distribution.
Z2 = 1.959963984540054**2


@pytest.mark.parametrize(
    ("counts", "low", "high"),
    [
        # R. G. Newcombe, 1998, Statistics in Medicine 17, table II, method 10.
        pytest.param((56, 70, 48, 80), 0.0524, 0.3339, id="56/70-48/80"),
        pytest.param((9, 10, 3, 10), 0.1705, 0.8090, id="9/10-3/10"),
        pytest.param((5, 56, 0, 29), -0.0381, 0.1926, id="5/56-0/29"),
        pytest.param((10, 10, 0, 20), 0.6791, 1.0, id="10/10-0/20"),
    ],
)
def test_published(counts: tuple[int, int, int, int], low: float, high: float) -> None:
    assert newcombe(*counts) == pytest.approx((low, high), abs=6e-5)


def test_all_against_none_by_hand() -> None:
    # Wilson at n of n is [n / (n + z^2), 1], so each side is short by z^2 / (n + z^2).
    low, high = newcombe(10, 10, 0, 30)
    short = math.hypot(Z2 / (10 + Z2), Z2 / (30 + Z2))
    assert (low, high) == pytest.approx((1 - short, 1.0))


@given(st.integers(1, 50), st.integers(1, 50), st.data())
def test_it_mirrors_and_holds_the_difference(n_a: int, n_b: int, data: st.DataObject) -> None:
    a, b = data.draw(st.integers(0, n_a)), data.draw(st.integers(0, n_b))
    interval = newcombe(a, n_a, b, n_b)
    assert -1 <= interval.low <= a / n_a - b / n_b <= interval.high <= 1
    mirrored = newcombe(b, n_b, a, n_a)
    assert interval == pytest.approx((-mirrored.high, -mirrored.low))


@pytest.mark.parametrize(
    ("n_a", "p_a", "n_b", "p_b"),
    [(100, 0.8, 100, 0.8), (300, 0.9, 300, 0.85), (60, 0.7, 100, 0.6)],
    ids=["equal", "dev-confirm", "small"],
)
def test_coverage(n_a: int, p_a: float, n_b: int, p_b: float) -> None:
    # Bounds: 95 % within 2 points, of which 10,000 sets leave 0.2 as a standard error. The counts
    # are discrete, so the true coverage is not 95 % exactly.
    ends = cache(lambda a, b: newcombe(a, n_a, b, n_b))
    rng = np.random.default_rng(3)
    pairs = zip(rng.binomial(n_a, p_a, 10_000), rng.binomial(n_b, p_b, 10_000), strict=True)
    drawn: list[Interval] = [ends(int(a), int(b)) for a, b in pairs]
    assert 0.93 <= np.mean([low <= p_a - p_b <= high for low, high in drawn]) <= 0.97


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one trial, not n = 0"):
        newcombe(0, 0, 1, 2)
    with pytest.raises(ValueError, match="from 0 to n = 2, not 3"):
        newcombe(1, 2, 3, 2)
