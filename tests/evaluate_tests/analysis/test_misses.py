"""What all configurations miss, and how many that would be by chance."""

import math

import pytest

from evaluate.analysis import missed_by_all
from tests.evaluate_tests.analysis.answers import answer, asked, error, examples, rows

IDS = ["e0", "e1", "e2", "e3"]


def test_an_example_is_missed_when_nobody_is_right() -> None:
    found = missed_by_all(
        rows(
            *asked(1, 3, model="a"),  # e1, e2, e3 wrong
            *asked(2, 2, model="b"),  # e2, e3 wrong
            answer("e2", "positive", model="b", temperature=0.2),
        ),
        examples(*IDS, n_words=[1, 2, 3, 4]),
    )
    assert found.missed["example_id"].tolist() == ["e2", "e3"]
    assert found.missed["n_words"].tolist() == [3, 4]
    assert found.missed["text"].tolist() == ["text of e2", "text of e3"]
    assert (found.n_examples, found.n_configurations) == (4, 2)
    # Miss rates 3/4 and 1/2: every example is missed by both with 3/8.
    assert found.expected == pytest.approx(4 * 3 / 4 * 1 / 2)


def test_who_was_not_asked_does_not_count() -> None:
    found = missed_by_all(
        rows(*asked(0, 2, model="a"), answer("e0", "positive", model="b"), error("e1", model="b")),
        examples("e0", "e1"),
    )
    assert found.missed["example_id"].tolist() == ["e1"]
    assert found.missed["n_asked"].tolist() == [1]
    # a misses all of its two; b none of its one: e0 is missed with 1 * 0, e1 with 1.
    assert found.expected == pytest.approx(1.0)


def test_the_most_confident_miss_comes_first() -> None:
    found = missed_by_all(
        rows(
            answer("e0", "negative", model="a", confidence=0.6),
            answer("e0", "negative", model="b", confidence=0.8),
            answer("e1", None, model="a"),
            answer("e1", None, model="b"),
            answer("e2", "mixed", model="a", confidence=0.9),
            answer("e2", "bad", model="b", confidence=0.7),
        ),
        examples("e0", "e1", "e2"),
    )
    assert found.missed["example_id"].tolist() == ["e2", "e0", "e1"]
    assert found.missed["confidence"].tolist()[:2] == pytest.approx([0.8, 0.7])
    assert math.isnan(found.missed["confidence"][2])
    assert found.missed["answer"].tolist()[:2] == ["bad", "negative"]
    assert found.missed["answer"].isna().tolist() == [False, False, True]


def test_without_rows_nothing_is_missed_or_expected() -> None:
    found = missed_by_all(rows(), examples(*IDS))
    assert (len(found.missed), *found[1:]) == (0, 0, 0, 0.0)
