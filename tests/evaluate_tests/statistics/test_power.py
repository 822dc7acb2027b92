"""Power and sizes by hand, against each other, and against exact enumeration."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from evaluate.statistics import mcnemar, mcnemar_power, n_for_difference, smallest_difference


def test_connors_formula_by_hand() -> None:
    # d = 0.2, delta = 0.1, tables: z = 1.96 and 0.8416. 1.96 * 0.44721 + 0.8416 * 0.43589 =
    # 0.87654 + 0.36685 = 1.24339; its square over 0.01 is 154.6.
    assert n_for_difference(0.1, 0.2) == n_for_difference(-0.1, 0.2) == 155
    # d = 1, delta = 1: 1.96^2 = 3.84
    assert n_for_difference(1.0, 1.0) == 4
    # level 1 %, power 90 %: 2.5758 * 0.44721 + 1.2816 * 0.43589 = 1.71055; squared / 0.01 = 292.6
    assert n_for_difference(0.1, 0.2, alpha=0.01, power=0.9) == 293


def test_power_by_hand() -> None:
    # (10 * 0.1 - 1.96 * 0.44721) / 0.43589 = 0.28324, whose normal share is 0.6115
    assert mcnemar_power(100, 0.2, 0.1) == pytest.approx(0.6115, abs=1e-4)
    assert mcnemar_power(100, 0.2, 0.0) == pytest.approx(0.05)
    assert mcnemar_power(100, 0.2, -0.1) == mcnemar_power(100, 0.2, 0.1)
    assert mcnemar_power(100, 0.0, 0.0) == 0.0
    assert (mcnemar_power(3, 1.0, 1.0), mcnemar_power(4, 1.0, 1.0)) == (0.0, 1.0)


def test_a_root_of_the_squared_formula_alone_is_none() -> None:
    # z = 2.5758 and 1.1503: at n = 6 the root is 0.992, but 0.992 sqrt(6) = 2.43 is below 2.5758;
    # at n = 7, above 2.5758^2 = 6.63, it solves the formula
    assert math.isnan(smallest_difference(6, 1.0, alpha=0.01, power=0.875))
    smallest = smallest_difference(7, 1.0, alpha=0.01, power=0.875)
    shift = smallest * math.sqrt(7) - 2.5758
    assert shift == pytest.approx(1.1503 * math.sqrt(1 - smallest**2), abs=1e-3)


@given(st.floats(0.02, 1), st.floats(0.05, 1), st.sampled_from([0.01, 0.05]), st.floats(0.5, 0.99))
def test_the_three_are_one_formula(d: float, share: float, alpha: float, power: float) -> None:
    delta = d * share
    n = n_for_difference(delta, d, alpha, power)
    if delta < 1:
        assert mcnemar_power(n, d, delta, alpha) >= power - 1e-9
    smallest = smallest_difference(n, d, alpha, power)
    assert smallest <= delta * (1 + 1e-9)
    # one example fewer is not enough for the same difference
    if n > 1:
        fewer = smallest_difference(n - 1, d, alpha, power)
        assert math.isnan(fewer) or fewer >= delta * (1 - 1e-9)


@pytest.mark.parametrize(
    ("n", "d"),
    [
        pytest.param(10, 0.2, id="too-few"),
        pytest.param(1, 1.0, id="no-real-root"),
        pytest.param(100, 0.0, id="no-discordance"),
    ],
)
def test_where_no_difference_can_be_found_it_is_nan(n: int, d: float) -> None:
    assert math.isnan(smallest_difference(n, d))


def test_the_greatest_difference_by_hand() -> None:
    # at delta = d = 0.2: 1.96 * 0.44721 + 0.8416 * 0.4 = 1.21318; its square over 0.04 is 36.8
    assert n_for_difference(0.2, 0.2) == 37
    assert math.isnan(smallest_difference(36, 0.2))
    assert 0.199 < smallest_difference(37, 0.2) < 0.2


def _exact_power(n: int, d: float, delta: float) -> tuple[float, float]:
    """Add up the tables on which each test rejects at 5 %: exact and mid-p."""
    power = np.zeros(2)
    for m in range(1, n + 1):
        p_values = np.array([mcnemar(x, m - x) for x in range(m + 1)])
        p_x = binom.pmf(np.arange(m + 1), m, (1 + delta / d) / 2)
        power += binom.pmf(m, n, d) * (p_x @ (p_values <= 0.05))
    return float(power[0]), float(power[1])


@pytest.mark.parametrize(
    ("n", "d", "delta", "points"),
    [(50, 0.2, 0.1, 3), (100, 0.2, 0.1, 1), (150, 0.2, 0.1, 1), (200, 0.3, 0.1, 1)],
)
def test_power_against_enumeration(n: int, d: float, delta: float, points: float) -> None:
    exact, mid_p = _exact_power(n, d, delta)
    approximate = mcnemar_power(n, d, delta)
    assert abs(approximate - mid_p) <= points / 100
    assert approximate - 0.11 <= exact < mid_p


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match=r"within the discordance 0\.1, not 10 and 0\.2"):
        mcnemar_power(10, 0.1, 0.2)
    with pytest.raises(ValueError, match="not 0 and"):
        mcnemar_power(0, 0.1, 0.1)
    with pytest.raises(ValueError, match="not 5 and nan"):
        mcnemar_power(5, 0.1, math.nan)
    with pytest.raises(ValueError, match=r"discordance lies in \[0, 1\], not 1\.5"):
        n_for_difference(0.1, 1.5)
    for delta in (0.0, 0.3, math.nan):
        with pytest.raises(ValueError, match=f"above 0 and within .* not {delta}"):
            n_for_difference(delta, 0.2)
    with pytest.raises(ValueError, match=r"not 0\.05 and 0\.4"):
        smallest_difference(10, 0.2, power=0.4)
    with pytest.raises(ValueError, match=r"not 1\.0 and 0\.8"):
        smallest_difference(10, 0.2, alpha=1.0)
    with pytest.raises(ValueError, match="at least one example, not n = 0"):
        smallest_difference(0, 0.2)
