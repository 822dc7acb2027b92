"""Scoring: what the model said behind a prompt on some examples is worth once calibrated.

No forward pass happens here. Everything that needs none (which calibration, which bias, what other
words weigh) is settled from one pass.

Notation: n examples, k labels; `logp` float64 [n, k] uncalibrated, `gold` int64 [n].
"""

from collections.abc import Callable, Iterator
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

    The bias is for whoever sees the label words alone; `fit`, where it is there, decides. `own`
    [n, k] are the log-probabilities of the examples that it was settled on. Evidence has many
    weights and would flatter itself, so there they are cross-fitted.
    """

    name: str
    bias: Array
    own: Array
    fit: Fit | None = None

    def of(self, said: Said) -> Array:
        """Give calibrated log-probabilities, [n, k]."""
        if self.fit is not None:
            return self.fit.log_probabilities(said.logp, said.words)
        return _biased(said.logp, self.bias)

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
    alone = Calibration(name=name, bias=bias, own=_biased(said.logp, bias))
    if not said.words.shape[1]:
        return alone
    own = cross_fitted(said, gold)
    if is_behind(losses_of(own, gold), information_loss(said.logp, gold)):
        return alone
    fit = fit_evidence(said.logp, said.words, gold)
    return Calibration(name="evidence", bias=bias, own=own, fit=fit)


def cross_fitted(said: Said, gold: Gold) -> Array:
    """Give each example's log-probabilities, calibrated with evidence on the other folds, [n, k].

    Example i lies in fold i mod 5; n below 5 leaves single examples out. Without further words this
    is the scale and bias of `information_loss`.
    """
    q = np.empty_like(said.logp)
    for held, rest in _folds(len(gold)):
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
    losses = np.empty(len(gold))
    for held, rest in _folds(len(gold)):
        scale, bias = fit_scaled_bias(logp[rest], gold[rest])
        q = log_softmax(scale * np.maximum(logp[held], LOWEST) + bias)
        losses[held] = losses_of(q, gold[held])
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
    q = np.empty_like(logp)
    for held, rest in _folds(len(gold)):
        bias = fit(logp[rest], gold[rest]) if rest.any() else np.zeros(logp.shape[1])
        q[held] = _biased(logp[held], bias)
    return q


def _folds(n: int) -> Iterator[tuple[NDArray[np.bool_], NDArray[np.bool_]]]:
    """Give each fold's examples and all others, as masks [n]: example i lies in fold i mod 5."""
    folds = np.arange(n) % min(_FOLDS, n)
    for fold in range(min(_FOLDS, n)):
        yield folds == fold, folds != fold


def _biased(logp: Array, bias: Array) -> Array:
    return apply_bias(np.maximum(logp, LOWEST), bias)
