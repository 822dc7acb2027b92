"""Reliability diagrams: whether a model's confidence is worth believing, prompt by prompt."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluate.analysis import prompt_place
from evaluate.figures.panels import (
    LEAST,
    Blocks,
    by_model,
    columns_for,
    intervals,
    large_enough,
    nothing_to_draw,
    percent_axis,
    quiet,
)
from evaluate.figures.sheet import Mark, Sheet
from evaluate.figures.style import SMALL, Picture, picture
from evaluate.figures.theme import Theme, category

_BARS = 0.22
"""The height of the tallest count bar, as a share of the panel."""


class ReliabilityData(NamedTuple):
    """What `reliability` draws.

    bins: the bins with an example in them: the columns given; `bar`, the bin's share of the
        examples of its model and prompt over the greatest such share in the figure; `is_point`,
        whether it is large enough for a point (see `large_enough`).
    low: where the axes of confidence and accuracy begin; intervals that reach below are cut.
    """

    bins: pd.DataFrame
    low: float


def reliability_data(bins: pd.DataFrame) -> ReliabilityData:
    """Order the bins by model, prompt in the order of the ladder, and place; scale their counts.

    Args:
        bins: columns model, prompt, left, right (the bin's ends, in [0, 1]), n, confidence (the
            mean), accuracy, low, high (its interval). Bins with n = 0 are left out.

    Raises:
        ValueError: no bin has an example.
    """
    known = bins[bins["n"] > 0]
    if len(known) == 0:
        raise nothing_to_draw("bin has an example")
    known = known.assign(place=known["prompt"].map(prompt_place))
    known = known.sort_values(["model", "place", "prompt", "left"], ignore_index=True)
    share = known["n"] / known.groupby(["model", "prompt"])["n"].transform("sum")
    points = large_enough(known, "n")
    least = min(points["left"].min(), points["accuracy"].min())
    return ReliabilityData(
        bins=known.drop(columns="place").assign(
            bar=share / share.max(), is_point=known.index.isin(points.index)
        ),
        low=float(np.floor(10 * least) / 10),
    )


def reliability(bins: pd.DataFrame) -> Picture:
    """Draw accuracy against confidence with intervals, and how many examples each bin has.

    Args:
        bins: see `reliability_data`.

    Raises:
        ValueError: no bin has an example.
    """
    data = reliability_data(bins)
    return picture(lambda theme: _draw(theme, data))


def _draw(theme: Theme, data: ReliabilityData) -> Figure:
    models = by_model(data.bins)
    n_columns = columns_for(max(map(len, models.values())))
    blocks = Blocks(
        names=tuple(models), titles=tuple(models.values()), n_columns=n_columns, panel_height=1.55
    )
    sheet = Sheet(
        theme,
        "Accuracy against confidence",
        "On the line the model is right as often as its confidence says; below it the model is "
        "overconfident. Bars at the foot: the share of examples in each bin; those of fewer than "
        f"{LEAST} have no dot.",
        blocks.height + 0.14,
        [
            Mark(label="accuracy, with 95 % interval", style=_dot(theme)),
            Mark(label="accuracy = confidence", style=quiet(theme, (3, 2))),
        ],
    )
    for model, panels in zip(models, blocks.draw(sheet), strict=True):
        for prompt, panel in zip(models[model], panels, strict=True):
            here = (data.bins["model"] == model) & (data.bins["prompt"] == prompt)
            _draw_panel(theme, panel, data.bins[here], data.low)
    sheet.text(blocks.left, blocks.height + 0.06, "confidence in the answer, %", fontsize=SMALL)
    return sheet.figure


def _draw_panel(theme: Theme, panel: Axes, bins: pd.DataFrame, low: float) -> None:
    ends = (low - 0.03, 1.03)
    height = _BARS * (ends[1] - ends[0])
    panel.bar(
        bins["left"],
        height * bins["bar"],
        width=bins["right"] - bins["left"],
        bottom=ends[0],
        align="edge",
        color=theme.grid,
        edgecolor=theme.page,
        linewidth=0.6,
        zorder=0.5,
    )
    panel.plot([low, 1], [low, 1], **quiet(theme, (3, 2)))
    colour = category(theme, 0)
    points = bins[bins["is_point"]]
    intervals(panel, points["confidence"], points["low"], points["high"], colour)
    panel.plot(points["confidence"], points["accuracy"], **_dot(theme))
    panel.set(xlim=ends, ylim=ends)
    percent_axis(panel, "x", 4)
    percent_axis(panel, "y", 4)


def _dot(theme: Theme) -> dict[str, Any]:
    return {
        "color": category(theme, 0),
        "linewidth": 1.1,
        "marker": "o",
        "markersize": 5,
        "markeredgecolor": theme.page,
        "markeredgewidth": 0.6,
        "zorder": 3,
    }
