"""Duplicates: exact ones by label, near ones against a slow and plain version."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.tasks.duplicates import drop_exact, drop_near, near_a_greater, shingles
from modules.tasks.example import Example

_TEXTS = st.lists(st.lists(st.sampled_from("abcd"), max_size=12).map(" ".join), max_size=25)


def _row(text: str, label: str = "x", rating: float | None = None) -> Example:
    return Example(inputs={"text": text}, label=label, rating=rating)


def test_exact_duplicates_that_agree_leave_one_and_conflicting_ones_none() -> None:
    rows = [_row("a"), _row("a"), _row("a"), _row("b"), _row("b", "y"), _row("b"), _row("c")]
    distinct = drop_exact(rows)
    assert sorted(example.inputs["text"] for example in distinct.examples) == ["a", "c"]
    assert (distinct.n_duplicates, distinct.n_conflicting) == (2, 3)


def test_which_row_stays_does_not_depend_on_the_order() -> None:
    rows = [_row("a", rating=2.0), _row("a", rating=1.0), _row("a", rating=3.0)]
    for order in permutations(rows):
        assert [example.rating for example in drop_exact(order).examples] == [1.0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", set(), id="empty"),
        pytest.param("!!! ... _", set(), id="no-word"),
        pytest.param("Good!", {"good"}, id="one-word"),
        pytest.param("Good-bye", {"good bye"}, id="two-words"),
        pytest.param("a b c", {"a b c"}, id="three-words"),
        pytest.param("A, b. c D", {"a b c", "b c d"}, id="four-words"),
        pytest.param("a a a a", {"a a a"}, id="repeated"),
    ],
)
def test_shingles(text: str, expected: set[str]) -> None:
    assert shingles(text) == expected


def test_the_limit_is_inclusive() -> None:
    base = "a b c d e f g h i j"  # 8 shingles
    under = "a b c d e f g h i x y z"  # 10 shingles, 7 of them shared, 11 in all
    exactly = "p q a b c d e f g h i"  # 9 shingles, 7 of them shared, 10 in all
    level = np.array([0, 1])
    assert near_a_greater([base, under], level).tolist() == [False, False]
    assert near_a_greater([base, exactly], level).tolist() == [True, False]


@given(_TEXTS, st.randoms(use_true_random=False))
def test_near_duplicates_are_those_of_the_plain_definition(
    texts: list[str], random: object
) -> None:
    level = np.array([len(text) * 7 % 4 for text in texts], dtype=np.int64)
    sets = [shingles(text) for text in texts]
    expected = [
        any(
            level[j] > level[i] and a and 10 * len(a & b) >= 7 * len(a | b)
            for j, b in enumerate(sets)
        )
        for i, a in enumerate(sets)
    ]
    assert near_a_greater(texts, level).tolist() == expected


def test_the_row_of_the_lesser_split_goes_and_none_moves() -> None:
    splits = {
        "train": [_row("One two three."), _row("four"), _row("???")],
        "dev": [_row("one two three!"), _row("FOUR")],
        "test": [_row("ONE TWO THREE"), _row("!!!"), _row("six"), _row("Six")],
    }
    kept = drop_near(splits, ("train", "dev", "test"))
    texts = {name: [row.inputs["text"] for row in rows] for name, rows in kept.items()}
    assert texts == {
        "train": ["???"],
        "dev": ["FOUR"],
        "test": ["ONE TWO THREE", "!!!", "six", "Six"],
    }


def test_no_rows_at_all() -> None:
    assert drop_near({"train": [], "test": []}, ("train", "test")) == {"train": [], "test": []}
