"""What the rows add up to: one line per configuration, and the alarm for inverted labels.

It owns what is counted and over what. The interval's formula is `modules.wilson`'s, the wording
of tables `evaluate.table`'s, and comparisons between two configurations are made elsewhere.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from evaluate.analysis.selection import prompt_place, share_interval
from evaluate.lines import lines_of
from evaluate.rows import DECODINGS
from evaluate.table import accuracy_cell, clean, percent
from modules.wilson import wilson

CONFIGURATION = ("model", "prompt", "decoding", "temperature")
_ALARM_LEVEL = 0.05
COLUMNS: Mapping[str, str] = {
    "model": "str",
    "prompt": "str",
    "decoding": "str",
    "temperature": "float64",
    "n": "int64",
    "n_examples": "int64",
    "seeds": "int64",
    "accuracy": "float64",
    "low": "float64",
    "high": "float64",
    "invalid": "float64",
    "n_errors": "int64",
    "input_tokens": "float64",
    "output_tokens": "float64",
    "p_gold": "float64",
}


def summarise(rows: pd.DataFrame) -> pd.DataFrame:
    """Give one line per (model, prompt, decoding, temperature).

    A row is scored when its outcome is `ok` or `invalid`; an invalid answer counts as wrong. An
    `lm_error` row says nothing about the prompt: it is left out of every mean and interval and
    shown in `n_errors`.

    Several seeds repeat the same examples, and draws of one example are not independent: ten
    draws of 100 examples tell less than one draw of 1,000. The interval is therefore taken as if
    each example had been drawn once, with n = the number of distinct scored examples and
    n_correct = accuracy * n rounded to the nearest integer (ties to even). The variance of the
    mean over k draws is at most that of one draw, p (1 - p) / n, so the interval is, if anything,
    too wide. With one seed nothing is rounded.

    Args:
        rows: what `evaluate.rows.frame` or `load` gives, of one task.

    Returns:
        n: all rows; n_examples, seeds: the distinct ones among scored rows; accuracy: the mean of
        `correct` over scored rows, with `low` and `high`; invalid: the share of scored rows;
        input_tokens, output_tokens: means per scored row, that is for one draw of one example;
        p_gold: the mean where it is known. Shares lie in [0, 1]; NaN where nothing was scored.
        The order does not depend on the rows' order: models by name with the classical baselines
        last, then prompts (as in the ladder, others by name), decodings (choose, generate,
        classifier), rising temperature. Without rows an empty frame of the same dtypes.

    Raises:
        ValueError: rows of several tasks, or of several prompts in one configuration.
    """
    tasks = sorted(rows["task"].unique())
    if len(tasks) > 1:
        raise ValueError(f"a summary is of one task, not of {tasks}: summarise each on its own")
    groups = rows.groupby(list(CONFIGURATION), sort=False)
    lines = [
        dict(zip(CONFIGURATION, key, strict=True)) | _measures(group, key) for key, group in groups
    ]
    lines.sort(key=_order)
    return pd.DataFrame(lines, columns=list(COLUMNS)).astype(dict(COLUMNS))


def polarity_alarm(rows: pd.DataFrame, n_labels: int) -> list[str]:
    """Give a line for every configuration whose readable answers are worse than guessing.

    Worse means that the upper end of their Wilson interval lies below 1 / n_labels, strictly. The
    interval has the confidence 1 - 0.05 / m for m configurations, so that in a whole evaluation of
    guesses an alarm is rare. Only answers that name a label count: one that cannot be read is
    wrong, but not inverted. Several draws of an example count as one, as in `summarise`. In the
    summary's order.

    Raises:
        ValueError: fewer than two labels.
    """
    if n_labels < 2:
        raise ValueError(f"chance is defined for two labels or more, not {n_labels}")
    chance = 1 / n_labels
    readable = summarise(rows[rows["outcome"] == "ok"])
    confidence = 1 - _ALARM_LEVEL / max(1, len(readable))
    return [
        _alarm(line, chance)
        for line in lines_of(readable)
        if wilson(round(line.accuracy * line.n_examples), line.n_examples, confidence).high < chance
    ]


def _measures(group: pd.DataFrame, key: Any) -> dict[str, Any]:
    """Give one configuration's numbers (see `summarise`)."""
    if group["prompt_id"].nunique() > 1:
        raise ValueError(
            f"one configuration has one prompt, but {key} has {sorted(group['prompt_id'].unique())}"
        )
    scored = group[group["outcome"] != "lm_error"]
    n_examples = scored["example_id"].nunique()
    interval = share_interval(int(scored["correct"].sum()), len(scored), n_examples)
    return {
        "n": len(group),
        "n_examples": n_examples,
        "seeds": scored["seed"].nunique(),
        "accuracy": scored["correct"].mean(),
        "low": interval.low,
        "high": interval.high,
        "invalid": (scored["outcome"] == "invalid").mean(),
        "n_errors": len(group) - len(scored),
        "input_tokens": scored["n_input_tokens"].mean(),
        "output_tokens": scored["n_output_tokens"].mean(),
        "p_gold": scored["p_gold"].mean(),
    }


def _order(line: Mapping[str, Any]) -> tuple[object, ...]:
    """Give a line's place: see `summarise`."""
    prompt = line["prompt"]
    return (
        line["decoding"] == "classifier",
        line["model"],
        prompt_place(prompt),
        prompt,
        DECODINGS.index(line["decoding"]),
        line["temperature"],
    )


def _alarm(line: Any, chance: float) -> str:
    """Word one alarm."""
    return (
        f"{clean(line.model)}, prompt {clean(line.prompt)}, {line.decoding}, "
        f"temperature {line.temperature:g}: {accuracy_cell(line.accuracy, line.low, line.high)} % "
        f"of its readable answers are right against {percent(chance)} % by guessing: are the "
        "labels inverted?"
    )
