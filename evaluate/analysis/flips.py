"""What temperature changes: how answers move between two temperatures, in both decodings."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from evaluate.analysis.selection import ordered, scored, table

COLUMNS: Mapping[str, str] = {
    "model": "str",
    "prompt": "str",
    "decoding": "str",
    "n_examples": "int64",
    "n": "int64",
    "same": "int64",
    "right_to_wrong": "int64",
    "wrong_to_right": "int64",
    "wrong_to_other_wrong": "int64",
}
_PAIR = ["model", "prompt", "decoding", "example_id"]


def flips(rows: pd.DataFrame, from_temperature: float, to_temperature: float) -> pd.DataFrame:
    """Count how answers move from one temperature to another.

    Answers are paired by example and seed. At temperature 0 nothing is drawn, so its answer (the
    lowest seed's) stands for every seed. Pairs with an outcome `lm_error`, or without a partner,
    are left out; so are the classical baselines, which have no temperature.

    Args:
        rows: what `evaluate.rows.frame` gives, of one task.
        from_temperature: as it stands in the rows.
        to_temperature: another one.

    Returns:
        A line per model, prompt and decoding with a pair: n_examples distinct ones, n pairs, and
        how many of these gave the same answer, went from right to wrong, from wrong to right, or
        from one wrong answer to another; the four add up to n. An invalid answer is a wrong one,
        and two invalid answers are the same.

    Raises:
        ValueError: the same temperature twice, or rows of several tasks.
    """
    if from_temperature == to_temperature:
        raise ValueError(f"flips need two temperatures, not {from_temperature:g} twice")
    known = scored(rows)
    known = known[known["decoding"] != "classifier"]
    before, after = _at(known, from_temperature), _at(known, to_temperature)
    keys = _PAIR if 0 in (from_temperature, to_temperature) else [*_PAIR, "seed"]
    pairs = before.merge(after, on=keys, suffixes=("_from", "_to"))
    names = ["model", "prompt", "decoding"]
    lines = [
        dict(zip(names, key, strict=True)) | _counts(group)
        for key, group in pairs.groupby(names, sort=False)
    ]
    return ordered(table(lines, COLUMNS), "decoding")


def _at(known: pd.DataFrame, temperature: float) -> pd.DataFrame:
    """Give the answers at one temperature, at 0 one per example."""
    here = known[known["temperature"] == temperature]
    if temperature == 0:
        here = here.sort_values("seed", kind="stable").drop_duplicates(_PAIR)
    return here[[*_PAIR, "seed", "answer", "correct"]]


def _counts(pairs: pd.DataFrame) -> dict[str, Any]:
    """Count the four kinds of movement."""
    same = (pairs["answer_from"] == pairs["answer_to"]).fillna(False).astype(bool)
    same |= pairs["answer_from"].isna() & pairs["answer_to"].isna()
    return {
        "n_examples": pairs["example_id"].nunique(),
        "n": len(pairs),
        "same": int(same.sum()),
        "right_to_wrong": int((~same & pairs["correct_from"]).sum()),
        "wrong_to_right": int((~same & pairs["correct_to"]).sum()),
        "wrong_to_other_wrong": int((~same & ~pairs["correct_from"] & ~pairs["correct_to"]).sum()),
    }
