"""What a prompt has to beat: the majority class, and a linear model over word counts.

It owns the two classical baselines and their rows. Both learn from exactly the labelled examples
that the search saw, so the comparison is fair; which those are is the caller's business.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import (  # type: ignore[import-untyped,unused-ignore]
    TfidfVectorizer,
)
from sklearn.linear_model import (  # type: ignore[import-untyped,unused-ignore]
    LogisticRegression,
)

from modules.tasks.example import Example, Task

MAJORITY = "majority class"
LINEAR = "TF-IDF + logistic regression"
_MAX_ITERATIONS = 10_000

Probabilities = npt.NDArray[np.float64]


def baseline_records(
    task: Task, seen: Sequence[Example], test: Sequence[Example], seed: int
) -> list[dict[str, Any]]:
    """Give the rows of both baselines as records for `evaluate.rows.frame`.

    Args:
        task: gives the name, the text field and the order of the labels.
        seen: the labelled examples to learn from, at least one; those that the search saw.
        test: the examples to answer; without any there are no rows.
        seed: written to every row and given to scikit-learn; both baselines are deterministic.

    Returns:
        First `majority class` for every test example, in their order, then `TF-IDF + logistic
        regression`. Probabilities, confidence and p_gold are known for the second alone; a label
        that `seen` lacks has probability 0.

    Raises:
        ValueError: `seen` is empty, or an example has a label that the task does not know.
    """
    if len(seen) == 0:
        raise ValueError("a baseline needs at least one labelled example to learn from, got none")
    unknown = sorted({example.label for example in (*seen, *test)} - set(task.label_names))
    if unknown:
        raise ValueError(f"labels must be among {list(task.label_names)}, not {unknown}")
    counts = np.bincount(task.gold(seen), minlength=len(task.label_names))
    majority = task.label_names[int(counts.argmax())]
    if len(test) == 0:
        return []
    probabilities = _linear_probabilities(
        [example.inputs[task.input_field] for example in seen],
        np.array(task.gold(seen)),
        [example.inputs[task.input_field] for example in test],
        counts / counts.sum(),
        seed,
    )
    return [
        *(_majority_record(task, example, majority, seed) for example in test),
        *(
            _linear_record(task, example, row, seed)
            for example, row in zip(test, probabilities, strict=True)
        ),
    ]


def _linear_probabilities(
    texts: Sequence[str],
    gold: npt.NDArray[np.int64],
    test_texts: Sequence[str],
    shares: Probabilities,
    seed: int,
) -> Probabilities:
    """Fit on `texts` and give probabilities, shape (n_test, n_labels), rows summing to 1.

    Features are words and word pairs, 1 + log(count) times inverse document frequency, of unit
    length; the model is L2-penalised (C = 1) and multinomial beyond two labels. Where there is
    nothing to fit (one label seen, or no word in any text) every row is the label `shares`.

    Args:
        texts: n_seen texts.
        gold: shape (n_seen,), label indices.
        test_texts: n_test texts, at least one; without a known word one gets the intercept.
        shares: shape (n_labels,), each label's share of `gold`.
        seed: scikit-learn's random state.
    """
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    analyse = vectorizer.build_analyzer()
    result = np.tile(shares, (len(test_texts), 1))
    if np.count_nonzero(shares) == 1 or not any(len(analyse(text)) > 0 for text in texts):
        return result
    model = LogisticRegression(max_iter=_MAX_ITERATIONS, random_state=seed % 2**32)
    model.fit(vectorizer.fit_transform(texts), gold)
    result[:, model.classes_] = model.predict_proba(vectorizer.transform(test_texts))
    return result


def _majority_record(task: Task, example: Example, majority: str, seed: int) -> dict[str, Any]:
    """Give the row of an answer without probabilities."""
    return _record(task, example, MAJORITY, majority, seed) | {
        "probabilities": None,
        "confidence": math.nan,
        "p_gold": math.nan,
    }


def _linear_record(
    task: Task, example: Example, probabilities: Probabilities, seed: int
) -> dict[str, Any]:
    """Give the row of the most probable label, the first of equals in label order."""
    best = int(probabilities.argmax())
    return _record(task, example, LINEAR, task.label_names[best], seed) | {
        "probabilities": probabilities.tolist(),
        "confidence": float(probabilities[best]),
        "p_gold": float(probabilities[task.label_names.index(example.label)]),
    }


def _record(task: Task, example: Example, model: str, answer: str, seed: int) -> dict[str, Any]:
    """Give what the rows of every baseline share."""
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
        "correct": answer == example.label,
        "text": None,
        "n_input_tokens": 0,
        "n_output_tokens": 0,
    }
