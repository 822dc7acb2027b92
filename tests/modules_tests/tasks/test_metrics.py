"""Metrics: hand-derived values, invalid answers, and the form that DSPy takes."""

import dspy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.errors import UserError
from modules.tasks.metrics import METRICS, accuracy, balanced_accuracy, dspy_metric, get_metric

_ROWS = st.lists(
    st.tuples(st.integers(0, 3), st.none() | st.integers(0, 3)), min_size=1, max_size=30
)


def test_values_by_hand() -> None:
    gold, answer = [0, 0, 0, 1], [0, None, 1, 1]
    assert accuracy(gold, answer) == 0.5
    assert balanced_accuracy(gold, answer) == pytest.approx((1 / 3 + 1) / 2)


@given(_ROWS)
def test_balanced_accuracy_is_the_mean_of_the_labels_accuracies(
    rows: list[tuple[int, int | None]],
) -> None:
    gold, answer = [g for g, _ in rows], [a for _, a in rows]
    by_label = [
        sum(a == label for g, a in rows if g == label) / gold.count(label) for label in set(gold)
    ]
    assert balanced_accuracy(gold, answer) == pytest.approx(sum(by_label) / len(by_label))


@pytest.mark.parametrize("name", list(METRICS))
def test_bounds_and_errors_of_every_metric(name: str) -> None:
    metric = get_metric(name)
    assert metric([0, 1, 2], [0, 1, 2]) == 1.0
    assert metric([0, 1], [None, None]) == 0.0
    with pytest.raises(ValueError, match="of no examples"):
        metric([], [])
    with pytest.raises(ValueError, match="1 gold labels but 2 answers"):
        metric([0], [0, 1])


def test_an_unknown_metric_lists_the_names() -> None:
    with pytest.raises(UserError, match="accuracy, balanced_accuracy; got 'f1'"):
        get_metric("f1")


def test_dspy_metric() -> None:
    metric = dspy_metric("label")
    gold = dspy.Example(text="a", label="x")
    assert metric(gold, dspy.Prediction(label="x")) is True
    assert metric(gold, dspy.Prediction(label="X"), None) is False
    assert metric(gold, dspy.Prediction(other="x"), trace=[]) is False
    assert metric(gold, dspy.Prediction(label=None)) is False
