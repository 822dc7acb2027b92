"""The rows of all baselines on one test split.

It owns their order and what a row holds; each baseline's answers are its own file's.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from evaluate.baselines.lexicon import LEXICON, has_polarity, lexicon_labels
from evaluate.baselines.linear import LINEAR, WHOLE, Probabilities, linear_probabilities
from evaluate.baselines.majority import MAJORITY, majority_label
from modules.tasks.example import Example, Task
from modules.tasks.leak import refuse_leak

Record = dict[str, Any]


def baseline_records(
    task: Task,
    seen: Sequence[Example],
    test: Sequence[Example],
    seed: int,
    *,
    pool: Sequence[Example] | None = None,
) -> list[Record]:
    """Give the rows of the baselines as records for `evaluate.rows.frame`.

    Args:
        task: gives the name, the text field and the order of the labels.
        seen: the labelled examples that the search saw, at least one; the majority class and the
            first linear model learn from exactly these, so the comparison is fair.
        test: the examples to answer; without any there are no rows.
        seed: written to every row and given to scikit-learn; all baselines are deterministic.
        pool: every labelled example that is not held out, for the second linear model, which says
            what all the labels are worth; None leaves that model out.

    Returns:
        For each baseline a row per test example, in their order: `majority class`; `VADER lexicon`,
        where the labels are exactly `negative` and `positive`; `TF-IDF + logistic regression`; and
        the same with `, whole train`, where there is a pool. Probabilities, confidence and p_gold
        are known for the linear models alone.

    Raises:
        ValueError: `seen` or `pool` is empty, or a label is unknown to the task.
        UserError: a test example, or a near duplicate of one, is among `seen` or `pool`.
    """
    _check(task, seen, test, pool)
    if len(test) == 0:
        return []
    refuse_leak(seen, test, what="the examples that the search saw")
    majority = majority_label(task, seen)
    records = list(_answered(task, test, MAJORITY, [majority] * len(test), seed))
    if has_polarity(task):
        texts = [example.inputs[task.input_field] for example in test]
        records += _answered(task, test, LEXICON, lexicon_labels(texts), seed)
    records += _scored(task, test, LINEAR, linear_probabilities(task, seen, test, seed), seed)
    if pool is not None:
        refuse_leak(pool, test, what="the whole train pool")
        records += _scored(task, test, WHOLE, linear_probabilities(task, pool, test, seed), seed)
    return records


def _check(
    task: Task, seen: Sequence[Example], test: Sequence[Example], pool: Sequence[Example] | None
) -> None:
    if len(seen) == 0 or (pool is not None and len(pool) == 0):
        raise ValueError("a baseline needs at least one labelled example to learn from, got none")
    labels = {example.label for example in (*seen, *test, *(pool or ()))}
    unknown = sorted(labels - set(task.label_names))
    if unknown:
        raise ValueError(f"labels must be among {list(task.label_names)}, not {unknown}")


def _answered(
    task: Task, test: Sequence[Example], model: str, answers: Sequence[str], seed: int
) -> Iterator[Record]:
    """Give the rows of answers without probabilities."""
    for example, answer in zip(test, answers, strict=True):
        yield _record(task, example, model, answer, seed) | {
            "probabilities": None,
            "confidence": math.nan,
            "p_gold": math.nan,
        }


def _scored(
    task: Task, test: Sequence[Example], model: str, probabilities: Probabilities, seed: int
) -> Iterator[Record]:
    """Give the rows of the most probable labels, the first of equals in label order."""
    for example, row in zip(test, probabilities, strict=True):
        best = int(row.argmax())
        yield _record(task, example, model, task.label_names[best], seed) | {
            "probabilities": row.tolist(),
            "confidence": float(row[best]),
            "p_gold": float(row[task.label_names.index(example.label)]),
        }


def _record(task: Task, example: Example, model: str, answer: str, seed: int) -> Record:
    """Give what the rows of every baseline share."""
    is_correct = answer == example.label
    return {
        "task": task.name,
        "model": model,
        "prompt": "-",
        "prompt_id": "-",
        "decoding": "classifier",
        "temperature": 0.0,
        "seed": seed,
        "example_id": example.id,
        "gold": example.label,
        "answer": answer,
        "outcome": "ok",
        "correct": is_correct,
        "p_correct": float(is_correct),
        "text": None,
        "n_input_tokens": 0,
        "n_output_tokens": 0,
    }
