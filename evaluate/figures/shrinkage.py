"""Shrinkage: what is left of a frozen prompt's accuracy from dev over confirm to test."""

from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluate.figures.panels import (
    Blocks,
    columns_for,
    intervals,
    limits,
    nothing_to_draw,
    percent_axis,
)
from evaluate.figures.sheet import Sheet
from evaluate.figures.style import SMALL, Picture, picture
from evaluate.figures.theme import Theme, category

SPLITS = ("dev", "confirm", "test")


class ShrinkageData(NamedTuple):
    """What `shrinkage` draws.

    points: the lines with an accuracy, by model and split, with `x`, the split's place.
    models: the distinct models, by name.
    limits: both ends of the axis, shares.
    """

    points: pd.DataFrame
    models: tuple[str, ...]
    limits: tuple[float, float]


def shrinkage_data(accuracies: pd.DataFrame) -> ShrinkageData:
    """Order the accuracies.

    Args:
        accuracies: columns model, split (`dev`, `confirm` or `test`), accuracy, low, high, shares;
            at most one line per model and split. Lines without accuracy are left out.

    Raises:
        ValueError: no line has an accuracy, or a split is another.
    """
    strange = sorted(set(accuracies["split"]) - set(SPLITS))
    if strange:
        raise ValueError(f"a split must be one of {SPLITS}, not {strange}")
    known = accuracies[accuracies["accuracy"].notna()]
    if len(known) == 0:
        raise nothing_to_draw("frozen prompt has an accuracy")
    points = known.assign(x=known["split"].map(SPLITS.index))
    points = points.sort_values(["model", "x"], ignore_index=True)
    return ShrinkageData(
        points=points,
        models=tuple(points["model"].unique()),
        limits=limits(points["low"].min(), points["high"].max(), 0.04),
    )


def shrinkage(accuracies: pd.DataFrame) -> Picture:
    """Draw every model's frozen prompt on the three splits.

    Args:
        accuracies: see `shrinkage_data`.

    Raises:
        ValueError: see `shrinkage_data`.
    """
    data = shrinkage_data(accuracies)
    return picture(lambda theme: _draw(theme, data))


def _draw(theme: Theme, data: ShrinkageData) -> Figure:
    n_columns = columns_for(len(data.models))
    blocks = Blocks(
        names=(None,),
        titles=(data.models,),
        n_columns=n_columns,
        panel_height=1.8,
        left=0.4,
        below=0.34,
    )
    sheet = Sheet(
        theme,
        "The frozen prompt from dev to test",
        "Accuracy in % with 95 % Wilson intervals. The search tuned on dev, and confirm had a part "
        "in choosing the winner; only test was never looked at.",
        blocks.height + 0.04,
    )
    (panels,) = blocks.draw(sheet)
    for model, panel in zip(data.models, panels, strict=True):
        _draw_panel(theme, panel, data, data.points[data.points["model"] == model])
    return sheet.figure


def _draw_panel(theme: Theme, panel: Axes, data: ShrinkageData, points: pd.DataFrame) -> None:
    colour = category(theme, 0)
    intervals(panel, points["x"], points["low"], points["high"], colour)
    panel.plot(
        points["x"],
        points["accuracy"],
        color=colour,
        linewidth=1.1,
        marker="o",
        markersize=6,
        markeredgecolor=theme.page,
        markeredgewidth=0.6,
        zorder=3,
    )
    point: Any
    for point in points.itertuples(index=False):
        panel.annotate(
            f"{100 * point.accuracy:.1f}",
            (point.x, point.high),
            xytext=(0, 3),
            textcoords="offset points",
            fontsize=SMALL,
            horizontalalignment="center",
        )
    panel.set(xlim=(-0.5, len(SPLITS) - 0.5), ylim=data.limits)
    panel.set_xticks(range(len(SPLITS)), SPLITS)
    percent_axis(panel, "y")
