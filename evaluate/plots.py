"""The picture of a held-out evaluation: accuracy by model, prompt, decoding and temperature.

It owns the drawing alone: everything that is drawn is computed by `evaluate.plot_data`.
"""

import math
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
import seaborn as sns  # type: ignore[import-untyped,unused-ignore]
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.offsetbox import VPacker
from matplotlib.ticker import PercentFormatter

from evaluate.plot_data import PlotData, plot_data
from evaluate.table import clean
from modules.files import atomic_path

_DPI = 150
_MAX_COLUMNS = 3
_MARKERS = {"choose": "o", "generate": "s"}
_DASHES: dict[str, Any] = {"choose": "", "generate": (3, 2)}
_CHANCE: dict[str, Any] = {"color": "0.25", "linestyle": "-", "linewidth": 1.2}
_INTERVAL_SAMPLE: dict[str, Any] = {
    "linestyle": "none",
    "marker": "|",
    "markersize": 13,
    "markeredgecolor": "0.25",
    "markeredgewidth": 1.8,
}
_BASELINE_STYLES = ((0, (1, 1.2)), (0, (1, 3)), (0, (4, 1.5, 1, 1.5)), (0, (6, 2)))


def accuracy_plot(summary: pd.DataFrame, path: Path, chance: float) -> None:
    """Write the plot as PNG, whole or not at all; equal summaries give equal bytes.

    One panel per model; the bars are Wilson intervals. No global state of matplotlib is changed,
    and none of the user's settings can change the picture.

    Raises:
        ValueError: see `plot_data`.
        UserError: the disk refuses.
    """
    data = plot_data(summary, chance)
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(sns.axes_style("whitegrid") | sns.plotting_context("notebook"))
        mpl.rcParams.update({"grid.color": "0.92", "axes.edgecolor": "0.6", "text.parse_math": 0})
        figure = _draw(data)
        with atomic_path(path) as temporary:
            figure.savefig(temporary, format="png", dpi=_DPI, metadata={"Software": None})


def _draw(data: PlotData) -> Figure:
    """Draw every panel and the legend on a figure of its own, outside pyplot."""
    n_columns = min(len(data.models), _MAX_COLUMNS)
    n_rows = math.ceil(len(data.models) / n_columns)
    figure = Figure(figsize=(3.9 * n_columns + 2.9, 4.2 * n_rows + 0.3), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.subplots(n_rows, n_columns, sharex=True, sharey=True, squeeze=False)
    panels: list[Axes] = list(grid.flat)
    colours = dict(zip(data.prompts, _palette(len(data.prompts)), strict=True))
    for panel, model in zip(panels, data.models, strict=False):
        _draw_panel(panel, data, model, colours)
    for panel in panels[len(data.models) :]:
        panel.set_axis_off()
    figure.supxlabel("temperature (0 = the most probable answer)", fontsize=11)
    figure.supylabel("held-out accuracy", fontsize=11)
    _draw_legend(figure, data, colours)
    return figure


def _palette(n: int) -> list[Any]:
    """Give n colours that colour-blind readers can tell apart (up to 10)."""
    return list(sns.color_palette("colorblind", n))


def _draw_panel(panel: Axes, data: PlotData, model: str, colours: dict[str, Any]) -> None:
    """Draw one model: reference lines below, intervals, then lines and markers on top."""
    points = data.points[data.points["model"] == model]
    panel.axhline(data.chance, zorder=1, **_CHANCE)
    for style, accuracy in zip(_baseline_styles(data), data.baselines["accuracy"], strict=True):
        panel.axhline(accuracy, color="0.35", linestyle=style, linewidth=1.6, zorder=1)
    colour = [colours[prompt] for prompt in points["prompt"]]
    panel.vlines(points["x"], points["low"], points["high"], colors=colour, linewidth=1.8, zorder=2)
    sns.lineplot(
        data=points,
        x="x",
        y="accuracy",
        hue="prompt",
        style="decoding",
        palette=colours,
        markers=_MARKERS,
        dashes=_DASHES,
        errorbar=None,
        markersize=8,
        linewidth=1.2,
        legend=False,
        zorder=3,
        ax=panel,
    )
    _dress(panel, data, model)


def _dress(panel: Axes, data: PlotData, model: str) -> None:
    """Set a panel's title, axes and grid."""
    panel.set_title(clean(model), fontsize=12, fontweight="bold")
    panel.set(xlabel="", ylabel="", xlim=(-0.5, len(data.temperatures) - 0.5), ylim=data.limits)
    panel.set_xticks(range(len(data.temperatures)), data.temperatures)
    panel.yaxis.set_major_formatter(PercentFormatter(decimals=0))
    panel.xaxis.grid(False)
    panel.tick_params(labelbottom=True, labelsize=10)
    sns.despine(ax=panel)


def _baseline_styles(data: PlotData) -> list[Any]:
    """Give each baseline a dotted style of its own, repeating after the fourth."""
    return [_BASELINE_STYLES[i % len(_BASELINE_STYLES)] for i in range(len(data.baselines))]


def _draw_legend(figure: Figure, data: PlotData, colours: dict[str, Any]) -> None:
    """Draw one legend beside the panels, where it covers no data, in three headed parts."""
    entries = _legend_entries(data, colours)
    legend = figure.legend(
        [_handle(linestyle="none") if handle is None else handle for _, handle in entries],
        [label for label, _ in entries],
        loc="outside right center",
        frameon=False,
        fontsize=10,
        handlelength=2.6,
    )
    for line, (_, handle) in zip(_legend_lines(legend), entries, strict=True):
        if handle is None:
            sample, text = line.get_children()
            sample.set_width(0)
            text.get_children()[0].set_fontweight("bold")


def _legend_lines(legend: Legend) -> list[Any]:
    """Give the legend's lines, each a box of a sample and a text (as seaborn's own legends do)."""
    columns = legend.findobj(lambda artist: isinstance(artist, VPacker))
    return list(columns[0].get_children())


def _legend_entries(data: PlotData, colours: dict[str, Any]) -> list[tuple[str, Line2D | None]]:
    """Give the legend's labels with their samples; a heading or an empty line has none."""
    baselines = zip(
        data.baselines["model"], data.baselines["accuracy"], _baseline_styles(data), strict=True
    )
    return [
        ("prompt", None),
        *((clean(name), _handle(color=colours[name], linewidth=5)) for name in data.prompts),
        (" ", None),
        ("decoding", None),
        *(
            (name, _handle(color="0.25", marker=_MARKERS[name], linestyle=_linestyle(name)))
            for name in data.decodings
        ),
        ("95% Wilson interval", _handle(color="0.25", **_INTERVAL_SAMPLE)),
        (" ", None),
        ("to compare with", None),
        *(
            (
                f"{clean(name)}: {accuracy:.1f}%",
                _handle(color="0.35", linestyle=style, linewidth=1.6),
            )
            for name, accuracy, style in baselines
        ),
        (f"chance: {data.chance:.1f}%", _handle(**_CHANCE)),
    ]


def _linestyle(decoding: str) -> Any:
    return (0, _DASHES[decoding]) if _DASHES[decoding] else "-"


def _handle(**style: Any) -> Line2D:
    """Give a legend's sample line."""
    return Line2D([], [], **{"markersize": 8, "markeredgecolor": "white", **style})
