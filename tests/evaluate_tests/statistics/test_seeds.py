"""The spread over seeds by hand."""

import math

import pytest

from evaluate.statistics import seed_spread


def test_by_hand() -> None:
    # mean 0.8; squared deviations 0.01, 0, 0.01; sd sqrt(0.02 / 2)
    assert seed_spread([0.9, 0.8, 0.7]) == pytest.approx((3, 0.8, 0.1, 0.7, 0.9))


def test_one_seed_has_no_spread() -> None:
    spread = seed_spread([0.75])
    assert (spread.n, spread.mean, spread.least, spread.greatest) == (1, 0.75, 0.75, 0.75)
    assert math.isnan(spread.sd)


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at least one seed, not \[\]"):
        seed_spread([])
    with pytest.raises(ValueError, match="finite, not"):
        seed_spread([0.5, math.nan])
