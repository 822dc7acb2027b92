"""Brier score and log-loss by hand."""

import math

import numpy as np
import pytest

from evaluate.statistics import brier_score, log_loss


@pytest.mark.parametrize(
    ("probabilities", "gold", "score"),
    [
        # (0.7 - 1)^2 + 0.3^2 = 0.18; 0.2^2 + (0.8 - 1)^2 = 0.08
        pytest.param([[0.7, 0.3], [0.2, 0.8]], [0, 1], 0.13, id="two-labels"),
        # 0.25 + 0.09 + 0.04
        pytest.param([[0.5, 0.3, 0.2]], [0], 0.38, id="three-labels"),
        pytest.param([[0.0, 1.0]], [0], 2.0, id="worst"),
        pytest.param([[1.0, 0.0]], [0], 0.0, id="best"),
        pytest.param([[0.25] * 4], [2], 0.75, id="guess-of-four"),
        pytest.param([[1.0]], [0], 0.0, id="one-label"),
    ],
)
def test_brier(probabilities: list[list[float]], gold: list[int], score: float) -> None:
    given = np.array(probabilities)
    assert brier_score(given, gold) == pytest.approx(score)
    assert given.tolist() == probabilities


def test_log_loss() -> None:
    assert log_loss([0.5, 0.125]) == pytest.approx(2 * math.log(2))
    assert log_loss([0.0, 1.0]) == pytest.approx(15 * math.log(10) / 2)
    assert log_loss([0.01], floor=0.1) == pytest.approx(math.log(10))
    assert math.copysign(1, log_loss([1.0])) == 1.0


@pytest.mark.parametrize("p", [0.2, 0.5, 0.9])
def test_both_are_proper(p: float) -> None:
    # The expected score over a gold label that is 0 with probability p is least at p itself.
    candidates = np.arange(1, 20) / 20
    briers = [
        p * brier_score([[q, 1 - q]], [0]) + (1 - p) * brier_score([[q, 1 - q]], [1])
        for q in candidates
    ]
    losses = [p * log_loss([q]) + (1 - p) * log_loss([1 - q]) for q in candidates]
    assert candidates[np.argmin(briers)] == pytest.approx(p)
    assert candidates[np.argmin(losses)] == pytest.approx(p)


def test_what_is_refused() -> None:
    with pytest.raises(ValueError, match=r"shapes \(1, 2\) and \(2,\)"):
        brier_score([[0.5, 0.5]], [0, 1])
    with pytest.raises(ValueError, match=r"shapes \(0,\)"):
        brier_score([], [])
    with pytest.raises(ValueError, match=r"sum to 1; row 1 is \[0.5, 0.6\]"):
        brier_score([[0.5, 0.5], [0.5, 0.6]], [0, 0])
    with pytest.raises(ValueError, match="row 0 is"):
        brier_score([[-0.5, 1.5]], [0])
    with pytest.raises(ValueError, match=r"row 0 is \[nan"):
        brier_score([[math.nan, 1.0]], [0])
    for index in (-1, 2):
        with pytest.raises(ValueError, match="indices from 0 to 1"):
            brier_score([[0.5, 0.5]], [index])
    with pytest.raises(ValueError, match=r"shape \(0,\)"):
        log_loss([])
    with pytest.raises(ValueError, match="number 0 is nan"):
        log_loss([math.nan])
    with pytest.raises(ValueError, match=r"\(1,\) and 0"):
        log_loss([0.5], floor=0)
