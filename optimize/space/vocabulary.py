"""Words of the model's own vocabulary: which are clean and likely, and which tell labels apart.

Notation: n examples, k labels, T words, V tokens; `logp` float64 [n, T], `gold` int64 [n] indices
of labels.
"""

import unicodedata
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from modules.lm import LocalModel, Looks

Array = NDArray[np.float64]
Gold = NDArray[np.int64]

_MIN_LETTERS = 3


def separation(logp: Array, gold: Gold, n_labels: int) -> Array:
    """Give each word's Welch statistic of each label against the rest, [n_labels, T].

    (mean within the label - mean over the rest) / (s + s0), with s the standard error of the
    difference (Welch 1947) and s0 the median of s over the words: a word that hardly varies must
    not win by a small s (Tusher, Tibshirani and Chu 2001, "SAM", equation 1). Higher is better;
    0 where nothing varies.

    Args:
        logp: log-probabilities of the words, [n, T].
        gold: the labels, [n], at least two examples of each and two of the rest.
        n_labels: how many labels there are.
    """
    found = []
    for label in range(n_labels):
        own, rest = logp[gold == label], logp[gold != label]
        error = np.sqrt(own.var(axis=0, ddof=1) / len(own) + rest.var(axis=0, ddof=1) / len(rest))
        scale = error + np.median(error)
        difference = own.mean(axis=0) - rest.mean(axis=0)
        found.append(np.divide(difference, scale, out=np.zeros_like(scale), where=scale > 0))
    return np.stack(found)


def likely_words(
    model: LocalModel, mass: Array, anchors: Sequence[str | None], limit: int
) -> dict[int, str]:
    """Give at most `limit` tokens that are clean words behind every anchor, by token id.

    The likeliest by `mass` [V]; tokens without mass are left out.
    """
    found: dict[int, str] = {}
    for token in map(int, np.argsort(-mass, kind="stable")):
        if mass[token] <= 0:
            break
        word = model.codec.decode([token]).strip()
        if is_clean_word(word) and all(
            model.codec.answer_ids(anchor, f" {word}") == (token,) for anchor in anchors
        ):
            found[token] = word
        if len(found) == limit:
            break
    return dict(sorted(found.items()))


def mean_probability(looks: Looks) -> Array:
    """Give each token's mean probability over the examples, [V]."""
    n = len(looks.log_totals)
    parts = [np.exp(block, out=block).sum(axis=0) for block in looks.vocabulary()]
    return np.asarray(np.sum(parts, axis=0) / n, dtype=np.float64)


def is_clean_word(word: str) -> bool:
    """Whether a word is at least three letters (with their marks), no capital but the first."""
    letters = sum(unicodedata.category(sign).startswith("L") for sign in word)
    marks = sum(unicodedata.category(sign).startswith("M") for sign in word)
    return letters >= _MIN_LETTERS and letters + marks == len(word) and word[1:] == word[1:].lower()


def ranked_words(scores: Array, words: Sequence[str]) -> list[list[str]]:
    """Give each label's words, the best first; ties go to the smaller token id.

    Args:
        scores: [k, T].
        words: the T words, by token id.
    """
    ranked: list[list[str]] = [[] for _ in scores]
    taken: set[str] = set()
    for place in np.argsort(-scores.max(axis=0), kind="stable"):
        word, label = words[place], int(scores[:, place].argmax())
        if scores[label, place] > 0 and word.casefold() not in taken:
            taken.add(word.casefold())
            ranked[label].append(word)
    return ranked
