"""Evidence: what all that the model is about to say tells about the label. Pure arrays, no model.

A prompt's label words are a few of the words that could begin the answer. What the model gives to
the others ("dull", "charming") comes from the same pass and tells about the label too. Evidence is
a multinomial logistic regression on it, drawn to the label words alone by a Gaussian prior: "soft
verbalizers" (Hu et al. 2022, "Knowledgeable Prompt-tuning") with the shrinkage of calibration.

Notation: n examples, k labels, M words; `logp` float64 [n, k] uncalibrated log-probabilities of the
label words, `words` float64 [n, M] logits of the further words, `gold` int64 [n]. M may be 0.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from modules.prompts.calibration import LOWEST, Array, apply_bias, log_softmax
from modules.prompts.prompt import Evidence, Prompt
from modules.prompts.render import after_lead

Gold = NDArray[np.int64]

STRENGTH: Final = 0.3
"""The prior's weight on the words' weights, in units in which the words' logits, centred in each
example and over the examples, have a mean square sum of 1.

On texts of no test split 0.03 to 1 give the same mean accuracy within a point
(`benchmarks.evidence`)."""

_DIGITS = 5
_STILL = 1e-6  # words that move less in all are told apart by rounding alone


@dataclass(frozen=True, kw_only=True)
class Fit:
    """log softmax(scale * logp + bias + centred words @ weights), fitted; weights are [M, k]."""

    scale: float
    bias: Array
    weights: Array

    def log_probabilities(self, logp: Array, words: Array, temperature: float = 1.0) -> Array:
        """Give calibrated log-probabilities, [n, k]; at another temperature as `calibrated`."""
        told = self.bias + _weighed(words, self.weights)
        return log_softmax(self.scale * np.maximum(logp, LOWEST) + told / temperature)

    def evidence(self, label_names: tuple[str, ...], words: tuple[str, ...]) -> Evidence:
        """Give the fit as it stands in a file: rounded, and relative to the first label."""
        relative = (self.weights - self.weights[:, :1]).round(_DIGITS) + 0.0  # no -0.0
        return Evidence(
            scale=max(round(self.scale, _DIGITS), 10.0**-_DIGITS),
            bias=tuple(self.bias.round(_DIGITS).tolist()),
            weights={
                label: dict(zip(words, relative[:, at].tolist(), strict=True))
                for at, label in enumerate(label_names[1:], start=1)
            },
        )


def fit_evidence(logp: Array, words: Array, gold: Gold, strength: float | None = None) -> Fit:
    """Fit scale, bias and the words' weights by penalised maximum likelihood.

    Minimises the summed log-loss + 1/2 (log(scale)^2 + |bias|^2 + STRENGTH * |weights|^2), with the
    weights in the units of `STRENGTH`. Without words it is `fit_scaled_bias`.

    Args:
        logp: uncalibrated log-probabilities, [n, k].
        words: the further words' logits, [n, M].
        gold: label indices, [n]. n = 0 gives scale 1, zero bias and zero weights.
        strength: in place of `STRENGTH`.
    """
    from scipy.optimize import minimize  # half a second that reading a prompt need not take

    n, k = logp.shape
    scores = np.maximum(logp, LOWEST)
    scores = scores - scores.mean(axis=1, keepdims=True)
    with _blas().limit(limits=1):  # the bits must not depend on the number of threads
        axes, middle, unit = _axes(words)
        told = (_centred(words) - middle) @ axes.T / unit  # [n, r]: r numbers say all of M words
    rows, r = np.arange(n), len(axes)
    penalty = np.concatenate(
        [np.ones(1 + k), np.full(r * k, STRENGTH if strength is None else strength)]
    )

    def objective(point: Array) -> tuple[float, Array]:
        scale, bias, weights = np.exp(point[0]), point[1 : k + 1], point[k + 1 :].reshape(r, k)
        q = log_softmax(scale * scores + bias + told @ weights)
        residual = np.exp(q)
        residual[rows, gold] -= 1.0
        loss = -q[rows, gold].sum() + 0.5 * float(penalty @ point**2)
        slope = [[scale * (residual * scores).sum()], residual.sum(axis=0)]
        return float(loss), np.concatenate([*slope, (told.T @ residual).ravel()]) + penalty * point

    bounds = [(-5.0, 5.0)] + [(None, None)] * (k + r * k)
    start = np.zeros(1 + k + r * k)
    with _blas().limit(limits=1):
        point = minimize(objective, start, jac=True, method="L-BFGS-B", bounds=bounds).x
        weights = axes.T @ point[k + 1 :].reshape(r, k) / unit
        bias = point[1 : k + 1] - middle @ weights
    return Fit(scale=float(np.exp(point[0])), bias=bias - bias.mean(), weights=weights)


def calibrated(prompt: Prompt, logp: Array, words: Array, temperature: float = 1.0) -> Array:
    """Give a prompt's calibrated log-probabilities, [n, k]: with its evidence, or with its bias.

    Args:
        prompt: gives the evidence or, where it has none, the bias.
        logp: the label words' log-probabilities at the temperature, [n, k]; below `LOWEST` they
            count as that.
        words: the logits of the words that the evidence weighs, [n, M], at temperature 1.
        temperature: > 0; divides what the decoder does not: biases, weights.
    """
    if prompt.evidence is None:
        return apply_bias(np.maximum(logp, LOWEST), np.array(prompt.bias), temperature)
    return weighed(prompt.evidence, logp, words, temperature)


def weighed(evidence: Evidence, logp: Array, words: Array, temperature: float = 1.0) -> Array:
    """Give log-probabilities that are calibrated with evidence, [n, k]; as `calibrated`."""
    none = np.zeros(len(evidence.words))
    weights = np.array([none, *(list(each.values()) for each in evidence.weights.values())]).T
    fit = Fit(scale=evidence.scale, bias=np.array(evidence.bias), weights=weights)
    return fit.log_probabilities(logp, words, temperature)


def evidence_words(prompt: Prompt) -> tuple[str, ...]:
    """Give what the model would write after the lead for each word that a prompt's evidence weighs.

    For `LocalModel.choose`, beside `answers`.
    """
    return () if prompt.evidence is None else after_lead(prompt, prompt.evidence.words)


@cache
def _blas() -> Any:
    """Give the control of the threads of numpy's linear algebra."""
    from threadpoolctl import ThreadpoolController  # looks through all loaded libraries

    return ThreadpoolController().select(user_api="blas")


def _axes(words: Array) -> tuple[Array, Array, float]:
    """Give orthonormal axes [r, M] of the centred words, their mean [M], and their unit.

    As penalty and span are the same in any orthonormal axes, fitting in r <= n of them is fitting
    in all M.
    """
    centred = _centred(words)
    middle = centred.mean(axis=0) if len(words) else np.zeros(words.shape[1])
    apart = centred - middle
    unit = float(np.sqrt((apart**2).sum() / max(1, len(words))))
    if unit < _STILL:
        return np.zeros((0, words.shape[1])), middle, 1.0
    _, sizes, axes = np.linalg.svd(apart, full_matrices=False)
    return axes[sizes > sizes[0] * 1e-9], middle, unit


def _centred(words: Array) -> Array:
    """Take off each example's mean: what moves all words alike tells nothing."""
    return words - words.mean(axis=1, keepdims=True) if words.shape[1] else words


def _weighed(words: Array, weights: Array) -> Array:
    """Give centred words @ weights, [n, k], each number by itself: a row's do not depend on n."""
    centred = np.ascontiguousarray(_centred(words))
    found = [(centred * column).sum(axis=1) for column in np.ascontiguousarray(weights.T)]
    return np.stack(found, axis=1) if found else np.zeros((len(words), 0))
