"""What unreadable answers look like: how their texts begin, and how often."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from evaluate.analysis.selection import ordered, scored, table
from evaluate.table import clean

MAX_CHARACTERS = 60
COLUMNS: Mapping[str, str] = {
    "model": "str",
    "prompt": "str",
    "decoding": "str",
    "temperature": "float64",
    "n_rows": "int64",
    "n_invalid": "int64",
    "beginning": "str",
    "n": "int64",
    "text": "str",
}


def invalid_beginnings(rows: pd.DataFrame, k: int = 5, n_words: int = 3) -> pd.DataFrame:
    """Give the most frequent beginnings of the texts that name no label, or several.

    Whole texts hardly ever repeat, their first words do, so these are counted. A prompt that
    reasons first begins with the reason.

    Args:
        rows: what `evaluate.rows.frame` gives, of one task.
        k: how many beginnings at most per model, prompt, decoding and temperature.
        n_words: how many words make a beginning, at least 1.

    Returns:
        Lines by model, prompt, decoding, rising temperature and falling n, equals by beginning.
        n_rows rows were scored there and n_invalid of them unreadable, of which n began with
        `beginning`; `text` is one of these, the first in the order of text. Both are cleaned (one
        line, no control characters) and cut to 60 characters, the last then being `…`. A missing
        or blank text begins with `-`. Without invalid answers the frame is empty.

    Raises:
        ValueError: k or n_words below 1, or rows of several tasks.
    """
    if k < 1 or n_words < 1:
        raise ValueError(f"k and n_words must be at least 1, not {k} and {n_words}")
    known = scored(rows)
    keys = ["model", "prompt", "decoding", "temperature"]
    lines: list[dict[str, Any]] = []
    for key, group in known.groupby(keys, sort=False):
        unread = group.loc[group["outcome"] == "invalid", "text"]
        shared = dict(zip(keys, key, strict=True)) | {
            "n_rows": len(group),
            "n_invalid": len(unread),
        }
        found = sorted(_count(unread, n_words), key=lambda one: (-one["n"], one["beginning"]))
        lines += [shared | one for one in found[:k]]
    sorted_lines = ordered(
        table(lines, COLUMNS).assign(_minus_n=lambda frame: -frame["n"]),
        "decoding",
        "temperature",
        "_minus_n",
        "beginning",
    )
    return sorted_lines.drop(columns="_minus_n")


def _count(texts: "pd.Series[str]", n_words: int) -> list[dict[str, Any]]:
    """Count beginnings, with the first text of each."""
    whole = texts.fillna("").map(clean)
    starts = whole.map(lambda text: _cut(" ".join(text.split()[:n_words])))
    return [
        {"beginning": start, "n": len(group), "text": _cut(min(group))}
        for start, group in whole.groupby(starts)
    ]


def _cut(text: str) -> str:
    """Cut a text to `MAX_CHARACTERS`, the last of which then says so."""
    return text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 1].rstrip()}…"
