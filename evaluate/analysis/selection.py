"""Which rows an analysis reads, in which order its results stand, and the interval of a share.

It owns what the analyses of this package have in common; the rows are `evaluate.rows`'s and the
interval's formula `modules.wilson`'s.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from modules.wilson import Interval, wilson

PROMPTS = ("naive", "instructed", "few-shot", "chain-of-thought", "frozen")
"""The ladder of prompts, in the order in which tables and figures show it."""

FROZEN = "frozen"
FROZEN_FOR = "frozen for "
"""What the name of a prompt begins with that was frozen for another model; its name follows."""


def scored(rows: pd.DataFrame) -> pd.DataFrame:
    """Give the rows that say something about a prompt: all but those of outcome `lm_error`.

    Raises:
        ValueError: rows of several tasks.
    """
    tasks = sorted(rows["task"].unique())
    if len(tasks) > 1:
        raise ValueError(f"an analysis is of one task, not of {tasks}: analyse each on its own")
    return rows[rows["outcome"] != "lm_error"]


def chosen_at_zero(rows: pd.DataFrame) -> pd.DataFrame:
    """Give the scored rows of `choose` at temperature 0, one per model, prompt and example.

    Nothing is drawn at temperature 0, so of several seeds the lowest stands for all. The order is
    that of `ordered`, then by example.

    Raises:
        ValueError: rows of several tasks.
    """
    known = scored(rows)
    cold = known[(known["decoding"] == "choose") & (known["temperature"] == 0)]
    once = cold.sort_values("seed", kind="stable").drop_duplicates(
        ["model", "prompt", "example_id"]
    )
    return ordered(once, "example_id")


def ordered(lines: pd.DataFrame, *then: str) -> pd.DataFrame:
    """Sort by model, prompt in the order of `PROMPTS` (others by name), then the given columns."""
    places = lines["prompt"].map(prompt_place)
    keyed = lines.assign(_place=places)
    by = ["model", "_place", "prompt", *then]
    return keyed.sort_values(by, kind="stable").drop(columns="_place").reset_index(drop=True)


def prompt_place(prompt: str) -> int:
    """Give a prompt's place in the ladder; one that is no rung of it comes after all that are."""
    return PROMPTS.index(prompt) if prompt in PROMPTS else len(PROMPTS)


def share_interval(n_hits: int, n_rows: int, n_examples: int) -> Interval:
    """Give the Wilson interval of a share over rows, at the size of the distinct examples.

    Draws of one example are not independent, so the interval is as if each example had been drawn
    once (see `evaluate.summary.summarise`). Without rows both ends are NaN.
    """
    if n_rows == 0:
        return Interval(math.nan, math.nan)
    return wilson(round(n_hits * n_examples / n_rows), n_examples)


def table(lines: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    """Give lines as a frame of exactly these columns and dtypes, also without lines."""
    return pd.DataFrame(list(lines), columns=list(columns)).astype(dict(columns))


def with_examples(
    lines: pd.DataFrame, examples: pd.DataFrame, columns: Sequence[str]
) -> pd.DataFrame:
    """Add columns of `examples` to lines that have an `example_id`; the order stays.

    Raises:
        ValueError: an id stands twice in `examples`, or not at all.
    """
    known = examples["example_id"]
    if known.duplicated().any():
        raise ValueError(f"examples need distinct ids, {known[known.duplicated()].iloc[0]} repeats")
    strange = sorted(set(lines["example_id"]) - set(known))
    if strange:
        raise ValueError(f"{len(strange)} ids of rows are not among the examples: {strange[:3]}")
    return lines.merge(examples[["example_id", *columns]], on="example_id", how="left")
