"""The fitted bias against closed forms and a slow search."""

import numpy as np
import pytest
from numpy.typing import NDArray

from modules.prompts import apply_bias, batch_bias, fit_bias
from modules.prompts.calibration import log_softmax


def _example(n: int, k: int, seed: int = 0) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    draws = np.random.default_rng(seed)
    logp = log_softmax(draws.normal(size=(n, k)) * 2)
    return logp, draws.integers(0, k, n)


def _loss(logp: NDArray[np.float64], gold: NDArray[np.int64], bias: NDArray[np.float64], s: float):
    """The penalised log-loss, one example at a time."""
    total = s / 2 * sum(b * b for b in bias)
    for row, label in zip(logp, gold, strict=True):
        scores = [np.exp(x + b) for x, b in zip(row, bias, strict=True)]
        total -= np.log(scores[label] / sum(scores))
    return total


def test_without_evidence_in_the_model_the_bias_is_the_log_odds_of_the_classes() -> None:
    # Equal probabilities everywhere: the intercept alone must give the class frequencies 3:1.
    logp = np.full((4000, 2), np.log(0.5))
    gold = np.array([1, 1, 1, 0] * 1000)
    bias = fit_bias(logp, gold, strength=1e-9)
    assert bias[1] - bias[0] == pytest.approx(np.log(3), abs=1e-4)


def test_fit_is_the_minimum_of_a_grid() -> None:
    logp, gold = _example(40, 2)
    grid = np.linspace(-3, 3, 6001)  # bias = (-x, x): the minimum has mean zero
    slow = grid[np.argmin([_loss(logp, gold, np.array([-x, x]), 1.0) for x in grid])]
    assert fit_bias(logp, gold) == pytest.approx([-slow, slow], abs=2e-3)


@pytest.mark.parametrize("k", [2, 3, 5])
def test_gradient_is_zero_at_the_fit(k: int) -> None:
    logp, gold = _example(60, k, seed=k)
    bias = fit_bias(logp, gold, strength=0.7)
    h = 1e-5
    for j in range(k):
        step = np.eye(k)[j] * h
        up, down = _loss(logp, gold, bias + step, 0.7), _loss(logp, gold, bias - step, 0.7)
        assert (up - down) / (2 * h) == pytest.approx(0, abs=5e-3)


def test_a_stronger_prior_gives_a_smaller_bias() -> None:
    logp, gold = _example(30, 3)
    sizes = [np.abs(fit_bias(logp, gold, strength=s)).max() for s in (0.01, 1.0, 100.0, 1e6)]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < 1e-3


def test_no_examples_give_no_bias() -> None:
    assert fit_bias(np.zeros((0, 3)), np.zeros(0, dtype=np.int64)).tolist() == [0, 0, 0]


def test_bias_has_mean_zero_and_one_class_only_stays_finite() -> None:
    logp, _ = _example(20, 3)
    bias = fit_bias(logp, np.zeros(20, dtype=np.int64))
    assert np.isfinite(bias).all()
    assert bias.sum() == pytest.approx(0, abs=1e-12)
    assert bias[0] == bias.max() > 0


def test_impossible_labels_do_not_break_the_fit() -> None:
    logp = np.array([[0.0, -np.inf], [-np.inf, 0.0], [0.0, -np.inf]])
    gold = np.array([0, 1, 1])
    assert np.isfinite(fit_bias(logp, gold)).all()
    assert np.isfinite(batch_bias(logp)).all()
    assert apply_bias(logp, np.array([1.0, -1.0]))[0].tolist() == [0.0, -np.inf]


def test_apply_bias_by_hand() -> None:
    # p = (1/2, 1/4, 1/4), odds times (1, 2, 1): 2/4, 2/4, 1/4 of 5/4.
    logp = np.log([[0.5, 0.25, 0.25]])
    p = np.exp(apply_bias(logp, np.log([1.0, 2.0, 1.0])))
    assert p[0] == pytest.approx([0.4, 0.4, 0.2])


def test_batch_bias_by_hand() -> None:
    # mean log p = (log 1/2 + log 1/8)/2 = log 1/4 and (log 1/2 + log 7/8)/2; half their difference.
    logp = np.log([[0.5, 0.5], [0.125, 0.875]])
    expected = (0.5 * np.log(0.5 * 0.875) - np.log(0.25)) / 2
    assert batch_bias(logp) == pytest.approx([expected, -expected])


def test_batch_bias_levels_the_mean_log_probability() -> None:
    logp, _ = _example(50, 4)
    assert np.ptp((logp + batch_bias(logp)).mean(axis=0)) == pytest.approx(0, abs=1e-12)


def test_batch_bias_needs_an_example() -> None:
    with pytest.raises(ValueError, match="at least one example"):
        batch_bias(np.zeros((0, 2)))
