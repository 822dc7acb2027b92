"""Where all go wrong: the examples that every prompt of every model misses.

All of it is at temperature 0 in `choose`, where nothing is drawn.
"""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from evaluate.analysis.selection import chosen_at_zero, table, with_examples

COLUMNS: Mapping[str, str] = {
    "example_id": "str",
    "gold": "str",
    "answer": "str",
    "confidence": "float64",
    "n_asked": "int64",
    "rating": "float64",
    "n_words": "int64",
    "text": "str",
}


class Misses(NamedTuple):
    """What every configuration gets wrong.

    missed: a line per example that everyone who was asked for it got wrong; columns `COLUMNS`.
    n_examples: the examples that were asked for at all.
    n_configurations: the (model, prompt) pairs.
    expected: how many would be missed by all if the configurations missed independently of each
        other, each at its own rate.
    """

    missed: pd.DataFrame
    n_examples: int
    n_configurations: int
    expected: float


def missed_by_all(rows: pd.DataFrame, examples: pd.DataFrame) -> Misses:
    """Find the examples that every prompt of every model gets wrong.

    Args:
        rows: what `evaluate.rows.frame` gives, of one task. A row of outcome `lm_error` counts as
            not asked, an invalid answer as wrong.
        examples: a line per example with `example_id`, `rating`, `n_words` and `text`.

    Returns:
        In `missed`: `answer`, the wrong answer that was given most often (of equals the first by
        name; null where all were invalid); `confidence`, the mean probability of the wrong answers
        given, NaN where none is known; `n_asked`, how many configurations were asked. The most
        confident come first, unknown confidence last, equals by id. `expected` is the sum over
        examples of the product of the miss rates of those that were asked; where all were asked
        for everything, n times the product of all rates. Without rows 0 and an empty frame.

    Raises:
        ValueError: rows of several tasks, or an example that is not among `examples`.
    """
    cold = chosen_at_zero(rows)
    rate = 1 - cold.groupby(["model", "prompt"])["correct"].transform("mean")
    by_example = cold.assign(rate=rate.astype("float64")).groupby("example_id")
    all_wrong = cold[~by_example["correct"].transform("any").astype(bool)]
    lines = [
        {
            "example_id": example_id,
            "gold": group["gold"].iloc[0],
            "answer": _most_frequent(group["answer"]),
            "confidence": group["confidence"].mean(),
            "n_asked": len(group),
        }
        for example_id, group in all_wrong.groupby("example_id")
    ]
    first = {name: kind for name, kind in COLUMNS.items() if name not in _GIVEN}
    missed = with_examples(table(lines, first), examples, _GIVEN).astype(dict(COLUMNS))
    missed = missed.sort_values(["confidence", "example_id"], ascending=[False, True])
    return Misses(
        missed=missed.reset_index(drop=True),
        n_examples=len(by_example),
        n_configurations=len(cold[["model", "prompt"]].drop_duplicates()),
        expected=float(by_example["rate"].prod().sum()),
    )


_GIVEN = ["rating", "n_words", "text"]


def _most_frequent(answers: "pd.Series[str]") -> str | None:
    """Give the most frequent answer, the first by name of equals; None where there is none."""
    modes = answers.dropna().mode().sort_values()
    return None if len(modes) == 0 else str(modes.iloc[0])
