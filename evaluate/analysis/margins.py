"""Why temperature changes answers: the margin between the labels against the share that flips.

An answer flips when the one drawn at a temperature differs from that at temperature 0. The nearer
the two most probable labels are, the more often that happens, and in `choose` how often follows in
closed form.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluate.analysis.selection import chosen_at_zero, ordered, scored, share_interval, table
from evaluate.statistics import tempered

Array = NDArray[np.float64]
COLUMNS: Mapping[str, str] = {
    "model": "str",
    "prompt": "str",
    "temperature": "float64",
    "position": "int64",
    "left": "float64",
    "right": "float64",
    "margin": "float64",
    "n_examples": "int64",
    "n_draws": "int64",
    "flipped": "float64",
    "low": "float64",
    "high": "float64",
    "expected": "float64",
    "is_assumed": "bool",
}


def margin_flips(rows: pd.DataFrame, n_bins: int = 10) -> pd.DataFrame:
    """Give the share of drawn answers that flip, by margin, beside its closed form.

    The margin is the difference of the two largest probabilities at temperature 0's answer, taken
    at temperature 1. Bins are equally wide from 0 to 1; a margin at an inner edge belongs to the
    upper bin. Only draws of `choose` above temperature 0 count whose example has a row with
    probabilities at temperature 0.

    Args:
        rows: what `evaluate.rows.frame` gives, of one task with two labels or more.
        n_bins: at least 1.

    Returns:
        A line per model, prompt, temperature and bin with a draw in it. `position` numbers the bins
        from 0, `left` and `right` are their ends, `margin` is the mean over draws. `flipped` is the
        share of the n_draws draws, low and high its Wilson interval at the size of the
        n_examples distinct examples (see `share_interval`). `expected` is the mean probability to
        flip (see `_flip_probabilities`), an expectation and not a count; `is_assumed` says that in
        part it rests on the power law there. NaN where a draw has no probabilities.

    Raises:
        ValueError: rows of several tasks, or fewer than one bin.
    """
    if n_bins < 1:
        raise ValueError(f"margins need at least one bin, not {n_bins}")
    draws = _draws(rows)
    edges = np.linspace(0.0, 1.0, n_bins + 1)
    position = np.searchsorted(edges[1:-1], draws["margin"].to_numpy(np.float64), side="right")
    keys = ["model", "prompt", "temperature", "position"]
    groups = draws.assign(position=position).groupby(keys, sort=False)
    lines: list[dict[str, Any]] = []
    for key, group in groups:
        named = dict(zip(keys, key, strict=True))
        at = int(group["position"].iloc[0])
        lines.append(named | _measures(group, edges[at], edges[at + 1]))
    return ordered(table(lines, COLUMNS), "temperature", "position")


def _draws(rows: pd.DataFrame) -> pd.DataFrame:
    """Give the draws with their example's margin, whether they flipped, and how likely that was."""
    cold = chosen_at_zero(rows)
    cold = cold[cold["probabilities"].notna()]
    known = scored(rows)
    hot = known[(known["decoding"] == "choose") & (known["temperature"] > 0)]
    keys = ["model", "prompt", "example_id"]
    before = cold[[*keys, "answer", "correct", "probabilities"]]
    draws = hot.merge(before, on=keys, suffixes=("", "_cold"))
    parts = [np.sort(np.asarray(p, dtype=np.float64))[-2:] for p in draws["probabilities_cold"]]
    expected, is_assumed = _flip_probabilities(draws)
    return draws.assign(
        margin=np.array([b - a for a, b in parts], dtype=np.float64),
        flipped=(draws["answer"] != draws["answer_cold"]).fillna(True).astype(bool),
        expected=expected,
        is_assumed=is_assumed,
    )


def _flip_probabilities(draws: pd.DataFrame) -> tuple[Array, NDArray[np.bool_]]:
    """Give how likely each draw was to flip, shape (n,), and where that rests on an assumption.

    The draw's `p_correct` is the decoder's own p_T(gold). Where temperature 0 is right, a flip is
    every other label: 1 - p_T(gold). Where it is wrong and there are two labels, a flip is the gold
    one: p_T(gold). Else, by `tempered`, 1 - p_T(temperature 0's answer), of the draw's own
    probabilities, for a prompt that reasons first has others at every draw.
    """
    if len(draws) == 0:
        return np.empty(0), np.empty(0, dtype=np.bool_)
    before = np.array(draws["probabilities_cold"].tolist(), dtype=np.float64)
    was_right = draws["correct_cold"].to_numpy(np.bool_)
    p_gold = draws["p_correct"].to_numpy(np.float64)
    is_exact = ~np.isnan(p_gold) & (was_right | (before.shape[1] == 2))
    expected = np.where(was_right, 1 - p_gold, p_gold)
    assumed = np.flatnonzero(~is_exact)
    expected[assumed] = np.nan
    known = assumed[draws["probabilities"].notna().to_numpy()[assumed]]
    if len(known) > 0:
        p = np.array(draws["probabilities"].iloc[known].tolist(), dtype=np.float64)
        with np.errstate(divide="ignore"):  # a probability of 0 cannot be drawn
            log_p = np.log(p)
        at_temperature = tempered(log_p, draws["temperature"].to_numpy(np.float64)[known])
        expected[known] = 1 - at_temperature[np.arange(len(known)), before[known].argmax(axis=1)]
    return expected, ~is_exact


def _measures(group: pd.DataFrame, left: float, right: float) -> dict[str, Any]:
    """Give one bin's numbers."""
    n_examples = group["example_id"].nunique()
    interval = share_interval(int(group["flipped"].sum()), len(group), n_examples)
    return {
        "left": left,
        "right": right,
        "margin": group["margin"].mean(),
        "n_examples": n_examples,
        "n_draws": len(group),
        "flipped": group["flipped"].mean(),
        "low": interval.low,
        "high": interval.high,
        "expected": group["expected"].mean(skipna=False),
        "is_assumed": group["is_assumed"].any(),
    }
