"""Metrics: functions from gold and given answers to one number, by name.

Owns the point values only; intervals and tests belong to `evaluate`, the choice of a metric to the
task.
"""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import dspy
from sklearn.metrics import recall_score

from modules.errors import UserError

Metric = Callable[[Sequence[int], Sequence[int | None]], float]
DspyMetric = Callable[..., bool]

_INVALID = -1


def accuracy(gold: Sequence[int], answer: Sequence[int | None]) -> float:
    """Give the share of answers that equal the gold label, in [0, 1], higher is better.

    Args:
        gold: label indices, of length n.
        answer: label indices, of length n; None is an invalid answer and counts as wrong.

    Raises:
        ValueError: n is 0, or the lengths differ.
    """
    _check(gold, answer)
    return sum(g == a for g, a in zip(gold, answer, strict=True)) / len(gold)


def balanced_accuracy(gold: Sequence[int], answer: Sequence[int | None]) -> float:
    """Give the mean, over the labels in `gold`, of each label's share of right answers.

    In [0, 1], higher is better; labels that `gold` lacks have no say. Arguments and errors are
    those of `accuracy`.
    """
    _check(gold, answer)
    # recall_score and not balanced_accuracy_score, which warns of every answer outside `gold`
    given = [_INVALID if a is None else a for a in answer]
    labels = sorted(set(gold))
    return float(recall_score(gold, given, labels=labels, average="macro", zero_division=0.0))


METRICS: Mapping[str, Metric] = MappingProxyType(
    {"accuracy": accuracy, "balanced_accuracy": balanced_accuracy}
)


def get_metric(name: str) -> Metric:
    """Give the metric of that name.

    Raises:
        UserError: there is none; the message lists the names.
    """
    if name not in METRICS:
        raise UserError(f"a metric must be one of {', '.join(METRICS)}; got {name!r}")
    return METRICS[name]


def dspy_metric(output_field: str) -> DspyMetric:
    """Give the metric in the form that DSPy's optimizers take: is this one prediction right?

    The function compares the predicted label with the example's, as exact strings. A prediction
    without the field, or with None in it, is wrong. An example without it raises `KeyError`.
    """

    def is_right(example: dspy.Example, prediction: Any, trace: Any = None) -> bool:
        gold = example[output_field]
        return bool(getattr(prediction, output_field, None) == gold)

    return is_right


def _check(gold: Sequence[int], answer: Sequence[int | None]) -> None:
    if len(gold) != len(answer):
        raise ValueError(f"{len(gold)} gold labels but {len(answer)} answers")
    if len(gold) == 0:
        raise ValueError("a metric of no examples is undefined")
