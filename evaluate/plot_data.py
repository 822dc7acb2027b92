"""What the accuracy plot shows, as numbers: points, reference lines, places on the axes.

It owns every decision that a test can check. `evaluate.plots` only draws it; the numbers come from
`evaluate.summary`.
"""

import math
from typing import NamedTuple

import pandas as pd

_DODGE = 0.12
_MARGIN = 3.0


class PlotData(NamedTuple):
    """What `accuracy_plot` draws; every accuracy in percent.

    points: one line per configuration of a language model with a defined accuracy, in the
        summary's order: model, prompt, decoding, x (its place on the axis), accuracy, low, high.
    baselines: one line per classical baseline: model, accuracy.
    models, prompts, decodings: the distinct values of `points`, in its order.
    temperatures: the labels of the axis at x = 0, 1, ...
    chance: the chance level.
    limits: both ends of the y axis, within [0, 100] but for a margin where data touch an end.
    """

    points: pd.DataFrame
    baselines: pd.DataFrame
    models: tuple[str, ...]
    prompts: tuple[str, ...]
    decodings: tuple[str, ...]
    temperatures: tuple[str, ...]
    chance: float
    limits: tuple[float, float]


def plot_data(summary: pd.DataFrame, chance: float) -> PlotData:
    """Compute what is drawn: percent, places on the axis, limits.

    Temperatures are categories in rising order. The series (prompt and decoding) that share a
    temperature stand side by side, in the same order everywhere. Names stay as
    they are: who draws them cleans them.

    Args:
        summary: what `evaluate.summary.summarise` gives. Lines without accuracy are left out.
        chance: the accuracy of guessing, in [0, 1].

    Raises:
        ValueError: no language model has an accuracy, or chance is not a share.
    """
    if not 0 <= chance <= 1:
        raise ValueError(f"chance must be a share from 0 to 1, not {chance}")
    known = summary[summary["accuracy"].notna()]
    is_baseline = known["decoding"] == "classifier"
    points = _shown(known[~is_baseline])
    baselines = _shown(known[is_baseline])[["model", "accuracy"]]
    if len(points) == 0:
        raise ValueError("there is nothing to draw: no language model has an accuracy")
    temperatures = sorted(points["temperature"].unique())
    points["x"] = points["temperature"].map(temperatures.index) + _offsets(points)
    chance_percent = 100 * chance
    levels = [chance_percent, *points["low"], *points["high"], *baselines["accuracy"]]
    return PlotData(
        points=points[["model", "prompt", "decoding", "x", "accuracy", "low", "high"]],
        baselines=baselines,
        models=tuple(points["model"].unique()),
        prompts=tuple(points["prompt"].unique()),
        decodings=tuple(points["decoding"].unique()),
        temperatures=tuple(f"{temperature:g}" for temperature in temperatures),
        chance=chance_percent,
        limits=_limits(min(levels), max(levels)),
    )


def _shown(lines: pd.DataFrame) -> pd.DataFrame:
    """Give a copy with accuracies in percent."""
    shown = lines.reset_index(drop=True)
    for column in ("accuracy", "low", "high"):
        shown[column] = 100 * shown[column]
    return shown


def _offsets(points: pd.DataFrame) -> list[float]:
    """Give each point's sideways shift, so that the series of one temperature do not overlap.

    The series met at a temperature in any panel stand around its place in the order of their first
    appearance, so they stand alike in every panel, and never further than 0.4 from it.
    """
    series = pd.Series(list(zip(points["prompt"], points["decoding"], strict=True)))
    order = list(dict.fromkeys(series))
    step = min(_DODGE, 0.8 / len(order))
    offsets = []
    for one, temperature in zip(series, points["temperature"], strict=True):
        met = set(series[(points["temperature"] == temperature).to_numpy()])
        beside = [other for other in order if other in met]
        offsets.append(step * (beside.index(one) - (len(beside) - 1) / 2))
    return offsets


def _limits(lowest: float, highest: float) -> tuple[float, float]:
    """Give the y axis in percent: whole tens around the data, and room for a marker at an end."""
    low = 10 * math.floor((lowest - _MARGIN) / 10)
    high = 10 * math.ceil((highest + _MARGIN) / 10)
    return (max(low, -_MARGIN), min(high, 100 + _MARGIN))
