"""Sampled accuracy against its closed form: whether the draws do what the probabilities say."""

from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluate.figures.names import shown
from evaluate.figures.panels import intervals, limits, nothing_to_draw, percent_axis, quiet
from evaluate.figures.sheet import Mark, Sheet
from evaluate.figures.style import SMALL, WIDTH, Picture, picture
from evaluate.figures.theme import Theme, marker, ramp

_LEFT, _GAP, _HEIGHT = 0.5, 0.62, 2.55
_NAMES = ["model", "prompt", "temperature", "accuracy", "low", "high", "expected"]


class ExpectationData(NamedTuple):
    """What `expectation` draws; all are shares.

    cells: the lines with an accuracy and an expectation, by model, temperature and expectation.
    models: the distinct models by name; temperatures: the distinct ones, rising.
    limits: both ends of the axes of accuracy.
    reach: the greatest distance of an interval's end from the expectation.
    n_inside: the cells whose interval holds the expectation.
    """

    cells: pd.DataFrame
    models: tuple[str, ...]
    temperatures: tuple[float, ...]
    limits: tuple[float, float]
    reach: float
    n_inside: int


def expectation_data(cells: pd.DataFrame) -> ExpectationData:
    """Compute the order, the axes, and how many intervals hold the expectation.

    Args:
        cells: columns model, prompt, temperature, accuracy (sampled) with its interval low and
            high, expected (in closed form). Lines with a NaN among these are left out.

    Raises:
        ValueError: no line is complete.
    """
    known = cells[_NAMES].dropna()
    if len(known) == 0:
        raise nothing_to_draw("sampled accuracy has an expectation beside it")
    known = known.sort_values(["model", "temperature", "expected", "prompt"], ignore_index=True)
    inside = (known["low"] <= known["expected"]) & (known["expected"] <= known["high"])
    above, below = known["high"] - known["expected"], known["expected"] - known["low"]
    ends = [*known["low"], *known["high"], *known["expected"]]
    return ExpectationData(
        cells=known,
        models=tuple(known["model"].unique()),
        temperatures=tuple(sorted(known["temperature"].unique())),
        limits=limits(min(ends), max(ends), 0.02),
        reach=float(max(above.abs().max(), below.abs().max())),
        n_inside=int(inside.sum()),
    )


def expectation(cells: pd.DataFrame) -> Picture:
    """Draw sampled accuracies against their expectation, and enlarged their distance from it.

    Args:
        cells: see `expectation_data`; a colour per temperature, a shape per model.

    Raises:
        ValueError: no line is complete.
    """
    data = expectation_data(cells)
    return picture(lambda theme: _draw(theme, data))


def _draw(theme: Theme, data: ExpectationData) -> Figure:
    n = len(data.cells)
    sheet = Sheet(
        theme,
        "Sampled accuracy and what the probabilities lead to expect",
        "A dot per model, prompt and temperature, in choose. The 95 % interval of the sampled "
        f"accuracy holds the expectation in {data.n_inside} of {n}.",
        _HEIGHT + 0.8,
        _key(theme, data),
    )
    width = (WIDTH - _LEFT - _GAP - 0.2) / 2
    whole = sheet.axes(_LEFT, 0.28, width, _HEIGHT)
    near = sheet.axes(_LEFT + width + _GAP, 0.28, width, _HEIGHT)
    whole.plot(data.limits, data.limits, **quiet(theme, (3, 2)))
    near.axhline(0, **quiet(theme, (3, 2)))
    _draw_cells(theme, data, whole, 0.0)
    _draw_cells(theme, data, near, 1.0)
    whole.set(xlim=data.limits, ylim=data.limits)
    near.set(xlim=data.limits, ylim=(-1.08 * data.reach, 1.08 * data.reach))
    for panel in (whole, near):
        percent_axis(panel, "x")
        percent_axis(panel, "y")
    sheet.text(_LEFT, 0.16, "sampled accuracy, %", fontsize=SMALL)
    sheet.text(_LEFT + width + _GAP, 0.16, "sampled minus expected, in points", fontsize=SMALL)
    for left in (_LEFT, _LEFT + width + _GAP):
        sheet.text(left, 0.28 + _HEIGHT + 0.4, "expected accuracy, %", fontsize=SMALL)
    return sheet.figure


def _draw_cells(theme: Theme, data: ExpectationData, panel: Axes, less: float) -> None:
    """Draw every cell, less so much of its expectation."""
    colours = ramp(theme, len(data.temperatures) + 1)[1:]
    for place, model in enumerate(data.models):
        for temperature, colour in zip(data.temperatures, colours, strict=True):
            is_here = (data.cells["model"] == model) & (data.cells["temperature"] == temperature)
            here = data.cells[is_here]
            base = less * here["expected"]
            intervals(panel, here["expected"], here["low"] - base, here["high"] - base, colour)
            style = _dot(theme, place) | {"color": colour}
            panel.plot(here["expected"], here["accuracy"] - base, **style)


def _key(theme: Theme, data: ExpectationData) -> list[Mark]:
    """Give the key: a colour per temperature, a shape per model."""
    colours = ramp(theme, len(data.temperatures) + 1)[1:]
    return [
        *(
            Mark(label=f"temperature {temperature:g}", style={"color": colour, "linewidth": 3})
            for temperature, colour in zip(data.temperatures, colours, strict=True)
        ),
        *(
            Mark(label=shown(model, 40), style=_dot(theme, place))
            for place, model in enumerate(data.models)
        ),
    ]


def _dot(theme: Theme, place: int) -> dict[str, Any]:
    return {
        "linestyle": "none",
        "color": theme.muted,
        "marker": marker(place),
        "markersize": 5.2,
        "markeredgecolor": theme.page,
        "markeredgewidth": 0.6,
        "zorder": 3,
    }
