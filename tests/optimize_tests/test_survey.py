"""The survey against slow references: one whole pass a prompt, loops instead of arrays."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import combinations, pairwise, zip_longest
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ttest_ind

from modules.lm import BudgetExceeded, Ledger, LocalModel
from modules.lm.answers import Answers
from modules.lm.store import AnswerStore
from modules.programs.demos import RANKED_POOLS, demo_set
from modules.prompts import InputCap, LabelWord, Layout, Prompt, answers, render
from modules.tasks.example import Example, Task
from optimize.config import Budget
from optimize.options import DEFAULT_BUDGET
from optimize.race.scoring import information_loss
from optimize.space import survey as module
from optimize.space.diversity import farthest_first
from optimize.space.preparation import SURVEY_SHARE, prepare
from optimize.space.survey import Survey, size_within, survey
from optimize.space.vocabulary import is_clean_word, ranked_words, separation
from tests import tables, tiny

SIX = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta")


@contextmanager
def account_of(model: LocalModel, ledger: Ledger) -> Iterator[Ledger]:
    """Give the model another ledger for a while."""
    before, model.ledger = model.ledger, ledger
    try:
        yield ledger
    finally:
        model.ledger = before


@pytest.fixture(scope="module")
def six(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """Six labels of nonsense."""
    return tables.file_task(tmp_path_factory.mktemp("six"), SIX)


@pytest.fixture(scope="module")
def surveys(model: LocalModel, task: Task, six: Task) -> dict[str, tuple[Task, Survey]]:
    found = {}
    for name, one in (("two", task), ("six", six)):
        with account_of(model, Ledger()):
            found[name] = (one, survey(model, one))
    return found


def by_id(task: Task) -> list[Example]:
    return sorted(task.splits.train, key=lambda example: example.id)


def slow_texts(example: Example) -> tuple[str, str]:
    """The two prompts, written by hand; the texts are shorter than the cap."""
    text = example.inputs["text"]
    return f"Text: {text}\nLabel:", f"{text} It was"


def slow_log_probabilities(model: LocalModel, task: Task) -> list[np.ndarray]:
    """All tokens' log-probabilities in each layout, [n, V], from one pass a prompt."""
    tokenizer, network = model.codec._tokenizer, model._forward.model
    found: tuple[list[np.ndarray], ...] = ([], [])
    for example in by_id(task):
        for rows, text in zip(found, slow_texts(example), strict=True):
            logits = tiny.slow_logits(network, tokenizer(text)["input_ids"])
            rows.append(torch.log_softmax(logits, dim=0).numpy())
    return [np.stack(rows) for rows in found]


def slow_words(model: LocalModel, task: Task) -> list[tuple[str, ...]]:
    """The sets of words by the docstring's definition, token by token."""
    logp = slow_log_probabilities(model, task)
    mass = (np.exp(logp[0]).mean(axis=0) + np.exp(logp[1]).mean(axis=0)) / 2
    tokenizer = model.codec._tokenizer
    words = {}
    for token in range(len(mass)):
        text = tokenizer.decode([token], skip_special_tokens=True)
        letters = text[1:]
        whole = text[:1] == " " and letters.isalpha() and len(letters) > 2
        if whole and letters[1:].islower() and mass[token] > 1e-5:
            words[token] = letters
    assert 10 < len(words) < module._N_CANDIDATES
    both = (logp[0] + logp[1]) / 2
    centre = both[:, list(words)].mean(axis=1)
    labels = np.array([example.label for example in by_id(task)])
    scores: dict[str, dict[int, float]] = {}
    for name in task.label_names:
        tests, errors = {}, {}
        for token in words:
            values = both[:, token] - centre
            own, rest = values[labels == name], values[labels != name]
            tests[token] = own.mean() - rest.mean()
            errors[token] = tests[token] / ttest_ind(own, rest, equal_var=False).statistic
        middle = float(np.median(list(errors.values())))
        scores[name] = {token: tests[token] / (errors[token] + middle) for token in words}
    best = {t: max(task.label_names, key=lambda name: scores[name][t]) for t in words}
    lists: dict[str, list[str]] = {name: [] for name in task.label_names}
    said = set()
    for token in sorted(words, key=lambda t: (-scores[best[t]][t], t)):
        if words[token].casefold() not in said and scores[best[token]][token] > 0:
            said.add(words[token].casefold())
            lists[best[token]].append(words[token])
    return list(zip(*lists.values(), strict=False))[:6]


@pytest.mark.parametrize("kind", ["two", "six"])
def test_words_are_those_of_the_slow_reference(
    model: LocalModel, surveys: Mapping[str, tuple[Task, Survey]], kind: str
) -> None:
    task, found = surveys[kind]
    expected = slow_words(model, task)
    assert len(expected) >= (6 if kind == "two" else 1)
    assert found.words == {f"vocabulary-{n}": words for n, words in enumerate(expected, start=1)}


def test_only_the_likeliest_words_compete(
    model: LocalModel, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the clean words, the five with the most probability over examples and layouts."""
    mass = sum(np.exp(logp).mean(axis=0) for logp in slow_log_probabilities(model, task))
    tokenizer = model.codec._tokenizer
    spoken = [tokenizer.decode([token]) for token in np.argsort(-mass)]
    clean = [text[1:] for text in spoken if text[0] == " " and is_clean_word(text[1:])]
    monkeypatch.setattr(module, "_N_CANDIDATES", 5)
    found = survey(model, task).words
    assert found
    assert {word for words in found.values() for word in words} <= set(clean[:5])
    monkeypatch.setattr(module, "_MASS_FLOOR", 0.9)
    assert survey(model, task).words == {}


@pytest.mark.parametrize("kind", ["two", "six"])
def test_words_make_prompts_and_cost_one_token(
    model: LocalModel, surveys: Mapping[str, tuple[Task, Survey]], kind: str
) -> None:
    task, found = surveys[kind]
    assert len({word.casefold() for words in found.words.values() for word in words}) == len(
        found.words
    ) * len(task.labels)
    for words in found.words.values():
        for anchor in ("Label:", "It was"):
            assert [len(model.codec.answer_ids(anchor, f" {word}")) for word in words] == [1] * len(
                task.labels
            )


def slow_losses(model: LocalModel, task: Task) -> dict[str, float]:
    """The losses from `choose` in both layouts, the better one's."""
    layouts = (
        Layout(kind="text", input_lead="Text:", answer_lead="Label:"),
        Layout(kind="text", answer_lead="It was", same_line=True),
    )
    gold = np.array(task.gold(by_id(task)))
    found = []
    for layout in layouts:
        prompt = Prompt(
            layout=layout,
            words=tuple(LabelWord(label=name, word=name) for name in task.label_names),
            bias=(0.0,) * len(task.labels),
        )
        rendered = [render(prompt, example.inputs["text"]) for example in by_id(task)]
        logp = model.choose(rendered, answers(prompt)).log_probabilities()
        found.append(information_loss(logp, gold))
    best = min(found, key=lambda losses: float(losses.mean()))
    return dict(zip([example.id for example in by_id(task)], best.tolist(), strict=True))


@pytest.mark.parametrize("kind", ["two", "six"])
def test_losses_are_those_of_the_labels_names(
    model: LocalModel, surveys: Mapping[str, tuple[Task, Survey]], kind: str
) -> None:
    task, found = surveys[kind]
    assert found.losses == pytest.approx(slow_losses(model, task), abs=1e-7)


def test_names_that_begin_alike_are_chosen(model: LocalModel, tmp_path: Path) -> None:
    alike = tables.file_task(tmp_path, ("very bad", "very good"))
    with account_of(model, Ledger()) as ledger:
        found = survey(model, alike)
    assert found.losses == pytest.approx(slow_losses(model, alike), abs=1e-7)
    assert found.n_tokens == ledger.account.forward_tokens
    assert ledger.account.n_prompts == 4 * len(alike.splits.train)


@pytest.mark.parametrize("kind", ["two", "six"])
def test_rankings_hold_every_example_once(
    surveys: Mapping[str, tuple[Task, Survey]], kind: str
) -> None:
    task, found = surveys[kind]
    ids = [example.id for example in by_id(task)]
    assert tuple(found.demo_orders) == RANKED_POOLS
    assert all(sorted(order) == ids for order in found.demo_orders.values())
    easy, hard, _ = found.demo_orders.values()
    assert list(easy) == sorted(ids, key=lambda one: (found.losses[one], one))
    assert list(hard) == sorted(ids, key=lambda one: (-found.losses[one], one))


def slow_farthest_first(points: Sequence[np.ndarray]) -> list[int]:
    """Greedy k-centers by its definition: every distance again at every step."""
    mean = sum(points) / len(points)
    order = [min(range(len(points)), key=lambda i: float(np.sum((points[i] - mean) ** 2)))]
    while len(order) < len(points):
        left = [i for i in range(len(points)) if i not in order]
        gaps = {i: min(float(np.sum((points[i] - points[j]) ** 2)) for j in order) for i in left}
        order.append(max(left, key=lambda i: gaps[i]))
    return order


def test_the_diverse_order_is_farthest_first_in_each_label(
    model: LocalModel, surveys: Mapping[str, tuple[Task, Survey]]
) -> None:
    task, found = surveys["six"]
    tokenizer, base = model.codec._tokenizer, model._forward.model.base_model
    states = []
    for example in by_id(task):
        ends = []
        for text in slow_texts(example):
            ids = torch.tensor([tokenizer(text)["input_ids"]])
            with torch.inference_mode():
                hidden = base(input_ids=ids, use_cache=False).last_hidden_state[0, -1]
            ends.append(hidden.double().numpy())
        states.append(np.concatenate(ends))
    points = (np.array(states) - np.mean(states, axis=0)) / np.std(states, axis=0)
    lists = []
    for name in task.label_names:
        members = [i for i, example in enumerate(by_id(task)) if example.label == name]
        order = slow_farthest_first([points[i] for i in members])
        lists.append([by_id(task)[members[i]].id for i in order])
    turns = [one for turn in zip_longest(*lists) for one in turn if one is not None]
    assert found.demo_orders["diverse"] == tuple(turns)


def test_demos_come_from_every_ranking(surveys: Mapping[str, tuple[Task, Survey]]) -> None:
    task, found = surveys["six"]
    for pool in RANKED_POOLS:
        demos = demo_set(task, pool, 0, 6, 0, found.demo_orders)
        assert sorted(demo.label for demo in demos) == sorted(SIX)


def test_the_same_train_examples_give_the_same_survey(
    model: LocalModel, task: Task, surveys: Mapping[str, tuple[Task, Survey]]
) -> None:
    other = replace(task, splits=replace(task.splits, train=task.splits.train[::-1]))
    with account_of(model, Ledger()):
        assert survey(model, other) == surveys["two"][1]


def test_kept_states_give_the_same_survey_with_any_threads(
    model: LocalModel, task: Task, tmp_path: Path
) -> None:
    threads, found = torch.get_num_threads(), []
    model.answers = Answers(
        AnswerStore(tmp_path / "answers.sqlite3"), "d", torch.float64, "cpu", "packed"
    )
    try:
        for n in (1, 2, 1):
            torch.set_num_threads(n)
            with account_of(model, Ledger()) as ledger:
                found.append(survey(model, task))
            assert found[-1].n_tokens == ledger.account.forward_tokens
    finally:
        torch.set_num_threads(threads)
        model.answers = None
    assert found[0] == found[1] == found[2]
    assert ledger.account.reused_tokens == ledger.account.forward_tokens


def test_tokens_are_those_of_the_prompts(
    model: LocalModel, surveys: Mapping[str, tuple[Task, Survey]]
) -> None:
    """The beginning token is the one that all prompts share, so it is charged once."""
    task, found = surveys["two"]
    tokenizer = model.codec._tokenizer
    rows = [len(tokenizer(text)["input_ids"]) - 1 for e in by_id(task) for text in slow_texts(e)]
    assert found.n_tokens == sum(rows) + 1


@pytest.mark.parametrize("labels", [None, SIX, ("very bad", "bad", "good", "very good")])
def test_its_size_bounds_what_it_is_charged(
    model: LocalModel, task: Task, labels: tuple[str, ...] | None, tmp_path: Path
) -> None:
    """The prompts share one token, which is charged once and counted with every call.

    The names of the last labels begin alike, so each prompt is asked twice.
    """
    one = tables.file_task(tmp_path, labels) if labels else task
    for tokens in (300, 900):
        size = size_within(model, one, tokens)
        assert 2 <= size.n_examples < len(one.splits.train)
        with account_of(model, Ledger()) as ledger:
            found = survey(model, one, n_examples=size.n_examples)
        assert len(found.losses) == size.n_examples
        assert ledger.account.n_prompts == size.calls
        assert size.tokens - size.calls < ledger.account.forward_tokens <= size.tokens <= tokens
    whole = size_within(model, one, 10**6)
    assert whole.n_examples == len(one.splits.train)


def test_twice_the_default_budget_has_a_survey_whatever_the_texts(
    model: LocalModel, task: Task, tmp_path: Path
) -> None:
    long = [replace(e, inputs={n: x * 40 for n, x in e.inputs.items()}) for e in task.splits.train]
    for one in (task, with_train(task, long)):
        for budget in (2 * DEFAULT_BUDGET, 10 * DEFAULT_BUDGET):
            prepared = prepare(model, one, 0, Budget(tokens=budget))
            assert 0 < prepared.cost.tokens <= 2 * DEFAULT_BUDGET // SURVEY_SHARE
            assert "diverse" in prepared.space.rankings
    assert prepare(model, task, 0, Budget(tokens=600)).cost.tokens == 0
    model.ledger = Ledger()


def test_progress_counts_both_layouts(model: LocalModel, task: Task) -> None:
    seen: list[int] = []
    survey(model, task, progress=seen.append)
    assert sum(seen) == 2 * len(task.splits.train)


def test_few_examples_are_of_each_label(model: LocalModel, task: Task) -> None:
    found = survey(model, task, n_examples=7)
    labels = {example.id: example.label for example in task.splits.train}
    counted = [labels[one] for one in found.losses]
    assert sorted(map(counted.count, task.label_names)) == [3, 4]
    for name in task.label_names:
        own = [example.id for example in by_id(task) if example.label == name]
        assert set(found.losses) & set(own) == set(own[: counted.count(name)])


def with_train(task: Task, train: Sequence[Example]) -> Task:
    return replace(task, splits=replace(task.splits, train=tuple(train)))


def test_examples_that_do_not_fit_are_passed_over(model: LocalModel, task: Task) -> None:
    long = Example(inputs={"text": "q" * 2 * tiny.CONTEXT}, label="positive")
    with account_of(model, Ledger()):  # what a ledger was charged for once is free on it
        found = survey(model, with_train(task, (*task.splits.train, long)))
    with account_of(model, Ledger()):
        assert found == survey(model, task)
    assert survey(model, with_train(task, [long])) == Survey()


def test_long_texts_are_cut(model: LocalModel, task: Task) -> None:
    long = [
        Example(inputs={"text": f"{e.inputs['text']} " + "x " * 2000}, label=e.label)
        for e in task.splits.train
    ]
    assert len(survey(model, with_train(task, long)).losses) == len(long)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_one_example_of_a_label_tells_no_words(model: LocalModel, task: Task, n: int) -> None:
    found = survey(model, task, n_examples=n)
    assert found.words == {}
    assert len(found.losses) == n
    assert all(len(order) == n for order in found.demo_orders.values())


def test_no_examples_are_no_survey(model: LocalModel, task: Task) -> None:
    assert survey(model, task, n_examples=0) == Survey()


def test_equal_hidden_states_are_no_trouble(
    model: LocalModel, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cap of one word and texts that begin alike: every state is the same."""
    monkeypatch.setattr(module, "_CAP", InputCap(words=1, keep="head"))
    train = [Example(inputs={"text": f"same {n}"}, label=task.label_names[n % 2]) for n in range(6)]
    found = survey(model, with_train(task, train))
    assert found.words == {}
    assert len(set(found.demo_orders["diverse"])) == 6


def test_a_budget_ends_it(model: LocalModel, task: Task) -> None:
    with account_of(model, Ledger(3)), pytest.raises(BudgetExceeded, match="3 forward tokens"):
        survey(model, task)


def test_separation_by_hand() -> None:
    """Word 0: label 0 has 1 and 3, the rest 5 and 9. Variances 2 and 8, so s = sqrt(1 + 4).

    Word 1 never varies: s = 0. Word 2 is word 0 with the sign turned. The median of s is sqrt(5).
    """
    logp = np.array([[1, 7, -1], [5, 7, -5], [3, 7, -3], [9, 7, -9]], dtype=float)
    found = separation(logp, np.array([0, 1, 0, 1]), 2)
    t = 5 / (2 * np.sqrt(5))
    assert found == pytest.approx(np.array([[-t, 0, t], [t, 0, -t]]))


def test_where_nothing_varies_nothing_separates() -> None:
    assert separation(np.ones((4, 2)), np.array([0, 1, 0, 1]), 2).tolist() == [[0, 0], [0, 0]]


def test_separation_of_three_labels_is_one_against_the_rest() -> None:
    rng = np.random.default_rng(1)
    logp, gold = rng.normal(size=(30, 7)), np.arange(30) % 3
    found = separation(logp, gold, 3)
    for label in range(3):
        own, rest = logp[gold == label], logp[gold != label]
        test = ttest_ind(own, rest, equal_var=False)
        difference = own.mean(axis=0) - rest.mean(axis=0)
        error = difference / test.statistic
        assert found[label] == pytest.approx(difference / (error + np.median(error)))


def test_words_are_ranked_once_whatever_their_case() -> None:
    scores = np.array([[3.0, 1.0, -1.0, 2.0, 0.0, 1.0], [-3.0, 2.0, 4.0, -1.0, 0.0, -1.0]])
    words = ("good", "Bad", "bad", "Good", "same", "fine")
    assert ranked_words(scores, words) == [["good", "fine"], ["bad"]]


def test_ties_go_to_the_smaller_token() -> None:
    assert ranked_words(np.ones((1, 3)), ("c", "a", "b")) == [["c", "a", "b"]]


@pytest.mark.parametrize(
    ("word", "clean"),
    [
        ("good", True),
        ("Good", True),
        ("été", True),
        ("хорошо", True),
        ("अच्छा", True),  # letters with marks
        ("ok", False),
        ("", False),
        ("goOd", False),
        ("GOOD", False),
        ("good7", False),
        ("so-so", False),
        ("not good", False),
        ("don't", False),
        ("<tool>", False),
    ],
)
def test_clean_words(word: str, clean: bool) -> None:
    assert is_clean_word(word) is clean


def test_farthest_first_by_hand() -> None:
    """On a line: 5 is nearest to the mean 4.6; 0 and 10 are as far, then 4 by 1, then 4 by 0."""
    points = np.array([[0.0], [4.0], [10.0], [5.0], [4.0]])
    assert farthest_first(points) == [3, 0, 2, 1, 4]


POINTS = st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=9)


@given(points=POINTS)
def test_farthest_first_is_greedy_and_its_windows_lie_apart(points: list[tuple[int, int]]) -> None:
    states = np.array(points, dtype=float)
    order = farthest_first(states)
    assert sorted(order) == list(range(len(points)))
    left = states[order]
    gaps = [min(np.sum((left[i] - left[j]) ** 2) for j in range(i)) for i in range(1, len(left))]
    assert all(a >= b for a, b in pairwise(gaps))
    for at in range(1, len(left)):
        farthest = max(
            min(np.sum((left[i] - left[j]) ** 2) for j in range(at)) for i in range(at, len(left))
        )
        assert gaps[at - 1] == farthest
        for start in range(at):
            window = left[start : at + 1]
            apart = min(np.sum((a - b) ** 2) for a, b in combinations(window, 2))
            assert apart >= gaps[at - 1]
