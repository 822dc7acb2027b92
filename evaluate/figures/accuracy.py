"""The figure of a held-out evaluation: accuracy by model, prompt, decoding and temperature.

It owns the drawing alone: everything that is drawn is computed by `evaluate.figures.accuracy_data`.
"""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from evaluate.analysis.selection import FROZEN_FOR
from evaluate.figures.accuracy_data import AccuracyData, accuracy_data
from evaluate.figures.names import shown, width_of, wrapped
from evaluate.figures.panels import intervals, percent_axis, quiet, quiet_grid
from evaluate.figures.sheet import Mark, Sheet
from evaluate.figures.style import BASE, SMALL, WIDTH, Picture, picture
from evaluate.figures.theme import Theme, marker, ramp

_DASHES = ((1.0, 1.2), (4.0, 1.5, 1.0, 1.5), (6.0, 2.0), (2.5, 1.5), (1.0, 3.0))
_MEANING = {"choose": "choose: picks a label", "generate": "generate: writes text"}
_GAP = 0.32
_LABEL = 1.5
_HEADING = 0.3
_BELOW = 0.3


def accuracy(summary: pd.DataFrame, chance: float) -> Picture:
    """Draw every configuration's accuracy with its interval, and the baselines as lines.

    Args:
        summary: what `evaluate.summary.summarise` gives; a block per model, a line per prompt, a
            column per decoding, a colour and a shape per temperature.
        chance: the accuracy of guessing, in [0, 1].

    Raises:
        ValueError: see `accuracy_data`.
    """
    data = accuracy_data(summary, chance)
    return picture(lambda theme: _draw(theme, data))


def _draw(theme: Theme, data: AccuracyData) -> Figure:
    labels = _labels(data)
    row = max(0.24, 0.1 * len(data.temperatures) + 0.08, 0.36 if _has_two(labels) else 0.0)
    heights = [row * len(data.prompts[model]) for model in data.models]
    sheet = Sheet(
        theme,
        "Held-out accuracy by prompt, decoding and temperature",
        "Dots: accuracy. Bars: 95 % Wilson intervals. Temperature 0 is the most probable answer.",
        0.2 + sum(heights) + len(heights) * (_HEADING + _BELOW) + 0.18,
        _key(theme, data),
    )
    left = max(width_of(line) for lines in labels.values() for line in lines) + 0.12
    width = (WIDTH - left - 0.2 - _GAP * (len(data.decodings) - 1)) / len(data.decodings)
    top = 0.2
    for number, decoding in enumerate(data.decodings):
        x = left + number * (width + _GAP)
        sheet.text(x, 0.14, _MEANING[decoding], fontsize=SMALL, color=theme.muted)
    for model, height in zip(data.models, heights, strict=True):
        sheet.text(0, top + 0.18, shown(model, 60), fontsize=BASE + 0.5, fontweight="bold")
        for number, decoding in enumerate(data.decodings):
            place = (left + number * (width + _GAP), top + _HEADING, width, height)
            _draw_panel(theme, sheet.axes(*place), data, model, decoding)
        top += _HEADING + height + _BELOW
    sheet.text(left, top + 0.1, "accuracy, %", fontsize=SMALL)
    return sheet.figure


def _labels(data: AccuracyData) -> dict[str, list[str]]:
    """Give every prompt's label, broken into two lines where it is long."""
    prompts = {prompt for own in data.prompts.values() for prompt in own}
    return {prompt: _label(prompt) for prompt in prompts}


def _label(prompt: str) -> list[str]:
    """Give a prompt's label; `frozen for X` breaks before X."""
    if prompt.startswith(FROZEN_FOR):
        return [FROZEN_FOR.strip(), shown(prompt.removeprefix(FROZEN_FOR), 22)]
    return wrapped(shown(prompt, 40), _LABEL, 2)


def _has_two(labels: dict[str, list[str]]) -> bool:
    return any(len(lines) > 1 for lines in labels.values())


def _draw_panel(theme: Theme, panel: Axes, data: AccuracyData, model: str, decoding: str) -> None:
    """Draw one model in one decoding: reference lines below, intervals, then markers on top."""
    prompts = data.prompts[model]
    here = (data.points["model"] == model) & (data.points["decoding"] == decoding)
    panel.axvline(data.chance, **quiet(theme))
    for number, level in enumerate(data.baselines["accuracy"]):
        panel.axvline(level, **quiet(theme, _DASHES[number % len(_DASHES)]))
    colours = ramp(theme, len(data.temperatures))
    for number, temperature in enumerate(data.temperatures):
        points = data.points[here & (data.points["temperature"] == temperature)]
        colour = colours[number]
        intervals(panel, points["y"], points["low"], points["high"], colour, is_horizontal=True)
        panel.plot(points["accuracy"], points["y"], **_dot(theme, colour, number))
    panel.set(xlim=data.limits, ylim=(len(prompts) - 0.5, -0.5))
    panel.set_yticks(range(len(prompts)), ["\n".join(_label(prompt)) for prompt in prompts])
    quiet_grid(panel, "y", [at + 0.5 for at in range(len(prompts) - 1)])
    panel.tick_params(axis="y", labelleft=decoding == data.decodings[0], labelcolor=theme.text)
    percent_axis(panel, "x")


def _dot(theme: Theme, colour: str, number: int) -> dict[str, Any]:
    """Give the style of a temperature's markers."""
    return {
        "linestyle": "none",
        "color": colour,
        "marker": marker(number),
        "markersize": 5.2,
        "markeredgecolor": theme.page,
        "markeredgewidth": 0.6,
        "zorder": 3,
    }


def _key(theme: Theme, data: AccuracyData) -> list[Mark]:
    """Give the key: temperatures, then the lines to compare with and where they stand."""
    colours = ramp(theme, len(data.temperatures))
    dots = [
        Mark(label=f"temperature {temperature:g}", style=_dot(theme, colour, number))
        for number, (temperature, colour) in enumerate(zip(data.temperatures, colours, strict=True))
    ]
    lines = []
    line: Any
    for number, line in enumerate(data.baselines.itertuples(index=False)):
        label = f"{shown(line.model, 44)} {100 * line.accuracy:.1f} %"
        lines.append(Mark(label=label, style=quiet(theme, _DASHES[number % len(_DASHES)])))
    chance = Mark(label=f"chance {100 * data.chance:.1f} %", style=quiet(theme))
    return [*dots, *lines, chance]
