"""The trie of the choices against a slow walk over it."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.lm.trie import Ids, choice_log_probabilities, forks

END = 9
TOKEN = st.integers(0, 3)  # few tokens: shared beginnings and prefixes of one another are common
CHOICES = st.lists(
    st.lists(TOKEN, min_size=1, max_size=4).map(tuple), min_size=2, max_size=6, unique=True
)


def logit(path: Ids, token: int) -> float:
    """A made-up model: any fixed function of the path and the next token."""
    return math.sin(7.3 * token + 1.7 * len(path) + sum((n + 2) * t for n, t in enumerate(path)))


def slow_walk(choices: list[Ids], choice: Ids, temperature: float) -> float:
    """Probability of one choice: token by token, renormalised over what any choice allows there."""
    ended = [(*c, END) for c in choices]
    target, p = (*choice, END), 1.0
    for n in range(len(target)):
        allowed = {e[n] for e in ended if e[:n] == target[:n] and len(e) > n}
        weights = {t: math.exp(logit(target[:n], t) / temperature) for t in allowed}
        p *= weights[target[n]] / sum(weights.values())
    return p


def fast(choices: list[Ids], temperature: float, n_prompts: int = 1) -> np.ndarray:
    tree = forks(choices, END)
    logits = [
        np.array([[logit(f.path, t) for t in f.tokens] for _ in range(n_prompts)]) for f in tree
    ]
    return choice_log_probabilities(tree, logits, len(choices), temperature)


@given(CHOICES, st.sampled_from([0.1, 0.7, 1.0, 3.0]))
def test_equals_the_slow_walk_at_every_temperature(choices: list[Ids], temperature: float) -> None:
    expected = [slow_walk(choices, choice, temperature) for choice in choices]
    assert np.exp(fast(choices, temperature)[0]) == pytest.approx(expected, abs=1e-12)


@given(CHOICES)
def test_rows_sum_to_one(choices: list[Ids]) -> None:
    p = np.exp(fast(choices, 1.0, n_prompts=3))
    assert p.shape == (3, len(choices))
    assert p.sum(axis=1) == pytest.approx(1, abs=1e-12)


@given(CHOICES)
def test_a_fork_has_two_ways_and_every_choice_takes_at_most_one(choices: list[Ids]) -> None:
    tree = forks(choices, END)
    assert tree[0].path == min((f.path for f in tree), key=len)
    for fork in tree:
        assert len(fork.tokens) >= 2
        passing = [c for c in choices if c[: len(fork.path)] == fork.path]
        assert fork.member.sum() == len(passing)
        assert fork.member.sum(axis=1).max() == 1


@given(CHOICES, st.randoms(use_true_random=False))
def test_the_order_of_the_choices_only_permutes_the_columns(choices: list[Ids], random) -> None:
    order = list(range(len(choices)))
    random.shuffle(order)
    moved = fast([choices[n] for n in order], 1.0)[0]
    assert moved == pytest.approx(fast(choices, 1.0)[0][order], abs=1e-12)


def test_different_first_tokens_need_one_fork_only() -> None:
    (fork,) = forks([(1, 5, 6), (2,), (3, 5)], END)
    assert (fork.path, fork.tokens) == ((), (1, 2, 3))


def test_shared_first_token_forks_later() -> None:
    (fork,) = forks([(1, 2, 3), (1, 4, 3)], END)
    assert (fork.path, fork.tokens) == ((1,), (2, 4))


def test_a_prefix_of_another_choice_competes_with_the_end() -> None:
    (fork,) = forks([(1,), (1, 2)], END)
    assert (fork.path, fork.tokens) == ((1,), (2, END))
    assert fork.member.tolist() == [[False, True], [True, False]]


def test_two_ways_are_a_softmax_of_logits_over_temperature() -> None:
    tree = forks([(1,), (2,)], END)
    p = np.exp(choice_log_probabilities(tree, [np.array([[3.0, 1.0]])], 2, temperature=0.5))
    assert p[0] == pytest.approx([1 / (1 + math.exp(-4)), 1 / (1 + math.exp(4))])


def test_huge_logits_do_not_overflow() -> None:
    tree = forks([(1,), (2,)], END)
    logp = choice_log_probabilities(tree, [np.array([[1e5, -1e5]])], 2, temperature=0.01)
    assert logp[0].tolist() == [0.0, -2e7]


@pytest.mark.parametrize(
    ("choices", "match"),
    [([(1,), ()], "has no tokens"), ([(1, 2), (1, 2)], "two choices have the same tokens")],
)
def test_forks_refuse(choices: list[Ids], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        forks(choices, END)


@pytest.mark.parametrize("temperature", [0.0, -1.0])
def test_temperature_is_positive(temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature must be > 0"):
        choice_log_probabilities([], [], 2, temperature)
