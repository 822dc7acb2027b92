"""Evidence: the fit against closed forms and a slow reference, and what is computed with it."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize

from modules.prompts import Evidence, apply_bias, calibrated, evidence_words, fit_scaled_bias
from modules.prompts.calibration import log_softmax
from modules.prompts.evidence import STRENGTH, Fit, fit_evidence, weighed
from tests.modules_tests.programs.task import make_prompt

Array = NDArray[np.float64]


def example(
    n: int, k: int, n_words: int, seed: int = 0, telling: float = 1.0
) -> tuple[Array, Array, NDArray[np.int64]]:
    """Labels, label words that tell little, and words of which each label moves some."""
    rng = np.random.default_rng(seed)
    gold = np.arange(n) % k
    logp = log_softmax(rng.normal(size=(n, k)) + 0.3 * np.eye(k)[gold])
    pull = rng.normal(size=(k, n_words))
    words = rng.normal(size=(n, n_words)) + telling * pull[gold] + rng.normal(size=(n, 1)) * 5
    return logp, words, gold


def accuracy(q: Array, gold: NDArray[np.int64]) -> float:
    return float((q.argmax(axis=1) == gold).mean())


@pytest.mark.parametrize("k", [2, 3, 6])
def test_without_words_it_is_scale_and_bias(k: int) -> None:
    logp, _, gold = example(60, k, 4)
    fit = fit_evidence(logp, np.zeros((60, 0)), gold)
    scale, bias = fit_scaled_bias(logp, gold)
    assert fit.scale == pytest.approx(scale, rel=1e-4)
    assert fit.bias == pytest.approx(bias, abs=1e-4)
    assert fit.weights.shape == (0, k)


@pytest.mark.parametrize(("k", "n_words", "n"), [(2, 5, 40), (3, 30, 20), (6, 8, 60)])
def test_it_is_the_penalised_maximum(k: int, n_words: int, n: int) -> None:
    """A slow fit in all the words at once, with numerical slopes, finds the same predictions."""
    logp, words, gold = example(n, k, n_words)
    centred = words - words.mean(axis=1, keepdims=True)
    apart = centred - centred.mean(axis=0)
    unit = np.sqrt((apart**2).sum(axis=1).mean())

    def predicted(point: Array, at: Array) -> Array:
        scale, bias, weights = np.exp(point[0]), point[1 : k + 1], point[k + 1 :].reshape(-1, k)
        return log_softmax(scale * logp + bias + at @ weights)

    def objective(point: Array) -> float:
        q = predicted(point, apart / unit)
        prior = (
            point[0] ** 2 + (point[1 : k + 1] ** 2).sum() + STRENGTH * (point[k + 1 :] ** 2).sum()
        )
        return float(-q[np.arange(n), gold].sum() + prior / 2)

    slow = minimize(
        objective, np.zeros(1 + k + n_words * k), method="BFGS", options={"gtol": 1e-5}
    ).x
    found = fit_evidence(logp, words, gold).log_probabilities(logp, words)
    assert np.exp(found) == pytest.approx(np.exp(predicted(slow, apart / unit)), abs=2e-3)


def test_what_moves_all_words_alike_tells_nothing() -> None:
    logp, words, gold = example(80, 2, 12)
    fit = fit_evidence(logp, words, gold)
    moved = fit.log_probabilities(logp, words + np.arange(80)[:, None])
    assert moved == pytest.approx(fit.log_probabilities(logp, words), abs=1e-9)


@pytest.mark.parametrize("k", [2, 6])
def test_words_that_tell_help_on_other_examples(k: int) -> None:
    logp, words, gold = example(600, k, 64, telling=0.4)
    held = slice(300, None)
    fit = fit_evidence(logp[:300], words[:300], gold[:300])
    alone = fit_evidence(logp[:300], words[:300, :0], gold[:300])
    with_words = accuracy(fit.log_probabilities(logp[held], words[held]), gold[held])
    assert (
        with_words
        > accuracy(alone.log_probabilities(logp[held], words[held, :0]), gold[held]) + 0.3
    )


def test_words_that_tell_nothing_hardly_harm() -> None:
    rng = np.random.default_rng(3)
    gold = np.arange(2_000) % 2
    logp = log_softmax(
        np.stack([-(2 * gold - 1.0), 2 * gold - 1.0], axis=1) + rng.normal(size=(2_000, 2))
    )
    words = rng.normal(size=(2_000, 256))
    fit = fit_evidence(logp[:200], words[:200], gold[:200])
    q, held = fit.log_probabilities(logp[200:], words[200:]), gold[200:]
    assert accuracy(q, held) > accuracy(logp[200:], held) - 0.03


@pytest.mark.parametrize("n", [0, 1, 2])
def test_few_examples_and_words_that_never_move(n: int) -> None:
    logp, words, gold = example(n, 2, 7)
    fit = fit_evidence(logp, words, gold)
    assert np.isfinite(fit.log_probabilities(logp, words)).all()
    if n == 0:
        assert (fit.scale, fit.bias.tolist(), fit.weights.any()) == (1.0, [0.0, 0.0], False)
    still = fit_evidence(*example(30, 2, 7)[:1], np.ones((30, 7)), np.arange(30) % 2)
    assert not still.weights.any()


def test_a_sure_word_is_finite() -> None:
    logp, words, gold = example(20, 2, 3)
    logp[0] = [0.0, -np.inf]
    assert np.isfinite(fit_evidence(logp, words, gold).log_probabilities(logp, words)).all()


def test_by_hand() -> None:
    """Two labels, two words: the logits 3 and 1 are 1 and -1 once centred."""
    evidence = Evidence(scale=2.0, bias=(0.25, -0.25), weights={"pos": {"fun": 0.5, "dull": -0.5}})
    logp, words = np.log([[0.8, 0.2]]), np.array([[3.0, 1.0]])
    # scores: 2 log 0.8 + 0.25, and 2 log 0.2 - 0.25 + 0.5 + 0.5
    odds = np.exp(2 * np.log(0.2) + 0.75) / np.exp(2 * np.log(0.8) + 0.25)
    p = np.exp(weighed(evidence, logp, words))[0]
    assert p == pytest.approx([1 / (1 + odds), odds / (1 + odds)])
    # at temperature 2 the decoder gives logits / 2, and all the rest is halved too
    cooled = np.exp(weighed(evidence, log_softmax(logp / 2), words, 2.0))[0]
    assert cooled == pytest.approx([1 / (1 + odds**0.5), odds**0.5 / (1 + odds**0.5)])


def test_in_a_file_it_says_the_same() -> None:
    logp, words, gold = example(90, 3, 40)
    fit = fit_evidence(logp, words, gold)
    names = tuple(f"word{n}" for n in range(40))
    evidence = fit.evidence(("a", "b", "c"), names)
    assert evidence.words == names
    again = Evidence.model_validate_json(json.dumps(evidence.model_dump(mode="json")))
    assert weighed(again, logp, words) == pytest.approx(
        fit.log_probabilities(logp, words), abs=2e-2
    )


@given(st.integers(1, 9), st.integers(0, 8))
def test_a_row_does_not_depend_on_the_others(n: int, at: int) -> None:
    logp, words, gold = example(40, 2, 300)
    fit = fit_evidence(logp, words, gold)
    whole = fit.log_probabilities(logp[at : at + n], words[at : at + n])
    alone = fit.log_probabilities(logp[at : at + 1], words[at : at + 1])
    assert whole[0].tobytes() == alone[0].tobytes()


def test_threads_change_no_bit() -> None:
    from threadpoolctl import threadpool_limits

    logp, words, gold = example(300, 2, 512)
    bits = set()
    for n_threads in (1, 2):
        with threadpool_limits(limits=n_threads):
            fit = fit_evidence(logp, words, gold)
        bits.add((fit.scale, fit.bias.tobytes(), fit.weights.tobytes()))
    assert len(bits) == 1


def test_evidence_takes_the_place_of_the_bias() -> None:
    prompt = make_prompt()
    logp, words = np.log([[0.6, 0.4]]), np.array([[1.0, -1.0]])
    plain = calibrated(prompt, logp, np.zeros((1, 0)))
    assert plain.tobytes() == apply_bias(logp, np.array(prompt.bias)).tobytes()
    evidence = Evidence(scale=1.0, bias=(0.0, 0.0), weights={"pos": {"fun": 2.0, "dull": 0.0}})
    rich = prompt.model_copy(update={"evidence": evidence})
    assert calibrated(rich, logp, words) == pytest.approx(weighed(evidence, logp, words))
    assert evidence_words(rich) == (" fun", " dull")
    assert evidence_words(prompt) == ()


def test_a_fit_is_what_its_file_is_made_of() -> None:
    """Weights are relative to the first label, which changes no probability."""
    fit = Fit(scale=1.0, bias=np.zeros(2), weights=np.array([[0.5, -0.5], [0.0, 1.0]]))
    evidence = fit.evidence(("neg", "pos"), ("a", "b"))
    assert evidence.weights == {"pos": {"a": -1.0, "b": 1.0}}
