"""Why temperature changes answers: the share that flips against the margin between the labels.

What was drawn stands as dots, what the closed form expects as lines; both come from
`evaluate.analysis.margin_flips`.
"""

from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluate.figures.panels import (
    LEAST,
    Blocks,
    by_model,
    columns_for,
    intervals,
    large_enough,
    limits,
    nothing_to_draw,
    percent_axis,
)
from evaluate.figures.sheet import Mark, Sheet
from evaluate.figures.style import SMALL, Picture, picture
from evaluate.figures.theme import Theme, marker, ramp


class MarginData(NamedTuple):
    """What `margins` draws.

    bins: the lines given, in their order.
    models: each model's prompts, in the order of the lines.
    temperatures: the distinct ones, rising.
    top: the end of the y axis.
    """

    bins: pd.DataFrame
    models: dict[str, tuple[str, ...]]
    temperatures: tuple[float, ...]
    top: float


def margin_data(bins: pd.DataFrame) -> MarginData:
    """Compute the series and the axis.

    Args:
        bins: what `evaluate.analysis.margin_flips` gives; see `large_enough` for those that are
            left out.

    Raises:
        ValueError: there are no bins.
    """
    if len(bins) == 0:
        raise nothing_to_draw("answer was drawn above temperature 0")
    bins = large_enough(bins, "n_examples")
    return MarginData(
        bins=bins,
        models=by_model(bins),
        temperatures=tuple(sorted(bins["temperature"].unique())),
        top=limits(0.0, max(bins["flipped"].max(), bins["expected"].max()), 0.05)[1],
    )


def margins(bins: pd.DataFrame) -> Picture:
    """Draw the share of answers that differ from temperature 0's, by margin.

    Args:
        bins: what `evaluate.analysis.margin_flips` gives. Intervals that reach beyond the axis,
            which the points set, are cut.

    Raises:
        ValueError: there are no bins.
    """
    data = margin_data(bins)
    return picture(lambda theme: _draw(theme, data))


def _draw(theme: Theme, data: MarginData) -> Figure:
    titles = tuple(data.models.values())
    n_columns = columns_for(max(map(len, titles)))
    blocks = Blocks(names=tuple(data.models), titles=titles, n_columns=n_columns, panel_height=1.35)
    colours = ramp(theme, len(data.temperatures) + 1)[1:]
    key = [
        Mark(label=f"temperature {temperature:g}: drawn", style=_dot(theme, colour, number))
        for number, (temperature, colour) in enumerate(zip(data.temperatures, colours, strict=True))
    ]
    key.append(
        Mark(label="expected in closed form", style={"color": theme.muted, "linewidth": 1.3})
    )
    sheet = Sheet(
        theme,
        "Where temperature changes the answer",
        "Share of drawn answers that differ from the one at temperature 0, in %, with 95 % "
        "intervals, by the margin between the two most probable labels. Bins of fewer than "
        f"{LEAST} examples are left out.",
        blocks.height + 0.14,
        key,
    )
    for model, panels in zip(data.models, blocks.draw(sheet), strict=True):
        for prompt, panel in zip(data.models[model], panels, strict=True):
            here = (data.bins["model"] == model) & (data.bins["prompt"] == prompt)
            _draw_panel(theme, panel, data, data.bins[here], colours)
    axis = "margin at temperature 1, percentage points"
    sheet.text(blocks.left, blocks.height + 0.06, axis, fontsize=SMALL)
    return sheet.figure


def _draw_panel(
    theme: Theme, panel: Axes, data: MarginData, here: pd.DataFrame, colours: list[str]
) -> None:
    for number, temperature in enumerate(data.temperatures):
        bins = here[here["temperature"] == temperature]
        colour = colours[number]
        panel.plot(bins["margin"], bins["expected"], color=colour, linewidth=1.3, zorder=1.5)
        intervals(panel, bins["margin"], bins["low"], bins["high"], colour)
        panel.plot(bins["margin"], bins["flipped"], **_dot(theme, colour, number))
    panel.set(xlim=(-0.03, 1.03), ylim=(-0.03, data.top))
    percent_axis(panel, "x", 4)
    percent_axis(panel, "y", 4)


def _dot(theme: Theme, colour: str, number: int) -> dict[str, Any]:
    """Give the style of a temperature's markers; the shape of temperature 0 is not used here."""
    return {
        "linestyle": "none",
        "color": colour,
        "marker": marker(number + 1),
        "markersize": 4.6,
        "markeredgecolor": theme.page,
        "markeredgewidth": 0.6,
        "zorder": 3,
    }
