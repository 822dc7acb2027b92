"""Holm's correction against a hand-solved case and the step-down procedure itself."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluate.statistics import holm


@pytest.mark.parametrize(
    ("p", "adjusted"),
    [
        # sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1: 0.04, 0.06, 0.06, 0.04 -> raised to 0.06
        pytest.param([0.04, 0.01, 0.03, 0.02], [0.06, 0.04, 0.06, 0.06], id="raised"),
        pytest.param([0.5, 0.001], [0.5, 0.002], id="two"),
        pytest.param([0.4, 0.5, 0.6], [1.0, 1.0, 1.0], id="cut-at-1"),
        # 0.01 * 3 and 0.01 * 2: both raised to 0.03
        pytest.param([0.01, 0.2, 0.01], [0.03, 0.2, 0.03], id="ties"),
        pytest.param([0.0, 1.0], [0.0, 1.0], id="ends"),
        pytest.param([0.03], [0.03], id="one"),
        pytest.param([], [], id="none"),
    ],
)
def test_by_hand(p: list[float], adjusted: list[float]) -> None:
    assert holm(p).tolist() == pytest.approx(adjusted)


def _rejected(p: list[float], alpha: float) -> set[int]:
    """Step down: reject the smallest while it is at most alpha / (number left), then stop."""
    left = sorted(range(len(p)), key=lambda i: p[i])
    rejected = set()
    while left and p[left[0]] * len(left) <= alpha:
        rejected.add(left.pop(0))
    return rejected


@given(
    st.lists(st.integers(0, 1000).map(lambda i: i / 1000), max_size=8),
    st.sampled_from([0.0105, 0.0505, 0.2005]),
)
def test_it_rejects_what_the_procedure_rejects(p: list[float], alpha: float) -> None:
    # p * m is a multiple of 0.001 and alpha is not, so that no comparison hangs on rounding
    assert {i for i, value in enumerate(holm(p)) if value <= alpha} == _rejected(p, alpha)


def test_the_input_is_left_alone() -> None:
    p = np.array([0.2, 0.1])
    holm(p)
    assert p.tolist() == [0.2, 0.1]


@pytest.mark.parametrize("bad", [math.nan, -0.1, 1.1, math.inf])
def test_what_is_no_p_value_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match=rf"in \[0, 1\]; number 1 of 2 is {bad}"):
        holm([0.5, bad])
    with pytest.raises(ValueError, match=r"not in the shape \(1, 1\)"):
        holm(np.array([[0.5]]))
