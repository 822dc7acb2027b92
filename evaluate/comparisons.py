"""Paired comparisons: every difference that the report speaks of, tested on the same examples.

It owns which pairs are compared and over which examples; the tests are `evaluate.statistics`'s.
Two families: prompts and models at temperature 0, and what temperature does. Within a family the
p-values are Holm's.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from evaluate.analysis.selection import FROZEN, chosen_at_zero, ordered, scored, table
from evaluate.statistics import holm, mcnemar, paired_bootstrap, smallest_difference

LEVEL = 0.05
"""A difference is called established where its adjusted p-value is at most this."""

_COLUMNS = {
    "model_a": "str",
    "prompt_a": "str",
    "model_b": "str",
    "prompt_b": "str",
    "n": "int64",
    "accuracy_a": "float64",
    "accuracy_b": "float64",
    "difference": "float64",
    "low": "float64",
    "high": "float64",
    "n_only_a": "int64",
    "n_only_b": "int64",
    "exact": "float64",
    "mid_p": "float64",
    "adjusted": "float64",
    "detectable": "float64",
}
_EFFECT_COLUMNS = {
    "model": "str",
    "prompt": "str",
    "decoding": "str",
    "n": "int64",
    "seeds": "int64",
    "accuracy_a": "float64",
    "accuracy_b": "float64",
    "difference": "float64",
    "low": "float64",
    "high": "float64",
}


class _Side(NamedTuple):
    """A configuration at temperature 0: a model and a prompt, or a baseline with the prompt `-`."""

    model: str
    prompt: str


def comparisons(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Compare frozen prompts with everything else, at temperature 0.

    Each model's own frozen prompt against every other prompt of that model and against every
    baseline, and the frozen prompts of every two models.

    Args:
        rows: what `evaluate.rows.frame` gives, of one task.
        seed: of the bootstrap.

    Returns:
        A line per pair with common examples: n of them, both accuracies there, `difference` a - b
        with its 95 % paired bootstrap interval, the examples that only one has right, McNemar's
        exact and mid p-values, `adjusted`: Holm's over all lines, of the exact ones; `detectable`:
        the smallest difference that this test finds with a power of 0.8 at this n and this share of
        discordant examples, NaN where there is none. An invalid answer is wrong.
    """
    answers = _correct(rows)
    lines = [
        line
        for a, b in _pairs(answers)
        if (line := _line(a, b, answers[a], answers[b], seed)) is not None
    ]
    for line, adjusted in zip(lines, holm([line["exact"] for line in lines]), strict=True):
        line["adjusted"] = adjusted
    return table(lines, _COLUMNS)


def temperature_effects(
    rows: pd.DataFrame, from_temperature: float, to_temperature: float, seed: int
) -> pd.DataFrame:
    """Say what going from one temperature to another does to the accuracy of every prompt.

    In `choose` the accuracies are the expected ones, in closed form, without the noise of the
    draws; in `generate` they are means over the seeds.

    Returns:
        A line per model, prompt and decoding with examples at both: n of them, `difference` to -
        from with its 95 % paired bootstrap interval over the examples. In the ladder's order.
    """
    known = scored(rows)
    known = known[known["decoding"] != "classifier"]
    lines = []
    for (model, prompt, decoding), group in known.groupby(["model", "prompt", "decoding"]):
        value = "p_correct" if decoding == "choose" else "correct"
        a, b = (_mean_by_example(group, t, value) for t in (from_temperature, to_temperature))
        common = a.index.intersection(b.index)
        if len(common) == 0:
            continue
        low, high = paired_bootstrap(b[common].to_numpy(), a[common].to_numpy(), seed=seed)
        lines.append(
            {
                "model": model,
                "prompt": prompt,
                "decoding": decoding,
                "n": len(common),
                "seeds": group.loc[group["temperature"] == to_temperature, "seed"].nunique(),
                "accuracy_a": a[common].mean(),
                "accuracy_b": b[common].mean(),
                "difference": b[common].mean() - a[common].mean(),
                "low": low,
                "high": high,
            }
        )
    return ordered(table(lines, _EFFECT_COLUMNS), "decoding")


def _mean_by_example(group: pd.DataFrame, temperature: float, value: str) -> pd.Series:
    """Give the mean of a column over the draws of each example, in the order of the ids."""
    here = group[group["temperature"] == temperature]
    return here.groupby("example_id")[value].mean().astype("float64").sort_index()


def _correct(rows: pd.DataFrame) -> dict[_Side, pd.Series]:
    """Give, for every configuration at temperature 0, whether each example is right, by id."""
    classified = scored(rows)
    classified = classified[classified["decoding"] == "classifier"]
    cold = pd.concat([chosen_at_zero(rows), classified])
    return {
        _Side(*map(str, key)): group.set_index("example_id")["correct"].astype(bool).sort_index()
        for key, group in cold.groupby(["model", "prompt"], sort=False)
    }


def _pairs(sides: Sequence[_Side] | dict[_Side, Any]) -> Iterator[tuple[_Side, _Side]]:
    """Give the pairs to compare, in the order of the sides."""
    frozen = [side for side in sides if side.prompt == FROZEN]
    for number, one in enumerate(frozen):
        yield from ((one, other) for other in frozen[number + 1 :])
    for one in frozen:
        for other in sides:
            if other.prompt != FROZEN and other.model == one.model:
                yield one, other
    for one in frozen:
        yield from ((one, other) for other in sides if other.prompt == "-")


def _line(
    a: _Side, b: _Side, right_a: pd.Series, right_b: pd.Series, seed: int
) -> dict[str, Any] | None:
    """Compare two configurations on their common examples; None without any."""
    common = right_a.index.intersection(right_b.index)
    n = len(common)
    if n == 0:
        return None
    one, other = right_a[common].to_numpy(), right_b[common].to_numpy()
    n_only_a, n_only_b = int((one & ~other).sum()), int((other & ~one).sum())
    tested = mcnemar(n_only_a, n_only_b)
    low, high = paired_bootstrap(one.astype(np.float64), other.astype(np.float64), seed=seed)
    return {
        "model_a": a.model,
        "prompt_a": a.prompt,
        "model_b": b.model,
        "prompt_b": b.prompt,
        "n": n,
        "accuracy_a": one.mean(),
        "accuracy_b": other.mean(),
        "difference": (n_only_a - n_only_b) / n,
        "low": low,
        "high": high,
        "n_only_a": n_only_a,
        "n_only_b": n_only_b,
        "exact": tested.exact,
        "mid_p": tested.mid_p,
        "detectable": smallest_difference(n, (n_only_a + n_only_b) / n),
    }
