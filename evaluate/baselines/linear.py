"""The linear model: logistic regression over the words and word pairs of a text.

It owns the model's settings and its fit. Which examples it learns from is the caller's business.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from sklearn.feature_extraction.text import (  # type: ignore[import-untyped,unused-ignore]
    TfidfVectorizer,
)
from sklearn.linear_model import (  # type: ignore[import-untyped,unused-ignore]
    LogisticRegression,
)

from modules.tasks.example import Example, Task

LINEAR = "TF-IDF + logistic regression"
"""Fitted on the labelled examples that the search saw."""

WHOLE = "TF-IDF + logistic regression, whole train"
"""Fitted on every labelled example that is not held out."""

_MAX_ITERATIONS = 10_000

Probabilities = npt.NDArray[np.float64]


def linear_probabilities(
    task: Task, seen: Sequence[Example], test: Sequence[Example], seed: int
) -> Probabilities:
    """Fit on `seen` and give probabilities for `test`, shape (n_test, n_labels), rows summing to 1.

    Features are words and word pairs, 1 + log(count) times inverse document frequency, of unit
    length; the model is L2-penalised (C = 1) and multinomial beyond two labels. Where there is
    nothing to fit (one label seen, or no word in any text) every row is the shares of the labels.
    A label that `seen` lacks has probability 0; a text without a known word gets the intercept.

    Args:
        task: gives the text field and the order of the labels.
        seen: at least one example, each with a label of the task.
        test: the examples to answer, at least one.
        seed: scikit-learn's random state, of which its solver makes no use: any seed, one result.
    """
    texts = [example.inputs[task.input_field] for example in seen]
    gold = np.array(task.gold(seen))
    shares = np.bincount(gold, minlength=len(task.label_names)) / len(gold)
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    analyse = vectorizer.build_analyzer()
    result = np.tile(shares, (len(test), 1))
    if np.count_nonzero(shares) == 1 or not any(len(analyse(text)) > 0 for text in texts):
        return result
    model = LogisticRegression(max_iter=_MAX_ITERATIONS, random_state=seed % 2**32)
    model.fit(vectorizer.fit_transform(texts), gold)
    test_texts = [example.inputs[task.input_field] for example in test]
    result[:, model.classes_] = model.predict_proba(vectorizer.transform(test_texts))
    return result
