"""The coverage of the Wilson interval, by simulation."""

import numpy as np
import pytest

from modules.wilson import wilson


@pytest.mark.parametrize("n", [50, 100, 300, 1000])
@pytest.mark.parametrize("p", [0.5, 0.7, 0.9])
def test_coverage(n: int, p: float) -> None:
    # Bounds: 95 % within 2.5 points, of which 20,000 sets leave 0.15 as a standard error. Successes
    # are discrete: coverage jumps with n and p, at 100 and 0.9 it is 93.6 %, at 50 and 0.9 97.0 %.
    successes = np.random.default_rng(n).binomial(n, p, 20_000)
    covers = [low <= p <= high for low, high in (wilson(k, n) for k in range(n + 1))]
    assert 0.93 <= np.mean(np.array(covers)[successes]) <= 0.975
