"""The survey: one pass over train examples with plain prompts, before the search begins.

It gives label words from the model's own vocabulary and rankings of the train examples for the demo
pools. What a trial does with them belongs to `space` and `modules.programs.demos`.

Notation: n surveyed examples, k labels, T candidate words, H the width of all hidden states
together; `logp` float64 [n, T], `gold` int64 [n] indices of labels.
"""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from modules.lm import LocalModel, Looks
from modules.prompts import InputCap, LabelWord, Layout, Prompt, Rendered, answers, render
from modules.prompts.calibration import log_softmax
from modules.tasks.example import Example, Task
from optimize.race.scoring import information_loss
from optimize.space.label_words import label_words
from optimize.space.layouts import forms

Array = NDArray[np.float64]
Gold = NDArray[np.int64]

N_EXAMPLES = 200
N_WORD_SETS = 6

LAYOUTS = ("fields", "it-was")
_CAP = InputCap(words=64, keep="both")
_MASS_FLOOR = 1e-5
_N_CANDIDATES = 2000
_MIN_LETTERS = 3
_DIGITS = 9  # of a loss in nats: what lies below is rounding


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What the survey found.

    `words` holds sets of label words by name ("vocabulary-1", ...), the best first, one word a
    label in label order; fewer sets, or none, where the vocabulary has no more words that tell the
    labels apart. `demo_orders` ranks the ids of the surveyed examples for each ranked demo pool,
    `losses` gives each one's log-loss in nats, and `n_tokens` is what the ledger was charged.
    """

    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    demo_orders: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    losses: Mapping[str, float] = field(default_factory=dict)
    n_tokens: int = 0


@dataclass(frozen=True, kw_only=True)
class _View:
    """One layout's pass: its prompts, what the model is about to say, its answers by name."""

    rendered: list[Rendered]
    looks: Looks
    names: tuple[str, ...]


def survey(
    model: LocalModel,
    task: Task,
    *,
    n_examples: int = N_EXAMPLES,
    progress: Callable[[int], None] | None = None,
) -> Survey:
    """Look at train examples through plain prompts: no instruction, no demos.

    Two layouts are read, "Review: ...\nSentiment:", which names the task, and "... It was", in
    which any word can follow: what holds in both is the words' and not the layout's. With inputs
    cut to 64 words (head and tail) both together cost at most about 250 tokens an example. Names of
    labels that begin with the same token cost as much again. Examples that do not fit into the
    context are passed over. The result depends on the set of train examples, not on their order; no
    draw is made.

    Args:
        model: what the prompts are for.
        task: gives the train split, the fields' names and the labels.
        n_examples: at most so many are read, by id, each label in its turn.
        progress: called with the number of prompts just finished, two an example in all.

    Raises:
        BudgetExceeded: the ledger refuses.
    """
    before = model.ledger.account.forward_tokens
    found = forms(task.input_field, task.output_field, has_chat=False)
    prompts = [_plain(task, found[name]) for name in LAYOUTS]
    chosen = _chosen(model, task, prompts, n_examples)
    if not chosen:
        return Survey()
    gold = np.array(task.gold(chosen))
    views = [_view(model, task, prompt, chosen, progress) for prompt in prompts]
    losses = _losses(model, views, gold).round(_DIGITS)
    ids = [example.id for example in chosen]
    states = np.concatenate([_standardised(view.looks.hidden) for view in views], axis=1)
    everyone = range(len(ids))
    orders = {
        "easy": sorted(everyone, key=lambda i: (losses[i], ids[i])),
        "hard": sorted(everyone, key=lambda i: (-losses[i], ids[i])),
        "diverse": _spread(states, gold),
    }
    return Survey(
        words=_words(model, views, gold, len(task.labels)),
        demo_orders={pool: tuple(ids[i] for i in order) for pool, order in orders.items()},
        losses=dict(zip(ids, losses.tolist(), strict=True)),
        n_tokens=model.ledger.account.forward_tokens - before,
    )


def _plain(task: Task, layout: Layout) -> Prompt:
    names = label_words(task.label_names)["names"]
    return Prompt(
        layout=layout,
        words=tuple(
            LabelWord(label=label, word=name)
            for label, name in zip(task.label_names, names, strict=True)
        ),
        cap=_CAP,
        bias=(0.0,) * len(names),
    )


def _chosen(
    model: LocalModel, task: Task, prompts: Sequence[Prompt], n_examples: int
) -> list[Example]:
    """Give the examples to survey, by id: the labels in turn, so that a rare one is there."""
    by_label: dict[str, list[Example]] = {name: [] for name in task.label_names}
    for example in sorted(task.splits.train, key=lambda example: example.id):
        by_label[example.label].append(example)
    turns = zip_longest(*by_label.values())
    fitting = (
        example
        for turn in turns
        for example in turn
        if example is not None and all(_fits(model, task, prompt, example) for prompt in prompts)
    )
    chosen = [example for example, _ in zip(fitting, range(n_examples), strict=False)]
    return sorted(chosen, key=lambda example: example.id)


def _fits(model: LocalModel, task: Task, prompt: Prompt, example: Example) -> bool:
    rendered = render(prompt, example.inputs[task.input_field])
    return model.fits(rendered, answers=answers(prompt), n_new=1)


def _view(
    model: LocalModel,
    task: Task,
    prompt: Prompt,
    examples: Sequence[Example],
    progress: Callable[[int], None] | None,
) -> _View:
    rendered = [render(prompt, example.inputs[task.input_field]) for example in examples]
    return _View(rendered=rendered, looks=model.look(rendered, progress), names=answers(prompt))


def _losses(model: LocalModel, views: Sequence[_View], gold: Gold) -> Array:
    """Give each example's cross-fitted loss [n] in the layout that tells the labels best."""
    found = [information_loss(_name_scores(model, view), gold) for view in views]
    return min(found, key=lambda losses: float(losses.mean()))


def _name_scores(model: LocalModel, view: _View) -> Array:
    """Give the log-probabilities of the labels' names, [n, k].

    Names with different first tokens are read off the pass; others are asked for by `choose`, which
    is charged.
    """
    anchor = model.codec.encode(view.rendered[0]).anchor
    first = [model.codec.answer_ids(anchor, name)[0] for name in view.names]
    if len(set(first)) < len(first):
        return model.choose(view.rendered, view.names).log_probabilities()
    return log_softmax(view.looks.log_probabilities(first))


def _words(
    model: LocalModel, views: Sequence[_View], gold: Gold, n_labels: int
) -> dict[str, tuple[str, ...]]:
    """Give the sets of words: set r holds the r-th best word of each label.

    Candidates are clean whole words of one token that the model is likely to say: at least
    `_MASS_FLOOR` of the mean probability over examples and layouts, and of these the likeliest
    `_N_CANDIDATES`, for the more words compete, the further the luckiest useless one gets. (On
    snippets with SmolLM2-135M, sets chosen among 1,200 to 2,400 words told more about held-out
    examples than sets chosen among 400 to 800; among all above the floor there was no clear gain.)
    A word's score for a label is `separation`, on log-probabilities that are centred in each
    example over the candidates (so that what moves all words alike is no difference) and averaged
    over the layouts. Each word, whatever its case, serves only the label that it scores highest
    for, and only where that score is positive.
    """
    if np.bincount(gold, minlength=n_labels).min() < 2:
        return {}
    candidates = _candidates(model, views, _N_CANDIDATES)
    if not candidates:
        return {}
    tokens = list(candidates)
    logp = np.zeros((len(gold), len(tokens)))
    for view in views:
        logp += view.looks.log_probabilities(tokens) / len(views)
    scores = separation(logp - logp.mean(axis=1, keepdims=True), gold, n_labels)
    ranked = _ranked_words(scores, [candidates[token] for token in tokens])
    sets = list(zip(*ranked, strict=False))[:N_WORD_SETS]
    return {f"vocabulary-{number}": words for number, words in enumerate(sets, start=1)}


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


def _candidates(model: LocalModel, views: Sequence[_View], limit: int) -> dict[int, str]:
    """Give the likeliest tokens that are clean words in every layout, by token id."""
    mass = np.mean([mean_probability(view.looks) for view in views], axis=0)
    anchors = [model.codec.encode(view.rendered[0]).anchor for view in views]
    return likely_words(model, np.where(mass >= _MASS_FLOOR, mass, 0.0), anchors, limit)


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


def _ranked_words(scores: Array, words: Sequence[str]) -> list[list[str]]:
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


def _standardised(hidden: NDArray[np.float32]) -> Array:
    """Give hidden states with mean 0 and variance 1 in each dimension, [n, H].

    A few dimensions of a language model are larger than all others by orders of magnitude; without
    this they alone would be the distance.
    """
    centred = hidden.astype(np.float64) - hidden.mean(axis=0, dtype=np.float64)
    spread: Array = np.sqrt((centred**2).mean(axis=0))
    standardised: Array = np.zeros_like(centred)
    np.divide(centred, spread, out=standardised, where=spread > 0)
    return standardised


def _spread(states: Array, gold: Gold) -> list[int]:
    """Give the examples in farthest-first order of each label, the labels in turn."""
    per_label = []
    for label in sorted(set(gold.tolist())):
        members = np.flatnonzero(gold == label)
        per_label.append([int(members[i]) for i in farthest_first(states[members])])
    return _in_turn(per_label)


def farthest_first(states: Array) -> list[int]:
    """Give points in the order of greedy k-centers: each is the farthest from all before it.

    Gonzalez 1985: any beginning of the order covers the points within twice the best possible
    radius. The first is the nearest to the mean; ties go to the earlier point.

    Args:
        states: the points, [n, H], at least one; the distance is Euclidean.
    """
    order = [int(((states - states.mean(axis=0)) ** 2).sum(axis=1).argmin())]
    nearest = np.full(len(states), np.inf)
    while len(order) < len(states):
        nearest = np.minimum(nearest, ((states - states[order[-1]]) ** 2).sum(axis=1))
        nearest[order] = -1.0
        order.append(int(nearest.argmax()))
    return order


def _in_turn(lists: Iterable[Sequence[int]]) -> list[int]:
    """Merge lists: the first of each, the second of each, and so on."""
    return [one for turn in zip_longest(*lists) for one in turn if one is not None]
