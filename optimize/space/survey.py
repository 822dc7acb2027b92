"""The survey: one pass over train examples with plain prompts, before the search begins.

It gives label words from the model's own vocabulary and rankings of the train examples for the demo
pools. What a trial does with them belongs to `space` and `modules.programs.demos`.

Notation: n surveyed examples, H the width of all hidden states together; `gold` int64 [n] indices
of labels.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice, zip_longest
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from modules.lm import LocalModel, Looks
from modules.prompts import InputCap, LabelWord, Layout, Prompt, Rendered, answers, render
from modules.prompts.calibration import log_softmax
from modules.tasks.example import Example, Task
from optimize.race.scoring import information_loss
from optimize.space.diversity import farthest_first, standardised
from optimize.space.label_words import label_words
from optimize.space.layouts import forms
from optimize.space.vocabulary import likely_words, mean_probability, ranked_words, separation

Array = NDArray[np.float64]
Gold = NDArray[np.int64]
_T = TypeVar("_T")

N_EXAMPLES = 200
N_WORD_SETS = 6

LAYOUTS = ("fields", "it-was")
_CAP = InputCap(words=64, keep="both")
_MASS_FLOOR = 1e-5
_N_CANDIDATES = 2000
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
class Size:
    """How many examples a survey reads, and the forward tokens and calls that they cost at most."""

    n_examples: int = 0
    tokens: int = 0
    calls: int = 0


@dataclass(frozen=True, kw_only=True)
class _View:
    """One layout's pass: its prompts, what the model is about to say, its answers by name."""

    rendered: list[Rendered]
    looks: Looks
    names: tuple[str, ...]


def size_within(model: LocalModel, task: Task, tokens: int) -> Size:
    """Give the size of the largest survey, of `N_EXAMPLES` at most, that so many tokens pay for.

    Nothing is run. A prefix that the prompts share is counted with each, and charged once.
    """
    prompts = _prompts(task)
    size = Size()
    for example in islice(_in_turns(model, task, prompts), N_EXAMPLES):
        costs = [
            cost
            for prompt in prompts
            for cost in _costs(model, _rendered(prompt, task, example), answers(prompt))
        ]
        if size.tokens + sum(costs) > tokens:
            break
        size = Size(
            n_examples=size.n_examples + 1,
            tokens=size.tokens + sum(costs),
            calls=size.calls + len(costs),
        )
    return size


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
    prompts = _prompts(task)
    chosen = _chosen(model, task, prompts, n_examples)
    if not chosen:
        return Survey()
    gold = np.array(task.gold(chosen))
    views = [_view(model, task, prompt, chosen, progress) for prompt in prompts]
    losses = _losses(model, views, gold).round(_DIGITS)
    ids = [example.id for example in chosen]
    states = np.concatenate([standardised(view.looks.hidden) for view in views], axis=1)
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


def _prompts(task: Task) -> list[Prompt]:
    found = forms(task.input_field, task.output_field, has_chat=False)
    return [_plain(task, found[name]) for name in LAYOUTS]


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
    """Give the examples to survey, by id."""
    chosen = islice(_in_turns(model, task, prompts), n_examples)
    return sorted(chosen, key=lambda example: example.id)


def _in_turns(model: LocalModel, task: Task, prompts: Sequence[Prompt]) -> Iterator[Example]:
    """Give the train examples that fit, by id, the labels in turn, so that a rare one is there."""
    by_label: dict[str, list[Example]] = {name: [] for name in task.label_names}
    for example in sorted(task.splits.train, key=lambda example: example.id):
        by_label[example.label].append(example)
    for example in _in_turn(list(by_label.values())):
        if all(_fits(model, _rendered(prompt, task, example), prompt) for prompt in prompts):
            yield example


def _fits(model: LocalModel, rendered: Rendered, prompt: Prompt) -> bool:
    return model.fits(rendered, answers=answers(prompt), n_new=1)


def _rendered(prompt: Prompt, task: Task, example: Example) -> Rendered:
    return render(prompt, example.inputs[task.input_field])


def _costs(model: LocalModel, rendered: Rendered, names: Sequence[str]) -> list[int]:
    """Give the tokens of each call that an example takes in one layout; see `_name_scores`."""
    look = model.count_tokens(rendered)
    if _first_tokens(model, rendered, names):
        return [look]
    return [look, model.cost([rendered], names)]


def _view(
    model: LocalModel,
    task: Task,
    prompt: Prompt,
    examples: Sequence[Example],
    progress: Callable[[int], None] | None,
) -> _View:
    rendered = [_rendered(prompt, task, example) for example in examples]
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
    first = _first_tokens(model, view.rendered[0], view.names)
    if not first:
        return model.choose(view.rendered, view.names).log_probabilities()
    return log_softmax(view.looks.log_probabilities(first))


def _first_tokens(model: LocalModel, rendered: Rendered, names: Sequence[str]) -> list[int]:
    """Give the token that each label's name begins with, [] where two begin with the same."""
    anchor = model.codec.encode(rendered).anchor
    first = [model.codec.answer_ids(anchor, name)[0] for name in names]
    return first if len(set(first)) == len(first) else []


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
    ranked = ranked_words(scores, [candidates[token] for token in tokens])
    sets = list(zip(*ranked, strict=False))[:N_WORD_SETS]
    return {f"vocabulary-{number}": words for number, words in enumerate(sets, start=1)}


def _candidates(model: LocalModel, views: Sequence[_View], limit: int) -> dict[int, str]:
    """Give the likeliest tokens that are clean words in every layout, by token id."""
    mass = np.mean([mean_probability(view.looks) for view in views], axis=0)
    anchors = [model.codec.encode(view.rendered[0]).anchor for view in views]
    return likely_words(model, np.where(mass >= _MASS_FLOOR, mass, 0.0), anchors, limit)


def _spread(states: Array, gold: Gold) -> list[int]:
    """Give the examples in farthest-first order of each label, the labels in turn."""
    per_label = []
    for label in sorted(set(gold.tolist())):
        members = np.flatnonzero(gold == label)
        per_label.append([int(members[i]) for i in farthest_first(states[members])])
    return _in_turn(per_label)


def _in_turn(lists: Iterable[Sequence[_T]]) -> list[_T]:
    """Merge lists: the first of each, the second of each, and so on."""
    return [one for turn in zip_longest(*lists) for one in turn if one is not None]
