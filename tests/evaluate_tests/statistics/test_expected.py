"""Expected accuracy against enumeration and simulation, and the tempered softmax by hand."""

import itertools
import math
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from evaluate.statistics import check_sampled, expected_accuracy, tempered

Array = NDArray[np.float64]


def test_by_hand() -> None:
    # 1/2 and 1: mean 3/4; variance (1/4 + 0) / 2^2 = 1/16.
    assert expected_accuracy([0.5, 1.0]) == pytest.approx((0.75, 0.25))
    # four draws each: a quarter of the variance
    assert expected_accuracy([0.5, 1.0], n_draws=4) == pytest.approx((0.75, 0.125))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=3), st.integers(1, 3))
def test_against_all_outcomes(p_correct: list[float], n_draws: int) -> None:
    every = [p for p in p_correct for _ in range(n_draws)]
    outcomes = list(itertools.product([0, 1], repeat=len(every)))
    weights = [
        math.prod(p if hit else 1 - p for p, hit in zip(every, hits, strict=True))
        for hits in outcomes
    ]
    accuracies = [sum(hits) / len(every) for hits in outcomes]
    mean = math.fsum(w * x for w, x in zip(weights, accuracies, strict=True))
    variance = math.fsum(w * (x - mean) ** 2 for w, x in zip(weights, accuracies, strict=True))
    result = expected_accuracy(p_correct, n_draws)
    assert result.mean == pytest.approx(mean, abs=1e-12)
    assert result.sd**2 == pytest.approx(variance, abs=1e-12)


def test_the_check_by_hand() -> None:
    # 100 fair coins: mean 1/2, sd 1/20, so 0.598 is 1.96 standard deviations away.
    assert check_sampled([0.5] * 100, 0.6).z == pytest.approx(2.0)
    assert [check_sampled([0.5] * 100, x).inside for x in (0.39, 0.41, 0.59, 0.61)] == [
        False,
        True,
        True,
        False,
    ]
    assert check_sampled([0.5] * 100, 0.61, confidence=0.99).inside
    assert not check_sampled([0.5] * 100, 0.59, n_draws=4).inside


@pytest.mark.parametrize(
    ("accuracy", "z", "inside"),
    [(0.75, 0.0, True), (0.5, -math.inf, False), (1.0, math.inf, False)],
)
def test_without_any_spread_only_the_same_accuracy_is_inside(
    accuracy: float, z: float, inside: bool
) -> None:
    result = check_sampled([1.0, 1.0, 0.0, 1.0], accuracy)
    assert (result.z, result.inside) == (z, inside)
    assert result.expected == (0.75, 0.0)


@pytest.mark.parametrize(
    ("p_correct", "n_draws"),
    [
        pytest.param(np.linspace(0.05, 0.95, 100), 1, id="spread"),
        pytest.param(np.linspace(0.5, 1.0, 300), 3, id="three-draws"),
        # sum(p (1 - p)) * n_draws = 1000 * 0.0099 = 9.9
        pytest.param(np.full(1000, 0.99), 1, id="nearly-certain"),
    ],
)
def test_coverage(p_correct: Array, n_draws: int) -> None:
    # Bounds: 95 % within 2 points; 4,000 redraws leave 0.34 as a standard error. The accuracy is a
    # multiple of 1 / (n * n_draws), so the true coverage is not 95 % exactly.
    rng = np.random.default_rng(2)
    drawn = rng.binomial(n_draws, p_correct, size=(4_000, len(p_correct)))
    inside = [
        check_sampled(p_correct, accuracy, n_draws).inside
        for accuracy in drawn.sum(axis=1) / (n_draws * len(p_correct))
    ]
    assert 0.93 <= np.mean(inside) <= 0.97


def test_a_decoder_at_another_temperature_is_found() -> None:
    # Log-odds 0.5 at 1,000 examples: p = 0.622 at T = 1, 0.777 at T = 0.4; sd 0.015.
    log_p = np.tile([0.5, 0.0], (1000, 1))
    hot, cold = (tempered(log_p, t)[:, 0] for t in (1.0, 0.4))
    drawn = (np.random.default_rng(0).random(1000) < cold).mean()
    assert check_sampled(cold, drawn).inside
    assert check_sampled(hot, drawn).z > 6


def test_tempered_by_hand() -> None:
    # 1/5 and 4/5 at T = 1/2: squares 1/25 and 16/25, so 1/17 and 16/17; at T = 2 roots 1 and 2.
    log_p = np.log([[0.2, 0.8]])
    assert tempered(log_p, 0.5)[0] == pytest.approx([1 / 17, 16 / 17])
    assert tempered(log_p, 1.0)[0] == pytest.approx([0.2, 0.8])
    assert tempered(log_p, 2.0)[0] == pytest.approx([1 / 3, 2 / 3])


@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.0, 3.0])
def test_tempered_is_the_softmax_of_the_divided_logarithms(temperature: float) -> None:
    p = [0.5, 0.3, 0.2]
    powers = [part ** (1 / temperature) for part in p]
    (found,) = tempered(np.log([p]), temperature).tolist()
    assert found == pytest.approx([part / sum(powers) for part in powers])


def test_each_row_may_have_a_temperature_of_its_own() -> None:
    log_p = np.log([[0.2, 0.8], [0.3, 0.7], [0.6, 0.4]])
    each = [tempered(log_p[n : n + 1], t)[0].tolist() for n, t in enumerate((0.5, 0.0, 2.0))]
    assert tempered(log_p, np.array([0.5, 0.0, 2.0])).tolist() == each
    with pytest.raises(ValueError, match="finite and at least 0"):
        tempered(log_p, np.array([0.5, -1.0, 2.0]))


def test_tempered_at_its_ends() -> None:
    rows = np.array([[-1.0, -1.0, -3.0], [-2000.0, -1.0, -math.inf]])
    assert tempered(rows, 0.0).tolist() == [[1, 0, 0], [0, 1, 0]]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert tempered(rows, 1e-310).tolist() == [[0.5, 0.5, 0], [0, 1, 0]]
    assert tempered(rows, 1e9)[1].tolist() == pytest.approx([0.5, 0.5, 0], abs=1e-5)
    assert tempered(rows + 5000, 0.7) == pytest.approx(tempered(rows, 0.7))
    assert tempered(np.empty((0, 2)), 1.0).shape == (0, 2)


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match=r"lies in \[0, 1\]; number 1 is nan"):
        expected_accuracy([0.5, math.nan])
    with pytest.raises(ValueError, match=r"number 0 is 1\.5"):
        check_sampled([1.5], 1.0)
    with pytest.raises(ValueError, match=r"shape \(0,\) and 1"):
        expected_accuracy([])
    with pytest.raises(ValueError, match=r"shape \(1,\) and 0"):
        expected_accuracy([0.5], n_draws=0)
    with pytest.raises(ValueError, match=r"accuracy in \[0, 1\]"):
        check_sampled([0.5], math.nan)
    with pytest.raises(ValueError, match=r"have the shape \[n, k\], not \(2,\)"):
        tempered(np.zeros(2), 1.0)
    with pytest.raises(ValueError, match="finite and at least 0, not -1"):
        tempered([[0.0]], -1.0)
    with pytest.raises(ValueError, match="not nan"):
        tempered([[0.0]], math.nan)
    with pytest.raises(ValueError, match="finite greatest log-probability, and no NaN"):
        tempered([[0.0, math.nan]], 1.0)
    with pytest.raises(ValueError, match="finite greatest log-probability, and no NaN"):
        tempered([[-math.inf, -math.inf]], 1.0)
