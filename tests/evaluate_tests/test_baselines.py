"""The classical baselines against hand-solved cases."""

import math
from typing import Any, Literal

import dspy
import pandas as pd
import pytest

from evaluate.baselines import LEXICON, LINEAR, MAJORITY, WHOLE, baseline_records
from evaluate.baselines.lexicon import lexicon_labels
from evaluate.rows import frame
from modules.errors import UserError
from modules.tasks.example import Example, Label, SealedSplit, Splits, Task


class Mood(dspy.Signature):  # type: ignore[misc,unused-ignore]
    """Say the mood."""

    review: str = dspy.InputField()
    mood: Literal["bad", "good", "mixed"] = dspy.OutputField()


def _task(*labels: str) -> Task:
    nothing = Splits(train=(), dev=(), confirm=(), test=SealedSplit(digest="", n=0, _examples=()))
    return Task(
        name="mood",
        noun="review",
        signature=Mood,
        labels=tuple(Label(name=name, meaning=name) for name in labels),
        metric="accuracy",
        splits=nothing,
        data_hash="",
        source={},
    )


def _example(review: str, label: str) -> Example:
    return Example(inputs={"review": review}, label=label)


TASK = _task("bad", "good", "mixed")
TEST = [_example("great again", "good"), _example("awful again", "bad")]


def _by_model(records: list[dict[str, Any]], model: str) -> list[dict[str, Any]]:
    return [one for one in records if one["model"] == model]


def test_two_words_are_solved_in_closed_form() -> None:
    # One word each: unit vectors e1, e2. By symmetry the intercept is 0 and the weights (a, -a);
    # a^2 + 2 log(1 + exp(-a)) is least where a (1 + exp(a)) = 1, and p = 1 / (1 + exp(-a)) = 1 - a.
    a = 0.4010581375
    assert a * (1 + math.exp(a)) == pytest.approx(1, abs=1e-6)
    seen = [_example("great", "good"), _example("awful", "bad")]
    great, awful = _by_model(baseline_records(TASK, seen, TEST, 0), LINEAR)
    assert great["probabilities"] == pytest.approx([a, 1 - a, 0], abs=1e-4)
    assert awful["probabilities"] == pytest.approx([1 - a, a, 0], abs=1e-4)
    assert (great["answer"], awful["answer"]) == ("good", "bad")
    assert great["confidence"] == great["p_gold"] == pytest.approx(1 - a, abs=1e-4)
    assert awful["p_gold"] == pytest.approx(1 - a, abs=1e-4)
    assert great["correct"] is awful["correct"] is True
    assert great["p_correct"] == 1.0


def test_a_text_without_a_known_word_gets_the_intercept() -> None:
    seen = [_example("great", "good"), _example("awful", "bad")]
    record = _by_model(baseline_records(TASK, seen, [_example("xyz", "mixed")], 0), LINEAR)[0]
    assert record["probabilities"] == pytest.approx([0.5, 0.5, 0.0], abs=1e-4)
    assert record["p_gold"] == 0.0
    assert record["correct"] is False
    assert record["p_correct"] == 0.0


@pytest.mark.parametrize(
    ("labels", "majority"),
    [
        pytest.param(["good", "bad", "good"], "good", id="most-frequent"),
        pytest.param(["mixed", "good"], "good", id="tie-by-label-order"),
        pytest.param(["mixed", "good", "bad"], "bad", id="tie-of-three"),
        pytest.param(["mixed"], "mixed", id="one"),
    ],
)
def test_majority(labels: list[str], majority: str) -> None:
    seen = [_example(f"word{i}", label) for i, label in enumerate(labels)]
    records = _by_model(baseline_records(TASK, seen, TEST, 0), MAJORITY)
    assert [record["answer"] for record in records] == [majority] * 2
    assert [record["correct"] for record in records] == [majority == "good", majority == "bad"]
    assert all(record["probabilities"] is None for record in records)
    assert all(math.isnan(record["confidence"]) for record in records)
    assert all(math.isnan(record["p_gold"]) for record in records)


def test_three_labels_in_any_order_sum_to_one_and_are_learnt() -> None:
    words = {"good": "great", "bad": "awful", "mixed": "so-so"}
    seen = [_example(f"{word} {i}", label) for label, word in words.items() for i in range(5)]
    test = [_example(f"{word} film", label) for label, word in words.items()]
    for order in (("bad", "good", "mixed"), ("mixed", "good", "bad")):
        task = _task(*order)
        for record in _by_model(baseline_records(task, seen, test, 0), LINEAR):
            assert record["correct"] is True
            assert math.fsum(record["probabilities"]) == pytest.approx(1)
            assert record["probabilities"][order.index(record["gold"])] == record["p_gold"]


@pytest.mark.parametrize(
    ("seen", "probabilities"),
    [
        pytest.param([("great", "good"), ("fine", "good")], [0, 1, 0], id="one-label"),
        pytest.param([("!", "good"), ("?", "bad"), ("", "bad")], [2 / 3, 1 / 3, 0], id="no-word"),
    ],
)
def test_nothing_to_fit_gives_the_label_shares(
    seen: list[tuple[str, str]], probabilities: list[float]
) -> None:
    examples = [_example(*one) for one in seen]
    for record in _by_model(baseline_records(TASK, examples, TEST, 0), LINEAR):
        assert record["probabilities"] == pytest.approx(probabilities)


def test_records_fit_the_schema_and_repeat() -> None:
    seen = [_example("great film", "good"), _example("awful film", "bad")]
    records = baseline_records(TASK, seen, TEST, 7)
    rows = frame(records)
    assert rows["model"].tolist() == [MAJORITY] * 2 + [LINEAR] * 2
    assert rows["example_id"].tolist() == [example.id for example in TEST] * 2
    assert rows["seed"].tolist() == [7] * 4
    assert set(rows["decoding"]) == {"classifier"}
    pd.testing.assert_frame_equal(
        frame(baseline_records(TASK, seen, TEST, 7)), rows, check_exact=True
    )


def test_without_test_examples_there_are_no_rows() -> None:
    assert baseline_records(TASK, [_example("great", "good")], [], 0) == []


def test_nothing_seen_and_unknown_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="at least one labelled example"):
        baseline_records(TASK, [], TEST, 0)
    with pytest.raises(ValueError, match="at least one labelled example"):
        baseline_records(TASK, [_example("great", "good")], TEST, 0, pool=[])
    with pytest.raises(ValueError, match=r"among \['bad', 'good', 'mixed'\], not \['odd'\]"):
        baseline_records(TASK, [_example("great", "good")], [_example("x", "odd")], 0)


def test_the_whole_train_model_learns_from_the_pool_alone() -> None:
    # The pool says the opposite of what was seen: the same closed form with the labels exchanged.
    seen = [_example("great", "good"), _example("awful", "bad")]
    pool = [_example("great", "bad"), _example("awful", "good")]
    records = baseline_records(TASK, seen, TEST, 0, pool=pool)
    assert [one["model"] for one in records] == [MAJORITY] * 2 + [LINEAR] * 2 + [WHOLE] * 2
    of_seen, of_pool = _by_model(records, LINEAR), _by_model(records, WHOLE)
    assert [one["answer"] for one in of_seen] == ["good", "bad"]
    assert [one["answer"] for one in of_pool] == ["bad", "good"]
    assert [one["p_correct"] for one in of_pool] == [0.0, 0.0]
    for first, second in zip(of_seen, of_pool, strict=True):
        bad, good, mixed = first["probabilities"]
        assert second["probabilities"] == pytest.approx([good, bad, mixed], abs=1e-4)
    assert records[:4] == baseline_records(TASK, seen, TEST, 0)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        # "good" is 1.9 in VADER's list, "horrible" -2.5; negation multiplies by -0.74
        pytest.param("a good film", "positive", id="positive"),
        pytest.param("a horrible film", "negative", id="negative"),
        pytest.param("not a good film", "negative", id="negated"),
        pytest.param("the film has 3 reels", "positive", id="no-word-known-is-0"),
        pytest.param("", "positive", id="empty"),
        pytest.param("good horrible", "negative", id="the-stronger"),
    ],
)
def test_lexicon(text: str, label: str) -> None:
    assert lexicon_labels([text]) == [label]


def test_the_lexicon_answers_where_the_labels_are_negative_and_positive() -> None:
    task = _task("positive", "negative")
    seen = [_example("great", "positive"), _example("awful", "negative")]
    test = [_example("a good film", "positive"), _example("a good play", "negative")]
    records = baseline_records(task, seen, test, 3)
    assert [one["model"] for one in records[::2]] == [MAJORITY, LEXICON, LINEAR]
    right, wrong = _by_model(records, LEXICON)
    assert (right["answer"], right["correct"], right["p_correct"]) == ("positive", True, 1.0)
    assert (wrong["answer"], wrong["correct"], wrong["p_correct"]) == ("positive", False, 0.0)
    for record in (right, wrong):
        assert record["probabilities"] is None
        assert math.isnan(record["confidence"])
        assert math.isnan(record["p_gold"])
        assert (record["outcome"], record["decoding"], record["seed"]) == ("ok", "classifier", 3)


@pytest.mark.parametrize(
    "labels",
    [("negative", "positive", "neutral"), ("Negative", "Positive"), ("bad", "good")],
    ids=["three", "upper-case", "other-names"],
)
def test_other_labels_have_no_lexicon(labels: tuple[str, ...]) -> None:
    seen = [_example("great", labels[0])]
    records = baseline_records(_task(*labels), seen, [_example("fine play", labels[1])], 0)
    assert {one["model"] for one in records} == {MAJORITY, LINEAR}


@pytest.mark.parametrize("where", ["seen", "pool"])
@pytest.mark.parametrize("text", ["great again", "GREAT, again!"], ids=["same", "near"])
def test_a_planted_leak_is_refused(where: str, text: str) -> None:
    clean, planted = [_example("great", "good")], [_example(text, "good")]
    seen, pool = (planted, clean) if where == "seen" else (clean, planted)
    with pytest.raises(UserError, match="nothing may be learnt from the test"):
        baseline_records(TASK, seen, TEST, 0, pool=pool)


def test_equal_probabilities_go_to_the_first_label() -> None:
    # no word to fit: the labels' shares, which are equal to the last bit
    seen = [_example("!", "good"), _example("?", "bad")]
    (record,) = _by_model(baseline_records(TASK, seen, TEST[:1], 0), LINEAR)
    assert record["probabilities"] == [0.5, 0.5, 0.0]
    assert record["answer"] == "bad"
