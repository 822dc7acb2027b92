"""Sampled accuracies beside what they must be: the check of the decoder, cell by cell.

A cell is one model, prompt, temperature and seed in `choose`. Its expected accuracy follows from
the labels' probabilities without a draw.
"""

from typing import Any

import pandas as pd

from evaluate.analysis.selection import ordered, scored, table
from evaluate.statistics import check_sampled
from modules.wilson import wilson

_COLUMNS = {
    "model": "str",
    "prompt": "str",
    "temperature": "float64",
    "seed": "int64",
    "n": "int64",
    "accuracy": "float64",
    "low": "float64",
    "high": "float64",
    "expected": "float64",
    "sd": "float64",
    "z": "float64",
    "inside": "bool",
    "inside_redraws": "bool",
}


def closed_form(rows: pd.DataFrame) -> pd.DataFrame:
    """Give the sampled and the expected accuracy of every cell above temperature 0.

    Returns:
        A line per cell: `accuracy` of its n draws with the Wilson interval `low` to `high`;
        `expected` in closed form, with the standard deviation `sd` that redraws have and the
        distance `z` in units of it. `inside`: whether the expectation lies in the Wilson interval.
        `inside_redraws`: whether it lies within 1.96 sd, which is the sharper check, since redraws
        of the same examples vary less than other examples would. In the ladder's order.
    """
    known = scored(rows)
    drawn = known[(known["decoding"] == "choose") & (known["temperature"] > 0)]
    keys = ["model", "prompt", "temperature", "seed"]
    lines = [_line(dict(zip(keys, key, strict=True)), g) for key, g in drawn.groupby(keys)]
    return ordered(table(lines, _COLUMNS), "temperature", "seed")


def _line(cell: dict[str, Any], drawn: pd.DataFrame) -> dict[str, Any]:
    n, n_correct = len(drawn), int(drawn["correct"].sum())
    interval = wilson(n_correct, n)
    check = check_sampled(drawn["p_correct"].to_numpy(), n_correct / n)
    return cell | {
        "n": n,
        "accuracy": n_correct / n,
        "low": interval.low,
        "high": interval.high,
        "expected": check.expected.mean,
        "sd": check.expected.sd,
        "z": check.z,
        "inside": interval.low <= check.expected.mean <= interval.high,
        "inside_redraws": check.inside,
    }
