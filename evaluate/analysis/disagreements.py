"""Where two models part: the examples that they answer differently under one prompt.

All of it is at temperature 0 in `choose`, where nothing is drawn.
"""

from collections.abc import Mapping
from typing import NamedTuple

import pandas as pd

from evaluate.analysis.selection import chosen_at_zero, with_examples

COLUMNS: Mapping[str, str] = {
    "example_id": "str",
    "gold": "str",
    "answer_a": "str",
    "confidence_a": "float64",
    "correct_a": "bool",
    "answer_b": "str",
    "confidence_b": "float64",
    "correct_b": "bool",
    "rating": "float64",
    "n_words": "int64",
    "text": "str",
}


class Disagreements(NamedTuple):
    """Where two models answer differently, and who is right there.

    differing: a line per example with different answers; columns `COLUMNS`.
    n_examples: the examples that both answered.
    n_a_right, n_b_right, n_neither: who is right how often among `differing`; their sum is its
        length, for two different answers are not both right.
    """

    differing: pd.DataFrame
    n_examples: int
    n_a_right: int
    n_b_right: int
    n_neither: int


def disagreements(
    rows: pd.DataFrame, examples: pd.DataFrame, model_a: str, model_b: str, prompt: str
) -> Disagreements:
    """Find the examples that two models answer differently under the prompt of one name.

    `frozen` is each model's own frozen prompt. Two invalid answers do not differ; an invalid one
    and a label do.

    Args:
        rows: what `evaluate.rows.frame` gives, of one task.
        examples: a line per example with `example_id`, `rating`, `n_words` and `text`.
        model_a: the first model; without rows of it there are no common examples.
        model_b: the second model, another one.
        prompt: the prompt's name.

    Returns:
        In `differing` those come first where the less confident of the two is most confident, for
        there one of them is surely wrong; unknown confidence last, equals by id.

    Raises:
        ValueError: one model twice, rows of several tasks, or an example that is not among
            `examples`.
    """
    if model_a == model_b:
        raise ValueError(f"a comparison needs two models, not {model_a} twice")
    cold = chosen_at_zero(rows)
    cold = cold[cold["prompt"] == prompt]
    both = _answers(cold, model_a, "a").merge(
        _answers(cold, model_b, "b").drop(columns="gold"), on="example_id"
    )
    same = (both["answer_a"] == both["answer_b"]).fillna(False)
    same |= both["answer_a"].isna() & both["answer_b"].isna()
    least = both[["confidence_a", "confidence_b"]].min(axis=1, skipna=False)
    parted = both.assign(least=least)[~same.astype(bool)]
    parted = parted.sort_values(["least", "example_id"], ascending=[False, True])
    differing = with_examples(parted, examples, ["rating", "n_words", "text"])
    n_a_right, n_b_right = int(differing["correct_a"].sum()), int(differing["correct_b"].sum())
    return Disagreements(
        differing=differing[list(COLUMNS)].astype(dict(COLUMNS)).reset_index(drop=True),
        n_examples=len(both),
        n_a_right=n_a_right,
        n_b_right=n_b_right,
        n_neither=len(differing) - n_a_right - n_b_right,
    )


def _answers(cold: pd.DataFrame, model: str, side: str) -> pd.DataFrame:
    """Give one model's answers, with the side in the columns' names."""
    own = cold[cold["model"] == model][["example_id", "gold", "answer", "confidence", "correct"]]
    return own.rename(
        columns={name: f"{name}_{side}" for name in ("answer", "confidence", "correct")}
    )
