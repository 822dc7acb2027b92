"""The Wilson interval against the quadratic solved by hand and exact binomial sums."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.wilson import wilson

# The 97.5 % point of the normal distribution, from tables.
Z = 1.959963984540054


@st.composite
def _counts(draw: st.DrawFn) -> tuple[int, int]:
    n = draw(st.integers(1, 5_000))
    return draw(st.integers(0, n)), n


@pytest.mark.parametrize(
    ("n_correct", "low", "high"),
    [
        # p_hat = 0: p^2 = z^2 p (1 - p) / n, so p = 0 or p (n + z^2) = z^2.
        pytest.param(0, 0.0, Z**2 / (10 + Z**2), id="0-of-10"),
        # p_hat = 1: the mirror image.
        pytest.param(10, 10 / (10 + Z**2), 1.0, id="10-of-10"),
        # p_hat = 1/2, d = p - 1/2: d^2 = z^2 (1/4 - d^2) / n, so d = z / (2 sqrt(n + z^2)).
        pytest.param(
            5, 0.5 - Z / (2 * math.sqrt(10 + Z**2)), 0.5 + Z / (2 * math.sqrt(10 + Z**2)), id="half"
        ),
        pytest.param(5, 0.236593, 0.763407, id="half-in-digits"),
    ],
)
def test_by_hand(n_correct: int, low: float, high: float) -> None:
    assert wilson(n_correct, 10) == pytest.approx((low, high), abs=5e-7)


def test_the_ends_are_exact_at_none_and_all() -> None:
    assert wilson(0, 7).low == 0.0
    assert wilson(7, 7).high == 1.0


@given(_counts(), st.sampled_from([(0.5, 0.6744897501960817), (0.95, Z), (0.99, 2.5758293035489)]))
def test_both_ends_solve_the_quadratic(counts: tuple[int, int], level: tuple[float, float]) -> None:
    (n_correct, n), (confidence, z) = counts, level
    for p in wilson(n_correct, n, confidence):
        gap = (n_correct / n - p) ** 2
        assert gap == pytest.approx(z**2 * p * (1 - p) / n, rel=1e-6, abs=1e-12)


@given(_counts())
def test_contains_the_share_and_mirrors(counts: tuple[int, int]) -> None:
    n_correct, n = counts
    interval = wilson(n_correct, n)
    assert 0 <= interval.low <= n_correct / n <= interval.high <= 1
    mirrored = wilson(n - n_correct, n)
    assert interval == pytest.approx((1 - mirrored.high, 1 - mirrored.low), abs=1e-12)


def _coverage(n: int, p: float) -> float:
    """Sum the binomial probabilities of the outcomes whose interval holds p."""
    held = [k for k in range(n + 1) if wilson(k, n).low <= p <= wilson(k, n).high]
    return math.fsum(math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in held)


def test_coverage_at_ten_fair_trials_by_hand() -> None:
    # |k/10 - 1/2| <= z sqrt(1/40) = 0.3099 leaves out k = 0, 1, 9, 10: 22 of 1,024 outcomes.
    assert _coverage(10, 0.5) == pytest.approx(1002 / 1024)


@pytest.mark.parametrize(("n", "p"), [(100, 0.5), (200, 0.9), (500, 0.2), (400, 0.97)])
def test_coverage_is_near_nominal(n: int, p: float) -> None:
    assert _coverage(n, p) == pytest.approx(0.95, abs=0.015)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param((0, 0), "at least one trial, not n = 0", id="n-0"),
        pytest.param((0, -1), "at least one trial", id="n-negative"),
        pytest.param((11, 10), "from 0 to n = 10, not 11", id="too-many"),
        pytest.param((-1, 10), "from 0 to n = 10, not -1", id="negative"),
        pytest.param((5, 10, 1.0), "confidence must lie strictly between 0 and 1", id="level-1"),
        pytest.param((5, 10, 0.0), "confidence must lie strictly between 0 and 1", id="level-0"),
        pytest.param((5, 10, math.nan), "confidence must lie strictly", id="level-nan"),
    ],
)
def test_arguments_outside_their_range(arguments: tuple[int, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        wilson(*arguments)
