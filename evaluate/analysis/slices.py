"""Accuracy by part: by an example's length, its rating, and the model's confidence.

It owns the bins and their names. All of it is at temperature 0 in `choose`, where nothing is drawn.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from evaluate.analysis.selection import chosen_at_zero, ordered, table, with_examples
from modules.tasks.strata import LENGTH_EDGES
from modules.wilson import wilson

RATING_EDGES = (0.5, 1.0, 2.0, 3.0, 4.0)
COLUMNS: Mapping[str, str] = {
    "model": "str",
    "prompt": "str",
    "position": "int64",
    "slice": "str",
    "left": "float64",
    "right": "float64",
    "n": "int64",
    "n_correct": "int64",
    "accuracy": "float64",
    "low": "float64",
    "high": "float64",
}


def by_length(rows: pd.DataFrame, examples: pd.DataFrame) -> pd.DataFrame:
    """Give the accuracy by words of the text, in the bins that the splits are stratified by.

    Args:
        rows: what `evaluate.rows.frame` gives, of one task.
        examples: a line per example with `example_id` and `n_words`.

    Returns:
        A line per model, prompt and slice with an example in it: `position` numbers the slices
        from 0 (up to 8 words) to 7 (over 512), `slice` names them, `left` (exclusive) and `right`
        (inclusive, inf in the last) are their ends; n examples of which n_correct are right,
        accuracy with its Wilson interval. Models by name, prompts as in the ladder, slices in
        rising order, whatever the order of the rows.

    Raises:
        ValueError: rows of several tasks, or an example that is not among `examples`.
    """
    cold = with_examples(chosen_at_zero(rows), examples, ["n_words"])
    positions = np.searchsorted(LENGTH_EDGES, cold["n_words"].to_numpy(np.int64), side="left")
    return _lines(cold, positions, _length_names(), [0.0, *LENGTH_EDGES, math.inf])


def by_confidence(rows: pd.DataFrame, n_bins: int = 5) -> pd.DataFrame:
    """Give the accuracy by the probability of the most probable label at temperature 1.

    The bins are equally wide and go from 1 / n_labels, the least that it can be, to 1; a value at
    an inner edge belongs to the upper bin. Rows without probabilities are left out.

    Returns:
        As `by_length`; slices are named like `50-60 %`, and `left` is the inclusive end.

    Raises:
        ValueError: rows of several tasks, fewer than one bin, or rows with different numbers of
            labels.
    """
    if n_bins < 1:
        raise ValueError(f"confidence needs at least one bin, not {n_bins}")
    cold = chosen_at_zero(rows)
    cold = cold[cold["probabilities"].notna()]
    sizes = sorted(set(cold["probabilities"].map(len)))
    if len(sizes) > 1:
        raise ValueError(f"rows of one task have one number of labels, not {sizes}")
    edges = np.linspace(1 / sizes[0] if sizes else 0.0, 1.0, n_bins + 1)
    top = cold["probabilities"].map(max).to_numpy(np.float64)
    names = [f"{100 * a:.3g}-{100 * b:.3g} %" for a, b in pairwise(edges)]
    return _lines(cold, np.searchsorted(edges[1:-1], top, side="right"), names, edges.tolist())


def by_rating(
    rows: pd.DataFrame, examples: pd.DataFrame, edges: Sequence[float] = RATING_EDGES
) -> pd.DataFrame:
    """Give the accuracy by the distance of the rating from neutral, where there is a rating.

    Args:
        rows: what `evaluate.rows.frame` gives, of one task.
        examples: a line per example with `example_id` and `rating`, around 0; those whose rating
            is NaN are left out.
        edges: rising distances, at least one; a distance at an edge belongs to the lower slice.

    Returns:
        As `by_length`; position 0 is the slice up to the first edge, the last is beyond the last.

    Raises:
        ValueError: as `by_length`, or edges that do not rise.
    """
    if len(edges) == 0 or any(a >= b for a, b in pairwise(edges)):
        raise ValueError(f"edges must rise, at least one of them, not {list(edges)}")
    cold = with_examples(chosen_at_zero(rows), examples, ["rating"])
    cold = cold[cold["rating"].notna()]
    distance = cold["rating"].abs().to_numpy(np.float64)
    names = [
        f"up to {edges[0]:g}",
        *(f"{a:g}-{b:g}" for a, b in pairwise(edges)),
        f"over {edges[-1]:g}",
    ]
    return _lines(
        cold, np.searchsorted(edges, distance, side="left"), names, [0.0, *edges, math.inf]
    )


def _length_names() -> list[str]:
    """Name the length bins, as `9-16 words`."""
    inner = [f"{a + 1}-{b} words" for a, b in pairwise(LENGTH_EDGES)]
    return [f"up to {LENGTH_EDGES[0]} words", *inner, f"over {LENGTH_EDGES[-1]} words"]


def _lines(
    cold: pd.DataFrame, positions: NDArray[np.int64], names: Sequence[str], edges: Sequence[float]
) -> pd.DataFrame:
    """Count by model, prompt and slice, whose ends are two neighbours in `edges`."""
    groups = cold.assign(position=positions).groupby(["model", "prompt", "position"], sort=False)
    lines: list[dict[str, Any]] = []
    for (model, prompt, _), group in groups:
        at = int(group["position"].iloc[0])
        n, n_correct = len(group), int(group["correct"].sum())
        interval = wilson(n_correct, n)
        lines.append(
            {
                "model": model,
                "prompt": prompt,
                "position": at,
                "slice": names[at],
                "left": edges[at],
                "right": edges[at + 1],
                "n": n,
                "n_correct": n_correct,
                "accuracy": n_correct / n,
                "low": interval.low,
                "high": interval.high,
            }
        )
    return ordered(table(lines, COLUMNS), "position")
