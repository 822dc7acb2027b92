"""What the accuracy figure shows, as numbers: points, reference lines, places on the axes.

It owns every decision that a test can check. `evaluate.figures.accuracy` only draws it; the numbers
come from `evaluate.summary`.
"""

from typing import NamedTuple

import pandas as pd

from evaluate.analysis import prompt_place
from evaluate.figures.panels import limits, nothing_to_draw
from evaluate.rows import DECODINGS

DODGE = 0.24
_SPREAD = 0.68


class AccuracyData(NamedTuple):
    """What `accuracy` draws; every accuracy is a share in [0, 1].

    points: one line per configuration of a language model with a defined accuracy: model, prompt,
        decoding, temperature, accuracy, low, high, y (its place in its model's panel: prompt k of
        the model stands around k, rising temperatures below each other).
    baselines: one line per classical baseline: model, accuracy.
    models: the distinct models, in order.
    prompts: each model's prompts, in the order of the ladder.
    decodings: the distinct decodings, `choose` first.
    temperatures: the distinct temperatures, rising.
    chance: the chance level.
    limits: both ends of the axis, within [0, 1] but for a margin where data touch an end.
    """

    points: pd.DataFrame
    baselines: pd.DataFrame
    models: tuple[str, ...]
    prompts: dict[str, tuple[str, ...]]
    decodings: tuple[str, ...]
    temperatures: tuple[float, ...]
    chance: float
    limits: tuple[float, float]


def accuracy_data(summary: pd.DataFrame, chance: float) -> AccuracyData:
    """Compute what is drawn: places on the axes and limits.

    A temperature has the same shift from its prompt's place everywhere, so that both decodings can
    be compared along a line. Names stay as they are: who draws them cleans them.

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
    points = known[~is_baseline].reset_index(drop=True)
    baselines = known[is_baseline].reset_index(drop=True)[["model", "accuracy"]]
    if len(points) == 0:
        raise nothing_to_draw("language model has an accuracy")
    temperatures = tuple(sorted(points["temperature"].unique()))
    prompts = {
        str(model): tuple(
            sorted(own["prompt"].unique(), key=lambda name: (prompt_place(name), name))
        )
        for model, own in points.groupby("model", sort=False)
    }
    levels = [chance, *points["low"], *points["high"], *baselines["accuracy"]]
    names = ["model", "prompt", "decoding", "temperature", "accuracy", "low", "high"]
    return AccuracyData(
        points=points[names].assign(y=_places(points, prompts, temperatures)),
        baselines=baselines,
        models=tuple(prompts),
        prompts=prompts,
        decodings=tuple(one for one in DECODINGS if one in set(points["decoding"])),
        temperatures=temperatures,
        chance=chance,
        limits=limits(min(levels), max(levels)),
    )


def _places(
    points: pd.DataFrame, prompts: dict[str, tuple[str, ...]], temperatures: tuple[float, ...]
) -> list[float]:
    """Give each point's place: its prompt's number in its model, shifted by its temperature."""
    step = min(DODGE, _SPREAD / len(temperatures))
    middle = (len(temperatures) - 1) / 2
    return [
        prompts[model].index(prompt) + step * (temperatures.index(temperature) - middle)
        for model, prompt, temperature in zip(
            points["model"], points["prompt"], points["temperature"], strict=True
        )
    ]
