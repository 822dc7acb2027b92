"""Whether a frozen prompt carries over: each model's own, on every other model.

All of it is at temperature 0 in `choose`, where nothing is drawn.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from evaluate.analysis.selection import FROZEN, FROZEN_FOR, chosen_at_zero, table
from modules.wilson import wilson

REFERENCE = "naive"
COLUMNS: Mapping[str, str] = {
    "model": "str",
    "owner": "str",
    "is_reference": "bool",
    "n": "int64",
    "n_correct": "int64",
    "accuracy": "float64",
    "low": "float64",
    "high": "float64",
}


def transfer(rows: pd.DataFrame) -> pd.DataFrame:
    """Give the accuracy of every model under every frozen prompt, beside the naive one.

    Args:
        rows: what `evaluate.rows.frame` gives, of one task. Read are the prompts `naive`, `frozen`
            and `frozen for X`.

    Returns:
        A line per cell that was run. `model` answers under the prompt that was frozen for `owner`,
        which is the model itself on the diagonal; where `is_reference` the prompt is the naive one
        and the owner is the text `naive`. n examples of which n_correct are right, accuracy with
        its Wilson interval. The order: models by name; in each the naive prompt, then owners by
        name, whatever the order of the rows.

    Raises:
        ValueError: rows of several tasks, or a prompt `frozen for X` on the model X itself, which
            would stand in the cell of its `frozen`.
    """
    cold = chosen_at_zero(rows)
    is_reference = cold["prompt"] == REFERENCE
    is_own = cold["prompt"] == FROZEN
    is_other = cold["prompt"].str.startswith(FROZEN_FOR)
    owner = cold["prompt"].str.removeprefix(FROZEN_FOR).mask(is_own, cold["model"])
    twice = cold[is_other & (owner == cold["model"])]
    if len(twice) > 0:
        raise ValueError(f"the prompt of {twice['model'].iloc[0]} on itself is called {FROZEN!r}")
    cells = cold.assign(owner=owner, is_reference=is_reference)[is_reference | is_own | is_other]
    keys = ["model", "owner", "is_reference"]
    lines = [
        dict(zip(keys, key, strict=True)) | _measures(group["correct"])
        for key, group in cells.groupby(keys, sort=False)
    ]
    return table(lines, COLUMNS).sort_values(
        ["model", "is_reference", "owner"], ascending=[True, False, True], ignore_index=True
    )


def _measures(correct: "pd.Series[bool]") -> dict[str, Any]:
    """Give one cell's numbers."""
    n, n_correct = len(correct), int(correct.sum())
    interval = wilson(n_correct, n)
    return {
        "n": n,
        "n_correct": n_correct,
        "accuracy": n_correct / n,
        "low": interval.low,
        "high": interval.high,
    }
