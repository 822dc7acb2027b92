"""Confusion matrices against counts by hand."""

from typing import Any

import pytest

from evaluate.analysis import confusion, errors_by_gold
from tests.evaluate_tests.analysis.answers import answer, error, rows

LABELS = ["negative", "positive", "mixed"]


def test_counts_by_hand() -> None:
    one = rows(
        answer("a", "positive"),
        answer("b", "positive", seed=1),
        answer("c", "negative"),
        answer("d", None),
        answer("e", "mixed", gold="negative"),
        error("f"),
        error("g", gold="negative"),
    )
    counts = confusion(one, LABELS)
    assert counts.index.tolist() == LABELS
    assert list(counts) == [*LABELS, "invalid"]
    assert counts.to_numpy().tolist() == [[0, 0, 1, 0], [1, 2, 0, 1], [0, 0, 0, 0]]
    assert errors_by_gold(one, LABELS).to_dict() == {"negative": 1, "positive": 1, "mixed": 0}


@pytest.mark.parametrize("records", [[], [error("a")]], ids=["no-rows", "errors-only"])
def test_without_answers_all_counts_are_zero(records: list[dict[str, Any]]) -> None:
    counts = confusion(rows(*records), LABELS)
    assert counts.to_numpy().tolist() == [[0] * 4] * 3
    assert set(counts.dtypes.astype(str)) == {"int64"}


def test_a_label_called_invalid_has_a_column_of_its_own() -> None:
    one = rows(answer("a", "invalid", gold="invalid"), answer("b", None, gold="invalid"))
    counts = confusion(one, ["invalid", "fine"])
    assert list(counts) == ["invalid", "fine", "(invalid)"]
    assert counts.to_numpy().tolist() == [[1, 0, 1], [0, 0, 0]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"model": "b"}, "one configuration, not of 2", id="model"),
        pytest.param({"prompt": "b"}, "one configuration, not of 2", id="prompt"),
        pytest.param({"prompt_id": "b"}, "one configuration, not of 2", id="prompt-id"),
        pytest.param({"temperature": 0.2}, "one configuration, not of 2", id="temperature"),
        pytest.param({"decoding": "generate"}, "one configuration, not of 2", id="decoding"),
        pytest.param({"gold": "odd"}, r"not \['odd'\]", id="gold"),
        pytest.param({"answer": "odd", "correct": False}, r"not \['odd'\]", id="answer"),
    ],
)
def test_refused(change: dict[str, Any], message: str) -> None:
    one = rows(answer("a", "positive"), answer("b", "positive", **change))
    with pytest.raises(ValueError, match=message):
        confusion(one, LABELS)
    with pytest.raises(ValueError, match=message):
        errors_by_gold(one, LABELS)


def test_repeated_labels_are_refused() -> None:
    with pytest.raises(ValueError, match="labels must be distinct"):
        confusion(rows(), ["a", "a"])
