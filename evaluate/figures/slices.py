"""Accuracy by part of the examples: by length, by confidence, by rating.

A panel per prompt, a line per model; the slices come from `evaluate.analysis`.
"""

import math
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluate.analysis import prompt_place
from evaluate.figures.names import shown
from evaluate.figures.panels import (
    LEAST,
    Blocks,
    columns_for,
    intervals,
    large_enough,
    limits,
    nothing_to_draw,
    percent_axis,
    quiet_grid,
)
from evaluate.figures.sheet import Mark, Sheet
from evaluate.figures.style import SMALL, Picture, picture
from evaluate.figures.theme import Theme, category, marker

_SPREAD = 0.4


class SliceData(NamedTuple):
    """What these figures draw.

    points: the lines given, with `x`, their place on the axis: slice k stands around k, the models
        beside each other.
    models, prompts: the distinct ones, in order.
    ends: the axis between the slices: a place and what stands there.
    limits: both ends of the y axis, shares.
    """

    points: pd.DataFrame
    models: tuple[str, ...]
    prompts: tuple[str, ...]
    ends: dict[float, str]
    limits: tuple[float, float]


def slice_data(slices: pd.DataFrame, scale: float = 1.0) -> SliceData:
    """Compute the places of models and slices.

    Args:
        slices: what `by_length`, `by_confidence` or `by_rating` of `evaluate.analysis` gives; see
            `large_enough` for those that are left out.
        scale: what the ends of the slices are multiplied by before they are written.

    Raises:
        ValueError: there are no slices.
    """
    if len(slices) == 0:
        raise nothing_to_draw("slice has an example")
    slices = large_enough(slices, "n")
    models = tuple(sorted(slices["model"].unique()))
    prompts = sorted(slices["prompt"].unique(), key=lambda name: (prompt_place(name), name))
    step = 0.0 if len(models) == 1 else min(0.12, _SPREAD / (len(models) - 1))
    shift = slices["model"].map(models.index) - (len(models) - 1) / 2
    points = slices.assign(x=slices["position"] + step * shift)
    return SliceData(
        points=points.sort_values(["model", "prompt", "position"], ignore_index=True),
        models=models,
        prompts=tuple(prompts),
        ends=_ends(slices, scale),
        limits=limits(slices["low"].min(), slices["high"].max()),
    )


def by_length(slices: pd.DataFrame) -> Picture:
    """Draw the accuracy by words of the text (see `slice_data`)."""
    return _picture(slices, "Accuracy by length of the text", "words in the text")


def by_confidence(slices: pd.DataFrame) -> Picture:
    """Draw the accuracy by the probability of the most probable label (see `slice_data`)."""
    title = "Accuracy by confidence"
    return _picture(slices, title, "probability of the most probable label, %", 100)


def by_rating(slices: pd.DataFrame) -> Picture:
    """Draw the accuracy by the distance of the rating from neutral (see `slice_data`)."""
    title = "Accuracy by how clear the rating is"
    return _picture(slices, title, "distance of the rating from neutral")


def _picture(slices: pd.DataFrame, title: str, axis: str, scale: float = 1.0) -> Picture:
    data = slice_data(slices, scale)
    return picture(lambda theme: _draw(theme, data, title, axis))


def _ends(slices: pd.DataFrame, scale: float) -> dict[float, str]:
    """Give the ends of the slices, each once, between the places of its neighbours; inf is none."""
    ends: dict[float, str] = {}
    line: Any
    for line in slices.itertuples(index=False):
        for place, end in ((line.position - 0.5, line.left), (line.position + 0.5, line.right)):
            ends[place] = "" if math.isinf(end) else f"{scale * end:.3g}"
    return dict(sorted(ends.items()))


def _draw(theme: Theme, data: SliceData, title: str, axis: str) -> Figure:
    n_columns = columns_for(len(data.prompts))
    blocks = Blocks(names=(None,), titles=(data.prompts,), n_columns=n_columns, panel_height=1.5)
    key = [
        Mark(label=shown(model, 40), style=_line(theme, place))
        for place, model in enumerate(data.models)
    ]
    note = (
        "Accuracy in % at temperature 0 in choose, a panel per prompt; bars: 95 % intervals. "
        f"Slices of fewer than {LEAST} examples are left out."
    )
    sheet = Sheet(theme, title, note, blocks.height + 0.14, key)
    (panels,) = blocks.draw(sheet)
    for prompt, panel in zip(data.prompts, panels, strict=True):
        _draw_panel(theme, panel, data, prompt)
    sheet.text(blocks.left, blocks.height + 0.06, axis, fontsize=SMALL)
    return sheet.figure


def _draw_panel(theme: Theme, panel: Axes, data: SliceData, prompt: str) -> None:
    here = data.points[data.points["prompt"] == prompt]
    for place, model in enumerate(data.models):
        points = here[here["model"] == model]
        intervals(panel, points["x"], points["low"], points["high"], category(theme, place))
        panel.plot(points["x"], points["accuracy"], **_line(theme, place))
    panel.set(xlim=(min(data.ends), max(data.ends)), ylim=data.limits)
    panel.set_xticks(list(data.ends), list(data.ends.values()))
    quiet_grid(panel, "x", data.ends)
    percent_axis(panel, "y")


def _line(theme: Theme, place: int) -> dict[str, Any]:
    """Give the style of a model's line."""
    return {
        "color": category(theme, place),
        "marker": marker(place),
        "linewidth": 1.1,
        "markersize": 5,
        "markeredgecolor": theme.page,
        "markeredgewidth": 0.6,
        "zorder": 3,
    }
