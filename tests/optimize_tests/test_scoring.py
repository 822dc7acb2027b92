"""Scoring: what scores are worth after calibration, by hand and by closed forms."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from modules.prompts import LOWEST, apply_bias, calibrated
from modules.prompts.calibration import log_softmax
from modules.prompts.records import Score
from modules.wilson import wilson
from optimize.race.said import Said, bare, together
from optimize.race.scoring import (
    calibrate,
    cross_fitted,
    fitted_bias,
    information_loss,
    losses_of,
    mean_loss,
    score_of,
    settle,
)
from tests.modules_tests.programs.task import make_prompt

Array = NDArray[np.float64]
Gold = NDArray[np.int64]


def sample(n: int, k: int, strength: float, seed: int = 0) -> tuple[Array, Gold]:
    """Normalised noise in which the gold label's score is higher by `strength`."""
    rng = np.random.default_rng(seed)
    gold = rng.permutation(np.arange(n) % k)
    scores = rng.normal(size=(n, k))
    scores[np.arange(n), gold] += strength
    return log_softmax(scores), gold


def score_with(logp: Array, gold: Gold, bias: Array) -> Score:
    return score_of(apply_bias(np.maximum(logp, LOWEST), bias), gold)


@pytest.mark.parametrize("k", [2, 3, 6])
def test_informative_scores_lose_little_and_noise_loses_log_k(k: int) -> None:
    logp, gold = sample(300, k, strength=30.0)
    assert information_loss(logp, gold).max() < 0.05
    logp, gold = sample(1200, k, strength=0.0)
    assert information_loss(logp, gold).mean() == pytest.approx(math.log(k), abs=0.02)


def test_inverted_scores_are_no_information() -> None:
    """The scale is positive, so a model that is always wrong gets no credit for it."""
    logp, gold = sample(300, 2, strength=3.0)
    assert information_loss(logp, 1 - gold).mean() >= math.log(2) - 0.01
    assert information_loss(logp, gold).mean() < 0.3


@pytest.mark.parametrize("scale", [0.5, 3.0])
@pytest.mark.parametrize("shift", [0.0, 2.0])
def test_scale_and_prior_of_the_scores_are_no_matter(scale: float, shift: float) -> None:
    logp, gold = sample(400, 3, strength=1.5)
    moved = log_softmax(scale * logp + np.array([shift, 0.0, -shift]))
    assert information_loss(moved, gold).mean() == pytest.approx(
        information_loss(logp, gold).mean(), abs=0.03
    )


def test_an_example_has_no_say_in_its_own_fold() -> None:
    """Another label for example 7 moves the losses of the other folds, and of its own only its own.

    With a fit on all examples the losses of 2, 12, 17, ... would move as well.
    """
    logp, gold = sample(60, 2, strength=1.0)
    other = gold.copy()
    other[7] = 1 - gold[7]
    before, after = information_loss(logp, gold), information_loss(logp, other)
    same_fold = np.arange(60) % 5 == 7 % 5
    moved = np.abs(after - before) > 1e-9
    assert set(np.flatnonzero(moved & same_fold)) == {7}
    assert moved[~same_fold].all()


@pytest.mark.parametrize("n", [1, 2, 4])
def test_few_examples(n: int) -> None:
    logp, gold = sample(n, 2, strength=1.0)
    losses = information_loss(logp, gold)
    assert losses.shape == (n,)
    assert np.isfinite(losses).all()
    # one example has nobody to fit on: scale 1, no bias
    if n == 1:
        assert losses[0] == pytest.approx(-logp[0, gold[0]])


def test_certainties_are_no_infinities() -> None:
    logp = np.array([[0.0, -np.inf], [-np.inf, 0.0]] * 20)
    gold = np.array([0, 1] * 20)
    wrong = gold.copy()
    wrong[:4] = 1 - gold[:4]
    for answers in (gold, wrong):
        assert np.isfinite(information_loss(logp, answers)).all()
        name, bias = calibrate(logp, answers)
        assert name == "none"
        assert np.isfinite(bias).all()
        assert math.isfinite(score_with(logp, answers, bias).log_loss)


def test_no_calibration_where_none_helps() -> None:
    """The scores are the true probabilities of a balanced task: every bias only costs."""
    gold = np.arange(500) // 5 % 2
    right = np.arange(500) // 10 % 5 > 0
    first = np.where((gold == 0) == right, 0.8, 0.2)
    _, bias = calibrate(np.log(np.stack([first, 1 - first], axis=1)), gold)
    assert bias == pytest.approx(np.zeros(2), abs=1e-3)


def test_a_fitted_bias_mends_a_shifted_prior() -> None:
    """The gold labels are 9 to 1, so batch calibration, which makes them even, is wrong."""
    rng = np.random.default_rng(1)
    gold = (np.arange(500) % 10 == 0).astype(np.int64)
    margin = rng.normal(loc=np.where(gold == 1, 2.0, -2.0), scale=0.7)
    logp = log_softmax(np.stack([np.zeros(500), margin], axis=1))
    shifted = log_softmax(logp + np.array([0.0, 4.0]))
    name, bias = calibrate(shifted, gold)
    assert name == "fitted"
    assert bias[0] - bias[1] == pytest.approx(4.0, abs=1.0)
    raw, mended = score_with(shifted, gold, np.zeros(2)), score_with(shifted, gold, bias)
    assert raw.accuracy < 0.6
    assert mended.accuracy > 0.98


def test_the_fitted_bias_decides_as_scale_and_bias_do() -> None:
    logp, gold = sample(300, 3, strength=1.0)
    bias = fitted_bias(5 * logp, gold)
    assert bias.sum() == pytest.approx(0.0, abs=1e-9)
    assert bias == pytest.approx(5 * fitted_bias(logp, gold), abs=0.3)


def test_score_by_hand() -> None:
    """The bias log 3 turns (1/4, 3/4) into a tie, which the first label wins."""
    logp = np.log([[0.25, 0.75], [0.5, 0.5], [0.1, 0.9], [0.2, 0.8]])
    gold = np.array([0, 1, 1, 0])
    score = score_with(logp, gold, np.array([math.log(3), 0.0]))
    # after the bias: (3/6, 3/6), (3/4, 1/4), (3/12, 9/12), (6/14, 8/14)
    assert (score.n, score.n_correct, score.accuracy) == (4, 2, 0.5)
    expected = -(math.log(1 / 2) + math.log(1 / 4) + math.log(3 / 4) + math.log(3 / 7)) / 4
    assert score.log_loss == pytest.approx(expected)
    assert (score.low, score.high) == tuple(wilson(2, 4))


def said(n: int, telling: float, n_words: int = 40, seed: int = 0) -> tuple[Said, Gold]:
    """Label words that tell little, and words of which every second tells `telling`."""
    logp, gold = sample(n, 2, strength=0.3, seed=seed)
    rng = np.random.default_rng(seed + 1)
    words = rng.normal(size=(n, n_words))
    words[:, ::2] += telling * (2 * gold - 1.0)[:, None]
    return Said(logp=logp, words=words), gold


def test_without_words_a_trial_has_its_information_loss() -> None:
    logp, gold = sample(150, 3, strength=1.0)
    losses = losses_of(cross_fitted(bare(logp), gold), gold)
    assert losses == pytest.approx(information_loss(logp, gold), abs=1e-3)
    assert mean_loss(bare(logp), gold) == pytest.approx(losses.mean())


def test_evidence_has_no_say_in_an_examples_own_fold() -> None:
    one, gold = said(60, 0.3)
    other = gold.copy()
    other[7] = 1 - gold[7]
    before, after = cross_fitted(one, gold), cross_fitted(one, other)
    same_fold = np.arange(60) % 5 == 7 % 5
    assert before[same_fold].tobytes() == after[same_fold].tobytes()
    assert (before[~same_fold] != after[~same_fold]).all()


def test_what_tells_is_weighed() -> None:
    one, gold = said(140, 0.3)
    settled = settle(one, gold)
    assert settled.name == "evidence"
    fresh, labels = said(2_000, 0.3, seed=9)
    alone = settle(bare(one.logp), gold)
    assert score_of(settled.of(fresh), labels).accuracy > 0.75
    assert score_of(alone.of(fresh), labels).accuracy < 0.65


def test_what_is_behind_is_not_weighed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its prior, evidence of many empty words learns the examples by heart."""
    monkeypatch.setattr("modules.prompts.evidence.STRENGTH", 1e-6)
    one, gold = said(140, 0.0, n_words=200)
    settled = settle(one, gold)
    name, bias = calibrate(one.logp, gold)
    assert (settled.name, settled.fit, settled.bias.tolist()) == (name, None, bias.tolist())
    assert settled.own.tobytes() == settled.of(one).tobytes()


def test_own_examples_are_scored_by_weights_that_have_not_seen_them() -> None:
    one, gold = said(140, 0.05, n_words=200)
    settled = settle(one, gold)
    assert settled.fit is not None
    fresh, labels = said(4_000, 0.05, n_words=200, seed=9)
    own, naive, true = (
        score_of(q, of).accuracy
        for q, of in (
            (settled.own, gold),
            (settled.of(one), gold),
            (settled.of(fresh), labels),
        )
    )
    assert naive > true + 0.15
    assert own == pytest.approx(true, abs=0.1)


@pytest.mark.parametrize("telling", [0.0, 0.3])
def test_a_prompt_says_what_was_settled(telling: float) -> None:
    one, gold = said(140, telling)
    settled = settle(one, gold)
    words = tuple(f"word{n}" for n in range(40))
    prompt = settled.onto(make_prompt(), words)
    assert calibrated(prompt, one.logp, one.words) == pytest.approx(settled.of(one), abs=1e-2)
    assert prompt.bias == tuple(settled.bias.tolist())  # for whoever sees label words alone


def test_what_was_said_is_put_together() -> None:
    one, _ = said(10, 0.1)
    both = together(one, one)
    assert both.logp.shape == (20, 2)
    assert both.words[10:].tobytes() == one.words.tobytes()
