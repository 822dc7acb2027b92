"""Transfer: each model under every frozen prompt, as a heat map, beside the naive prompt."""

from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from evaluate.figures.names import shown, width_of, wrapped
from evaluate.figures.panels import nothing_to_draw
from evaluate.figures.sheet import LINE, Sheet
from evaluate.figures.style import BASE, SMALL, WIDTH, Picture, picture
from evaluate.figures.theme import Theme, heat, readable_on

_CELL = 0.52
_LEAST_SCALE = 0.1
"""The colours span this difference in accuracy or more, so that noise does not look like news."""

_GAP = 0.25
"""Between the naive prompt and the frozen ones, in cells."""


class TransferData(NamedTuple):
    """What `transfer` draws.

    cells: the lines given, with `x` and `y` (places in cells), `heat` (the accuracy's place
        above the least, in [0, 1]) and `is_own`.
    models: along the side; owners: along the foot, without the naive prompt.
    has_reference: whether there is a column for the naive prompt.
    """

    cells: pd.DataFrame
    models: tuple[str, ...]
    owners: tuple[str, ...]
    has_reference: bool


def transfer_data(cells: pd.DataFrame) -> TransferData:
    """Compute the places: models from top to bottom, their prompts in the same order to the right.

    Args:
        cells: what `evaluate.analysis.transfer` gives.

    Raises:
        ValueError: there are no cells.
    """
    if len(cells) == 0:
        raise nothing_to_draw("model answered under a frozen prompt or the naive one")
    models = tuple(sorted(cells["model"].unique()))
    is_reference = cells["is_reference"]
    strange = set(cells.loc[~is_reference, "owner"])
    owners = tuple(name for name in models if name in strange)
    owners += tuple(sorted(strange - set(models)))
    start = 1 + _GAP if is_reference.any() else 0.0
    x = [
        0.0 if reference else start + owners.index(owner)
        for owner, reference in zip(cells["owner"], is_reference, strict=True)
    ]
    least, greatest = cells["accuracy"].min(), cells["accuracy"].max()
    scale = max(greatest - least, _LEAST_SCALE)
    return TransferData(
        cells=cells.assign(
            x=x,
            y=cells["model"].map(models.index),
            heat=(cells["accuracy"] - least) / scale,
            is_own=~is_reference & (cells["owner"] == cells["model"]),
        ),
        models=models,
        owners=owners,
        has_reference=bool(is_reference.any()),
    )


def transfer(cells: pd.DataFrame) -> Picture:
    """Draw the heat map with accuracies and intervals; a model's own prompt has a frame.

    Args:
        cells: what `evaluate.analysis.transfer` gives. A cell that was not run stays empty.

    Raises:
        ValueError: there are no cells.
    """
    data = transfer_data(cells)
    return picture(lambda theme: _draw(theme, data))


def _draw(theme: Theme, data: TransferData) -> Figure:
    labels = [wrapped(shown(model, 40), 1.5, 2) for model in data.models]
    left = max(width_of(line) for label in labels for line in label) + 0.12
    n_across = len(data.owners) + (1 + _GAP if data.has_reference else 0)
    cell = min(1.3, (WIDTH - left - 0.05) / n_across)
    ticks = _ticks(data, cell)
    height = _CELL * len(data.models)
    below = LINE * max(len(text.split("\n")) for text in ticks.values()) + 0.12
    sheet = Sheet(
        theme,
        "Does a frozen prompt carry over to another model?",
        "Accuracy in % with its 95 % Wilson interval, at temperature 0 in choose. Lines: the model "
        "that answers. Columns: the model that the prompt was frozen for; framed: its own.",
        height + below + LINE,
    )
    panel = sheet.axes(left, 0.06, cell * n_across, height)
    _draw_cells(theme, panel, data)
    panel.set(xlim=(-0.5, n_across - 0.5), ylim=(len(data.models) - 0.5, -0.5))
    panel.set_xticks(list(ticks), list(ticks.values()))
    panel.set_yticks(range(len(labels)), ["\n".join(label) for label in labels])
    panel.spines[:].set_visible(False)
    panel.tick_params(length=0, labelcolor=theme.text)
    return sheet.figure


def _ticks(data: TransferData, cell: float) -> dict[float, str]:
    """Give the labels of the columns, broken to their width."""
    start = 1 + _GAP if data.has_reference else 0.0
    ticks = {0.0: "\n".join(wrapped("naive prompt", cell - 0.06, 2))} if data.has_reference else {}
    for place, owner in enumerate(data.owners):
        ticks[start + place] = "\n".join(wrapped(shown(owner, 40), cell - 0.06, 4))
    return ticks


def _draw_cells(theme: Theme, panel: Axes, data: TransferData) -> None:
    """Draw the cells, own prompts last, so that no neighbour covers their frame."""
    cell: Any
    for cell in data.cells.sort_values("is_own", kind="stable").itertuples(index=False):
        colour = heat(theme, cell.heat)
        ink = readable_on(colour)
        corner = (cell.x - 0.5, cell.y - 0.5)
        panel.add_patch(
            Rectangle(corner, 1, 1, facecolor=colour, edgecolor=theme.page, linewidth=1.5)
        )
        if cell.is_own:
            inner = (corner[0] + 0.03, corner[1] + 0.05)
            panel.add_patch(Rectangle(inner, 0.94, 0.9, fill=False, edgecolor=ink, linewidth=1.4))
        _write(panel, cell, ink)


def _write(panel: Axes, cell: Any, colour: str) -> None:
    """Write the accuracy and below it the interval."""
    style: dict[str, Any] = {"color": colour, "horizontalalignment": "center"}
    panel.text(
        cell.x,
        cell.y - 0.02,
        f"{100 * cell.accuracy:.1f}",
        fontsize=BASE + 0.5,
        fontweight="bold",
        **style,
    )
    interval = f"{100 * cell.low:.1f}-{100 * cell.high:.1f}"
    panel.text(cell.x, cell.y + 0.3, interval, fontsize=SMALL, **style)
