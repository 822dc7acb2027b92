"""Rows made by hand for the tests of the analyses: two labels unless said otherwise."""

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd

from evaluate.rows import frame
from tests.evaluate_tests.records import record

POSITIVE, NEGATIVE = "positive", "negative"


def answer(
    example_id: str, said: str | None, gold: str = POSITIVE, **changes: Any
) -> dict[str, Any]:
    """Give a record of one answer; None is one that could not be read."""
    given = {
        "example_id": example_id,
        "gold": gold,
        "answer": said,
        "outcome": "invalid" if said is None else "ok",
        "correct": said == gold,
        "confidence": math.nan if said is None else 0.75,
        "text": "Well, it depends." if said is None else None,
    }
    return record(**(given | changes))


def error(example_id: str, **changes: Any) -> dict[str, Any]:
    """Give a record of an example that the model could not answer."""
    return answer(example_id, None, outcome="lm_error", **({"text": None} | changes))


def asked(n_right: int, n_wrong: int, **changes: Any) -> list[dict[str, Any]]:
    """Give records of e0, e1, ...: the right ones first."""
    return [
        answer(f"e{i}", POSITIVE if i < n_right else NEGATIVE, **changes)
        for i in range(n_right + n_wrong)
    ]


def rows(*records: dict[str, Any]) -> pd.DataFrame:
    """Give the frame of these records."""
    return frame(records)


def examples(*ids: str, **columns: Sequence[Any]) -> pd.DataFrame:
    """Give examples with these ids; columns that are not given hold one value each."""
    return pd.DataFrame(
        {
            "example_id": list(ids),
            "gold": [POSITIVE] * len(ids),
            "rating": columns.get("rating", [math.nan] * len(ids)),
            "n_words": columns.get("n_words", [5] * len(ids)),
            "text": columns.get("text", [f"text of {one}" for one in ids]),
        }
    ).astype({"rating": "float64", "n_words": "int64", "text": "str", "example_id": "str"})
