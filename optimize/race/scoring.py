"""Scoring: what the model said behind a prompt on some examples is worth once calibrated.

No forward pass happens here. Everything that needs none (which calibration, which bias, what other
words weigh) is settled from one pass.

Notation: n examples, k labels; `logp` float64 [n, k] uncalibrated, `gold` int64 [n].
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from modules.prompts import (
    LOWEST,
    Prompt,
    apply_bias,
    batch_bias,
    fit_evidence,
    fit_scaled_bias,
)
from modules.prompts.calibration import log_softmax
from modules.prompts.evidence import Fit
from modules.prompts.records import Score
from modules.wilson import wilson
from optimize.race.racing import is_behind
from optimize.race.said import Said

Array = NDArray[np.float64]
Gold = NDArray[np.int64]

_FOLDS = 5


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """How a prompt's scores become probabilities: its name, a bias [k], and perhaps evidence.

    The bias is for whoever sees the label words alone; `fit`, where it is there, decides.
    """

    name: str
    bias: Array
    fit: Fit | None = None

    def of(self, said: Said) -> Array:
        """Give calibrated log-probabilities, [n, k]."""
        if self.fit is not None:
            return self.fit.log_probabilities(said.logp, said.words)
        return apply_bias(np.maximum(said.logp, LOWEST), self.bias)

    def of_own(self, said: Said, gold: Gold) -> Array:
        """Give those of the examples that this was settled on, [n, k].

        Evidence has many weights and would flatter itself: it is fitted anew without each example.
        """
        return self.of(said) if self.fit is None else cross_fitted(said, gold)

    def onto(self, prompt: Prompt, words: tuple[str, ...]) -> Prompt:
        """Give the prompt with this calibration in place of its own; `words` are the evidence's."""
        names = prompt.label_names
        evidence = None if self.fit is None else self.fit.evidence(names, words)
        return prompt.model_copy(update={"bias": tuple(self.bias.tolist()), "evidence": evidence})


def settle(said: Said, gold: Gold) -> Calibration:
    """Give the calibration that is used: evidence, unless it is behind the label words alone.

    That is what a paired test on the cross-fitted losses says; the prior draws evidence to the
    label words, so where nothing else tells about the label it does no harm.
    """
    name, bias = calibrate(said.logp, gold)
    if not said.words.shape[1]:
        return Calibration(name=name, bias=bias)
    weighed = losses_of(cross_fitted(said, gold), gold)
    if is_behind(weighed, information_loss(said.logp, gold)):
        return Calibration(name=name, bias=bias)
    fit = fit_evidence(said.logp, said.words, gold)
    return Calibration(name="evidence", bias=bias, fit=fit)


def cross_fitted(said: Said, gold: Gold) -> Array:
    """Give each example's log-probabilities, calibrated with evidence on the other folds, [n, k].

    Example i lies in fold i mod 5; n below 5 leaves single examples out. Without further words this
    is the scale and bias of `information_loss`.
    """
    n = len(gold)
    q = np.empty_like(said.logp)
    folds = np.arange(n) % min(_FOLDS, n)
    for fold in range(min(_FOLDS, n)):
        held, rest = folds == fold, folds != fold
        fit = fit_evidence(said.logp[rest], said.words[rest], gold[rest])
        q[held] = fit.log_probabilities(said.logp[held], said.words[held])
    return q


def losses_of(q: Array, gold: Gold) -> Array:
    """Give the log-loss of log-probabilities, [n], nats."""
    return np.asarray(-q[np.arange(len(gold)), gold])


def mean_loss(said: Said, gold: Gold) -> float:
    """Give the mean loss, in nats, of what was said, cross-fitted: what trials are ranked by."""
    return float(losses_of(cross_fitted(said, gold), gold).mean())


def information_loss(logp: Array, gold: Gold) -> Array:
    """Give each example's log-loss after a scale and a bias fitted on the other folds, [n], nats.

    It measures how much the model's scores tell about the label, whatever their scale and prior:
    a proper score, and far less noisy than accuracy at the same n. Example i lies in fold i mod 5.
    n below 5 leaves single examples out.
    """
    n = len(gold)
    losses = np.empty(n)
    folds = np.arange(n) % min(_FOLDS, n)
    for fold in range(min(_FOLDS, n)):
        held, rest = folds == fold, folds != fold
        scale, bias = fit_scaled_bias(logp[rest], gold[rest])
        q = log_softmax(scale * np.maximum(logp[held], LOWEST) + bias)
        losses[held] = -q[np.arange(int(held.sum())), gold[held]]
    return losses


def calibrate(logp: Array, gold: Gold) -> tuple[str, Array]:
    """Choose among no calibration, batch calibration and a fitted bias, by cross-fitted accuracy.

    Ties go to the smaller cross-fitted log-loss, then to the simpler one.

    Returns:
        The name of the calibration ("none", "batch", "fitted") and its bias [k], fitted on all n.
    """
    fits: dict[str, Callable[[Array, Gold], Array]] = {
        "none": lambda logp, gold: np.zeros(logp.shape[1]),
        "batch": lambda logp, gold: batch_bias(logp),
        "fitted": fitted_bias,
    }
    ranked = []
    for order, (name, fit) in enumerate(fits.items()):
        q = _cross_fitted(logp, gold, fit)
        right = int((q.argmax(axis=1) == gold).sum())
        ranked.append((-right, float(-q[np.arange(len(gold)), gold].mean()), order, name))
    best = min(ranked)[-1]
    return best, fits[best](logp, gold)


def fitted_bias(logp: Array, gold: Gold) -> Array:
    """Give the bias that decides as scale and bias fitted together do, [k], mean zero."""
    scale, bias = fit_scaled_bias(logp, gold)
    return bias / scale


def split_score(logp: Array, gold: Gold, bias: Array) -> Score:
    """Score answers with a bias on a split; see `score_of`."""
    return score_of(apply_bias(np.maximum(logp, LOWEST), bias), gold)


def score_of(q: Array, gold: Gold) -> Score:
    """Score calibrated log-probabilities; the most probable label answers, ties to the first."""
    n = len(gold)
    n_correct = int((q.argmax(axis=1) == gold).sum())
    interval = wilson(n_correct, n)
    return Score(
        n=n,
        n_correct=n_correct,
        accuracy=n_correct / n,
        low=interval.low,
        high=interval.high,
        log_loss=float(losses_of(q, gold).mean()),
    )


def _cross_fitted(logp: Array, gold: Gold, fit: Callable[[Array, Gold], Array]) -> Array:
    n = len(gold)
    q = np.empty_like(logp)
    folds = np.arange(n) % min(_FOLDS, n)
    for fold in range(min(_FOLDS, n)):
        held, rest = folds == fold, folds != fold
        bias = fit(logp[rest], gold[rest]) if rest.any() else np.zeros(logp.shape[1])
        q[held] = apply_bias(np.maximum(logp[held], LOWEST), bias)
    return q
