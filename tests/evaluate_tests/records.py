"""Rows and summaries made by hand for the tests of this folder."""

import math
from typing import Any

import pandas as pd

from evaluate.summary import COLUMNS


def record(**changes: Any) -> dict[str, Any]:
    """Give one valid record, with the columns named in `changes` replaced."""
    return {
        "task": "imdb",
        "model": "tiny",
        "prompt": "naive",
        "prompt_id": "p1",
        "decoding": "choose",
        "temperature": 0.0,
        "seed": 0,
        "example_id": "e1",
        "gold": "positive",
        "answer": "positive",
        "outcome": "ok",
        "correct": True,
        "probabilities": [0.25, 0.75],
        "confidence": 0.75,
        "p_gold": 0.75,
        "p_correct": 1.0,
        "text": None,
        "n_input_tokens": 10,
        "n_output_tokens": 1,
    } | changes


WRONG = {"answer": "negative", "correct": False, "p_correct": 0.0}
INVALID = {
    "answer": None,
    "outcome": "invalid",
    "correct": False,
    "probabilities": None,
    "confidence": math.nan,
    "p_gold": math.nan,
    "p_correct": math.nan,
    "text": "Well, it depends.",
}
LM_ERROR = INVALID | {"outcome": "lm_error", "text": None}


def summary_line(**changes: Any) -> dict[str, Any]:
    """Give one line of a summary, with the columns named in `changes` replaced."""
    return {
        "model": "tiny",
        "prompt": "naive",
        "decoding": "choose",
        "temperature": 0.0,
        "n": 100,
        "n_examples": 100,
        "seeds": 1,
        "accuracy": 0.5,
        "low": 0.4,
        "high": 0.6,
        "invalid": 0.0,
        "n_errors": 0,
        "input_tokens": 12.0,
        "output_tokens": 1.5,
        "p_gold": 0.5,
    } | changes


def summary_of(*lines: dict[str, Any]) -> pd.DataFrame:
    """Give a summary of these lines."""
    return pd.DataFrame(list(lines), columns=list(COLUMNS)).astype(dict(COLUMNS))
