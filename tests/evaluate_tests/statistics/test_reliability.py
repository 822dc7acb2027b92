"""Bins and ECE against cases solved by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluate.statistics import calibration_error, reliability_bins
from modules.wilson import wilson


def test_by_hand() -> None:
    confidence = [0.9, 1.0, 0.7, 0.6, 0.55]
    correct = [True, True, False, True, False]
    bins = reliability_bins(confidence, correct, n_bins=5)
    assert [(one.low, one.high) for one in bins] == [
        (0.0, 0.2), (0.2, 0.4), (0.4, 0.6), (0.6, 0.8), (0.8, 1.0)
    ]  # fmt: skip
    # an upper edge belongs to its bin: 0.6 is in the third
    assert [one.n for one in bins] == [0, 0, 2, 1, 2]
    assert [one.confidence for one in bins[2:]] == pytest.approx([0.575, 0.7, 0.95])
    assert [one.accuracy for one in bins[2:]] == [0.5, 0.0, 1.0]
    assert [one.interval for one in bins[2:]] == [wilson(1, 2), wilson(0, 1), wilson(2, 2)]
    # (2 * 0.075 + 1 * 0.7 + 2 * 0.05) / 5
    assert calibration_error(bins) == pytest.approx(0.19)


@pytest.mark.parametrize("n_bins", [1, 3, 7, 10, 15])
def test_every_edge_closes_its_bin(n_bins: int) -> None:
    edges = [i / n_bins for i in range(1, n_bins + 1)]
    bins = reliability_bins(edges, [True] * n_bins, n_bins)
    assert [one.n for one in bins] == [1] * n_bins
    assert reliability_bins([0.0], [True], n_bins)[0].n == 1


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=50))
def test_bins_add_up(answers: list[tuple[float, bool]]) -> None:
    confidence, correct = [p for p, _ in answers], [right for _, right in answers]
    bins = reliability_bins(confidence, correct)
    used = [one for one in bins if one.n > 0]
    assert sum(one.n for one in bins) == len(answers)
    assert sum(one.n * one.accuracy for one in used) == pytest.approx(sum(correct))
    assert all(one.low <= one.confidence <= one.high + 1e-12 for one in used)
    # the triangle inequality: one bin has the least ECE
    whole = abs(np.mean(confidence) - np.mean(correct))
    assert whole - 1e-9 <= calibration_error(bins) <= 1


def test_calibrated_answers_have_a_small_error() -> None:
    rng = np.random.default_rng(0)
    p = rng.random(20_000)
    error = calibration_error(reliability_bins(p, rng.random(20_000) < p))
    # about 2,000 answers a bin: the mean of |noise| is near 0.8 * 0.41 / sqrt(2,000) = 0.007
    assert error < 0.02
    assert calibration_error(reliability_bins(p, rng.random(20_000) < p**3)) > 0.15


def test_nothing_to_bin() -> None:
    bins = reliability_bins([], [], n_bins=2)
    assert [one.n for one in bins] == [0, 0]
    assert math.isnan(bins[0].confidence)
    assert math.isnan(bins[1].interval.low)
    assert math.isnan(calibration_error(bins))


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match=r"shapes \(2,\) and \(1,\)"):
        reliability_bins([0.5, 0.5], [True])
    with pytest.raises(ValueError, match="and 0 bins"):
        reliability_bins([0.5], [True], n_bins=0)
    with pytest.raises(ValueError, match="number 0 is nan"):
        reliability_bins([math.nan], [True])
    with pytest.raises(ValueError, match=r"number 1 is 1\.1"):
        reliability_bins([0.5, 1.1], [True, True])
