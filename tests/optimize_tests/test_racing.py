"""Racing: who is stopped, who is not, and how often by mistake."""

import numpy as np
import pytest
from scipy.stats import t as student

from optimize.race.racing import ALPHA, MIN_EXAMPLES, is_behind
from optimize.race.trial import looks


def test_behind_and_ahead() -> None:
    best = np.linspace(0.1, 2.0, 60)
    worse = best + 0.2 + 0.01 * np.arange(60)
    assert is_behind(worse, best)
    assert not is_behind(best, worse)


def test_ties_are_not_behind() -> None:
    losses = np.linspace(0.1, 2.0, 60)
    assert not is_behind(losses, losses.copy())
    # one example alone cannot decide, however bad: t is 1 then, whatever its size
    one = losses.copy()
    one[3] += 100.0
    assert not is_behind(one, losses)
    assert is_behind(losses + 0.01, losses)  # nor does a difference without any spread divide by 0


def test_few_examples_decide_nothing() -> None:
    best = np.zeros(MIN_EXAMPLES)
    worse = np.arange(1.0, MIN_EXAMPLES + 1)
    assert is_behind(worse, best)
    assert not is_behind(worse[1:], best[1:])


def test_the_mean_decides_and_not_most_examples() -> None:
    """A little worse on 55 of 60 examples and far better on 5: ranks would stop it."""
    difference = np.concatenate([np.full(55, 0.1), np.full(5, -2.0)])
    difference += 1e-6 * np.arange(60)
    assert difference.mean() < 0
    assert not is_behind(difference, np.zeros(60))


@pytest.mark.parametrize("n_looks", [1, 3])
def test_it_is_the_t_test_by_hand(n_looks: int) -> None:
    rng = np.random.default_rng(1)
    said = []
    for shift in np.linspace(0.0, 0.6, 50):
        candidate, best = rng.normal(loc=shift, size=30), rng.normal(size=30)
        mean = sum(candidate - best) / 30
        variance = sum((c - b - mean) ** 2 for c, b in zip(candidate, best, strict=True)) / 29
        p = student.sf(mean / (variance / 30) ** 0.5, 29)
        said.append(is_behind(candidate, best, n_looks))
        assert said[-1] == (p < ALPHA / n_looks)
    assert 5 < sum(said) < 45


def test_the_looks_are_the_blocks_that_are_large_enough() -> None:
    assert looks(90) == [23, 46, 69]
    assert looks(300) == [50, 100, 150, 200, 250]
    assert looks(60) == [30, 45]  # not after 15


@pytest.mark.parametrize("n", [60, 90, 300])
def test_an_equal_candidate_is_stopped_as_rarely_as_promised(n: int) -> None:
    """Over all looks together; 4 standard deviations are allowed, and the bound is not idle."""
    rng = np.random.default_rng(5)
    runs, at = 1000, looks(n)
    alarms = 0
    for _ in range(runs):
        candidate, best = rng.normal(size=(2, n))
        alarms += any(is_behind(candidate[:k], best[:k], len(at)) for k in at)
    noise = 4 * (ALPHA * (1 - ALPHA) / runs) ** 0.5
    assert ALPHA / 2 - noise < alarms / runs < ALPHA + noise
