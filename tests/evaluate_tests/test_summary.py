"""The summary against counts made by hand, and the polarity alarm."""

import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluate.rows import frame
from evaluate.summary import COLUMNS, polarity_alarm, summarise
from modules.wilson import wilson
from tests.evaluate_tests.records import INVALID, LM_ERROR, WRONG, record

KINDS: dict[str, dict[str, Any]] = {
    "right": {},
    "wrong": WRONG,
    "invalid": INVALID,
    "error": LM_ERROR,
}


def _drawn(*kinds: str, seed: int = 0, **changes: Any) -> list[dict[str, Any]]:
    """Give one record per kind; the examples are e0, e1, ..."""
    return [
        record(example_id=f"e{i}", seed=seed, **(changes | KINDS[kind]))
        for i, kind in enumerate(kinds)
    ]


def test_counts_and_means_by_hand() -> None:
    records = _drawn("right", "right", "wrong", "invalid")
    for one, n_tokens, p_gold in zip(records, (10, 20, 30, 60), (0.9, 0.6, 0.3, 0.0), strict=True):
        one.update(n_input_tokens=n_tokens, n_output_tokens=n_tokens // 10)
        if one["outcome"] == "ok":
            one["p_gold"] = p_gold
    (line,) = summarise(frame(records)).to_dict("records")
    assert (line["n"], line["n_examples"], line["seeds"], line["n_errors"]) == (4, 4, 1, 0)
    assert line["accuracy"] == 0.5
    assert (line["low"], line["high"]) == wilson(2, 4)
    assert line["invalid"] == 0.25
    assert (line["input_tokens"], line["output_tokens"]) == (30.0, 3.0)
    assert line["p_gold"] == pytest.approx((0.9 + 0.6 + 0.3) / 3)


def test_draws_of_one_example_do_not_narrow_the_interval() -> None:
    records = [
        *_drawn("right", "right", "wrong", seed=0),
        *_drawn("right", "wrong", "wrong", seed=1),
        *_drawn("right", "right", "invalid", seed=2),
    ]
    (line,) = summarise(frame(records)).to_dict("records")
    assert (line["n"], line["n_examples"], line["seeds"]) == (9, 3, 3)
    assert line["accuracy"] == pytest.approx(5 / 9)
    # 5/9 of 3 examples is 1.67, which rounds to 2.
    assert (line["low"], line["high"]) == wilson(2, 3)


def test_an_error_is_counted_and_not_scored() -> None:
    records = _drawn("right", "error", "wrong", "error")
    records[1]["n_input_tokens"] = 9_999
    (line,) = summarise(frame(records)).to_dict("records")
    assert (line["n"], line["n_examples"], line["n_errors"]) == (4, 2, 2)
    assert (line["accuracy"], line["invalid"], line["input_tokens"]) == (0.5, 0.0, 10.0)


def test_nothing_scored_is_undefined_and_not_zero() -> None:
    (line,) = summarise(frame(_drawn("error", "error"))).to_dict("records")
    assert (line["n"], line["n_examples"], line["seeds"], line["n_errors"]) == (2, 0, 0, 2)
    for name in ("accuracy", "low", "high", "invalid", "input_tokens", "output_tokens", "p_gold"):
        assert math.isnan(line[name])


def test_order_is_fixed() -> None:
    wanted = [
        ("a", "naive", "choose", 0.0),
        ("a", "naive", "choose", 0.2),
        ("a", "naive", "choose", 1.0),
        ("a", "naive", "generate", 0.2),
        ("a", "frozen", "choose", 0.0),
        ("a", "another", "choose", 0.0),
        ("b", "naive", "choose", 0.0),
        ("A baseline", "-", "classifier", 0.0),
    ]
    names = ("model", "prompt", "decoding", "temperature")
    records = [record(**dict(zip(names, key, strict=True))) for key in wanted]
    for shuffled in (records, records[::-1], records[3:] + records[:3]):
        summary = summarise(frame(shuffled))
        assert list(summary[list(names)].itertuples(index=False, name=None)) == wanted


@given(st.permutations(_drawn("right", "wrong", "invalid", "error", "right")))
def test_order_of_rows_does_not_matter(records: list[dict[str, Any]]) -> None:
    straight = summarise(frame(_drawn("right", "wrong", "invalid", "error", "right")))
    pd.testing.assert_frame_equal(summarise(frame(records)), straight)


def test_without_rows_the_summary_is_empty_with_the_same_dtypes() -> None:
    empty, full = summarise(frame([])), summarise(frame([record()]))
    assert len(empty) == 0
    assert list(full.columns) == list(COLUMNS)
    pd.testing.assert_series_equal(empty.dtypes, full.dtypes)


def test_several_tasks_or_prompts_are_refused() -> None:
    with pytest.raises(ValueError, match=r"of one task, not of \['imdb', 'mood'\]"):
        summarise(frame([record(), record(task="mood")]))
    with pytest.raises(ValueError, match=r"one prompt, but .* has \['p1', 'p2'\]"):
        summarise(frame([record(), record(prompt_id="p2")]))


def _answers(n_right: int, n: int, **changes: Any) -> list[dict[str, Any]]:
    """Give n answers, of which so many are right."""
    kinds = ["right"] * n_right + ["wrong"] * (n - n_right)
    return _drawn(*kinds, **changes)


def test_alarm_names_every_configuration_below_chance() -> None:
    # 12 of 100 ends at 19.8 %, far below one half; 45 of 100 ends at 54.8 %.
    rows = frame([*_answers(45, 100), *_answers(12, 100, model="up\nside", temperature=0.2)])
    assert polarity_alarm(rows, 2) == [
        "up side, prompt naive, choose, temperature 0.2: 12.0 [7.0, 19.8] % of its readable "
        "answers are right against 50.0 % by guessing: are the labels inverted?"
    ]


def test_inverted_labels_set_the_alarm_off_and_the_right_way_round_does_not() -> None:
    upright = _answers(86, 100)
    inverted = [
        one
        | {"gold": {"positive": "negative", "negative": "positive"}[one["gold"]]}
        | {"correct": not one["correct"]}
        for one in upright
    ]
    assert polarity_alarm(frame(upright), 2) == []
    assert len(polarity_alarm(frame(inverted), 2)) == 1


def test_what_cannot_be_read_is_not_inverted() -> None:
    # 10 of 100 are right, but 90 are invalid: of the readable answers all are right.
    rows = frame(_drawn(*["right"] * 10, *["invalid"] * 90))
    assert polarity_alarm(rows, 2) == []
    errors = frame(_drawn(*["error"] * 50))
    assert polarity_alarm(errors, 2) == []


@pytest.mark.parametrize(
    ("n_right", "n_labels", "n_alarms"),
    [(40, 2, 1), (41, 2, 0), (16, 4, 1), (17, 4, 0)],
    ids=["below-half", "near-half", "below-quarter", "near-quarter"],
)
def test_alarm_rings_where_the_whole_interval_is_below_chance(
    n_right: int, n_labels: int, n_alarms: int
) -> None:
    # Of 100: 40 ends at 49.8 %, 41 at 50.8 %; 16 at 24.4 %, 17 at 25.5 %.
    assert (wilson(n_right, 100).high < 1 / n_labels) is bool(n_alarms)
    assert len(polarity_alarm(frame(_answers(n_right, 100)), n_labels)) == n_alarms


def test_many_configurations_need_a_clearer_case() -> None:
    # 38 of 100 ends at 47.8 % alone; among 40 the level is 0.05 / 40 and it ends above one half.
    many = [one for t in range(40) for one in _answers(38, 100, temperature=float(t))]
    assert wilson(38, 100, 1 - 0.05 / 40).high > 0.5 > wilson(38, 100).high
    assert polarity_alarm(frame(many), 2) == []
    assert len(polarity_alarm(frame(_answers(38, 100)), 2)) == 1


def test_alarm_needs_two_labels() -> None:
    with pytest.raises(ValueError, match="two labels or more, not 1"):
        polarity_alarm(frame([]), 1)
    assert polarity_alarm(frame([]), 2) == []
