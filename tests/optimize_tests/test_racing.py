"""Racing: who is behind is stopped, and hardly ever one who is not."""

import numpy as np
import pytest

from optimize.race.racing import ALPHA, MIN_EXAMPLES, is_behind


def test_behind_and_ahead() -> None:
    best = np.linspace(0.1, 2.0, 60)
    worse = best + 0.2 + 0.01 * np.arange(60)
    assert is_behind(worse, best)
    assert not is_behind(best, worse)


def test_ties_are_not_behind() -> None:
    losses = np.linspace(0.1, 2.0, 60)
    assert not is_behind(losses, losses.copy())
    # one example alone cannot decide, however bad: its signed rank has p = 1/2
    one = losses.copy()
    one[3] += 100.0
    assert not is_behind(one, losses)


def test_few_examples_decide_nothing() -> None:
    best = np.zeros(MIN_EXAMPLES)
    worse = np.arange(1.0, MIN_EXAMPLES + 1)
    assert is_behind(worse, best)
    assert not is_behind(worse[1:], best[1:])


def test_the_size_of_a_difference_counts_and_not_only_its_sign() -> None:
    """Forty small losses against twenty large gains: the sign test would stop it."""
    difference = np.concatenate([np.full(40, 0.01), np.full(20, -1.0)])
    difference += 1e-6 * np.arange(60)
    assert not is_behind(difference, np.zeros(60))


@pytest.mark.parametrize("n", [MIN_EXAMPLES, 150])
def test_false_alarms_are_as_frequent_as_promised(n: int) -> None:
    """With symmetric differences a stop is an error; 4 standard deviations are allowed."""
    rng = np.random.default_rng(5)
    runs = 1000
    alarms = sum(is_behind(rng.normal(size=n), rng.normal(size=n)) for _ in range(runs))
    assert abs(alarms / runs - ALPHA) < 4 * (ALPHA * (1 - ALPHA) / runs) ** 0.5
