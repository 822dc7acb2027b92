"""What all analyses read, and the interval that they share."""

import math

import pandas as pd
import pytest

from evaluate.analysis.selection import chosen_at_zero, scored, share_interval, with_examples
from modules.wilson import wilson
from tests.evaluate_tests.analysis.answers import answer, error, examples, rows


def test_only_scored_choices_at_zero_are_read_and_each_once() -> None:
    found = chosen_at_zero(
        rows(
            answer("e1", "positive", seed=4),
            answer("e1", "negative", seed=3),
            answer("e1", "positive", temperature=0.2),
            answer("e2", "positive", decoding="generate"),
            answer("e3", "positive", decoding="classifier", prompt="-"),
            error("e4"),
        )
    )
    assert found[["example_id", "seed"]].to_numpy().tolist() == [["e1", 3]]


def test_prompts_stand_as_in_the_ladder_and_others_by_name() -> None:
    names = ["zebra", "frozen", "frozen for b", "naive", "chain-of-thought", "few-shot"]
    names += ["instructed"]
    found = chosen_at_zero(rows(*(answer("e", "positive", prompt=name) for name in names)))
    assert found["prompt"].tolist() == [
        "naive",
        "instructed",
        "few-shot",
        "chain-of-thought",
        "frozen",
        "frozen for b",
        "zebra",
    ]


def test_several_tasks_are_refused() -> None:
    with pytest.raises(ValueError, match=r"of one task, not of \['imdb', 'mood'\]"):
        scored(rows(answer("e", "positive"), answer("e", "positive", task="mood")))


def test_the_interval_is_that_of_the_distinct_examples() -> None:
    # 5 of 9 draws of 3 examples: 5/9 of 3 is 1.67, which rounds to 2.
    assert share_interval(5, 9, 3) == wilson(2, 3)
    assert share_interval(5, 9, 9) == wilson(5, 9)
    assert all(map(math.isnan, share_interval(0, 0, 0)))


def test_examples_are_joined_by_id_and_must_be_known_once() -> None:
    lines = pd.DataFrame({"example_id": ["e2", "e1", "e2"]})
    joined = with_examples(lines, examples("e1", "e2", "e3", n_words=[1, 2, 3]), ["n_words"])
    assert joined["n_words"].tolist() == [2, 1, 2]
    with pytest.raises(ValueError, match=r"1 ids of rows are not among the examples: \['e2'\]"):
        with_examples(lines, examples("e1"), ["n_words"])
    with pytest.raises(ValueError, match="distinct ids, e1 repeats"):
        with_examples(lines, examples("e1", "e1", "e2"), ["n_words"])
