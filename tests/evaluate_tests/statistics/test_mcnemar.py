"""McNemar's test against binomial sums by hand, and its size by exact enumeration."""

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from evaluate.statistics import mcnemar


@pytest.mark.parametrize(
    ("counts", "exact", "mid_p"),
    [
        # (10, 1/2): P(0) = 1/1024, P(1) = 10/1024, P(2) = 45/1024.
        pytest.param((0, 10), 2 / 1024, 1 / 1024, id="none-of-10"),
        pytest.param((1, 9), 22 / 1024, 12 / 1024, id="1-of-10"),
        pytest.param((8, 2), 112 / 1024, 67 / 1024, id="2-of-10"),
        # (3, 1/2): P(0) + P(1) = 4/8, twice that is 1; mid-p has 1 - 3/8.
        pytest.param((1, 2), 1.0, 5 / 8, id="1-of-3"),
        pytest.param((0, 1), 1.0, 1 / 2, id="one"),
        pytest.param((4, 4), 1.0, 1.0, id="equal"),
        pytest.param((0, 0), 1.0, 1.0, id="none"),
    ],
)
def test_by_hand(counts: tuple[int, int], exact: float, mid_p: float) -> None:
    assert mcnemar(*counts) == pytest.approx((exact, mid_p), rel=1e-12)
    assert mcnemar(*reversed(counts)) == mcnemar(*counts)


@given(st.integers(0, 60), st.integers(0, 60))
def test_against_whole_numbers(n_only_a: int, n_only_b: int) -> None:
    m, x = n_only_a + n_only_b, min(n_only_a, n_only_b)
    up_to = sum(comb(m, i) for i in range(x + 1))
    exact = min(1.0, 2 * up_to / 2**m)
    # at equal counts the two tails share the observed one: 1, as of any distribution's middle
    mid_p = (2 * up_to - comb(m, x)) / 2**m
    assert mcnemar(n_only_a, n_only_b) == pytest.approx((exact, mid_p), rel=1e-9)


def test_large_counts() -> None:
    # The normal approximation at 5,000 against 5,200: z = (200 - 1) / sqrt(10,200) = 1.9704,
    # whose two-sided p-value is 0.0488 (exact), and without the 1, z = 1.9803, 0.0477 (mid-p).
    assert mcnemar(5_000, 5_200) == pytest.approx((0.0488, 0.0477), abs=1e-4)


@pytest.mark.parametrize(("n", "discordance"), [(100, 0.2), (100, 0.4), (200, 0.1)])
def test_size(n: int, discordance: float) -> None:
    # Under equal accuracy the discordant examples are binomial (n, d), and the first count
    # binomial (m, 1/2). The exact test keeps alpha at every m, mid-p is near it over all of them.
    alphas = np.array([0.01, 0.05, 0.1])
    size = np.zeros((2, 3))
    for m in range(n + 1):
        p_values = np.array([mcnemar(x, m - x) for x in range(m + 1)])
        p_x = binom.pmf(np.arange(m + 1), m, 0.5)
        rejected = np.einsum("x,xta->ta", p_x, p_values[:, :, None] <= alphas)
        assert (rejected[0] <= alphas + 1e-12).all()
        size += binom.pmf(m, n, discordance) * rejected
    exact, mid_p = size
    assert (exact < mid_p).all()
    assert ((0.8 * alphas <= mid_p) & (mid_p <= 1.05 * alphas)).all()


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot be negative, not -1 and 3"):
        mcnemar(-1, 3)
