"""The n for a wanted interval width, against a walk over every n."""

import math

import pytest

from evaluate.statistics import n_for_half_width
from modules.wilson import wilson


def _half(n: int, accuracy: float, confidence: float) -> float:
    low, high = wilson(round(accuracy * n), n, confidence)
    return (high - low) / 2


def test_none_right_by_hand() -> None:
    # At p = 0 the interval is [0, z^2 / (n + z^2)]: half of it is at most w from
    # n = z^2 (1 / (2 w) - 1) on; z^2 = 3.8415, w = 0.05: 34.57.
    assert n_for_half_width(0.05, 0.0) == n_for_half_width(0.05, 1.0) == 35


def test_about_the_normal_formula_when_n_is_large() -> None:
    # 1.96^2 * 0.25 / 0.01^2 = 9604, less z^2 for the Wilson interval: 9600.2; rounding of the
    # successes does not matter at one half
    assert n_for_half_width(0.01, 0.5) == pytest.approx(9601, abs=1)


@pytest.mark.parametrize("accuracy", [0.0, 0.03, 0.5, 0.83, 0.9, 0.999, 1.0])
@pytest.mark.parametrize("width", [0.02, 0.0437, 0.11, 0.3])
@pytest.mark.parametrize("confidence", [0.95, 0.2])
def test_the_guarantee(width: float, accuracy: float, confidence: float) -> None:
    n = n_for_half_width(width, accuracy, confidence)
    enough = [_half(m, accuracy, confidence) <= width for m in range(1, 3 * n + 200)]
    assert all(enough[n - 1 :])
    assert n == 1 or not enough[n - 2]


def test_some_smaller_n_may_do_by_luck_of_rounding() -> None:
    # 90 % of 54 is 48.6 and counts as 49, nearer to all of them; 90 % of 56 and 57 counts as 50, 51
    assert [_half(n, 0.9, 0.95) <= 0.08 for n in range(53, 60)] == [
        *(False, True, True, False, False, True, True)
    ]
    assert n_for_half_width(0.08, 0.9) == 58


@pytest.mark.parametrize(
    "settings",
    [(0.0, 0.9, 0.95), (0.5, 0.9, 0.95), (0.1, 1.1, 0.95), (0.1, 0.9, 1.0), (math.nan, 0.9, 0.95)],
)
def test_what_is_refused(settings: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match=f"half-width strictly .* not {settings[0]}"):
        n_for_half_width(*settings)
