"""Small multiples: blocks of equal panels under a heading each, and what all panels share."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import ArrayLike

from evaluate.figures.names import shown
from evaluate.figures.sheet import LINE, Sheet
from evaluate.figures.style import BASE, SMALL, WIDTH
from evaluate.figures.theme import Theme

LEAST = 10
"""How many examples make a point that is worth drawing."""

_HEADING = 0.27
_GAP = 0.24
_RIGHT = 0.2


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """Where the panels of several blocks stand, in inches.

    names: the untrusted name of each block, None for one without a heading.
    titles: for each block the untrusted titles of its panels, at least one.
    n_columns: panels beside each other.
    panel_height: of a panel's frame.
    left: room for the labels of the y axis, which only the first panel of a line has.
    below: room for the labels of the x axis, which every panel has.
    """

    names: tuple[str | None, ...]
    titles: tuple[tuple[str, ...], ...]
    n_columns: int
    panel_height: float
    left: float = 0.48
    below: float = 0.34

    @property
    def panel_width(self) -> float:
        """The width of a panel's frame."""
        free = WIDTH - self.left - _GAP * (self.n_columns - 1) - _RIGHT
        return free / self.n_columns

    @property
    def height(self) -> float:
        """The height of all blocks."""
        return sum(map(self._block_height, range(len(self.names))))

    def _block_height(self, block: int) -> float:
        n_lines = math.ceil(len(self.titles[block]) / self.n_columns)
        heading = 0.0 if self.names[block] is None else _HEADING
        return heading + n_lines * (LINE + 0.05 + self.panel_height + self.below)

    def draw(self, sheet: Sheet) -> list[list[Axes]]:
        """Write the headings and titles, and add the panels of every block, in order."""
        top = 0.0
        panels = []
        for block, name in enumerate(self.names):
            below = top
            if name is not None:
                sheet.text(0, top + 0.16, shown(name, 60), fontsize=BASE + 0.5, fontweight="bold")
                below += _HEADING
            panels.append(self._draw_block(sheet, block, below))
            top += self._block_height(block)
        return panels

    def _draw_block(self, sheet: Sheet, block: int, top: float) -> list[Axes]:
        line_height = LINE + 0.05 + self.panel_height + self.below
        max_characters = int(self.panel_width / 0.073)
        panels = []
        for number, title in enumerate(self.titles[block]):
            line, column = divmod(number, self.n_columns)
            left = self.left + column * (self.panel_width + _GAP)
            y = top + line * line_height
            sheet.text(left, y + LINE - 0.02, shown(title, max_characters), fontsize=SMALL)
            panel = sheet.axes(left, y + LINE + 0.05, self.panel_width, self.panel_height)
            panel.tick_params(labelleft=column == 0)
            panels.append(panel)
        return panels


def by_model(lines: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """Give each model's prompts, both in the order of the lines."""
    return {
        str(model): tuple(group["prompt"].unique())
        for model, group in lines.groupby("model", sort=False)
    }


def columns_for(n: int, most: int = 3) -> int:
    """Give how many of n panels stand beside each other."""
    return max(2, min(n, most))


def intervals(
    panel: Axes,
    at: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    colour: str,
    is_horizontal: bool = False,
) -> None:
    """Draw intervals at places of an axis as one broken line."""
    places = np.asarray(at, dtype=np.float64)
    gap = np.full(len(places), np.nan)
    ends = np.column_stack([np.asarray(low), np.asarray(high), gap]).ravel()
    places = np.repeat(places, 3)
    x, y = (ends, places) if is_horizontal else (places, ends)
    panel.plot(x, y, color=colour, linewidth=1.3, solid_capstyle="butt", zorder=2)


def percent_axis(panel: Axes, which: str, n_steps: int = 5) -> None:
    """Write an axis of shares in [0, 1] as percent, with a grid; its limits are set already."""
    axis = panel.yaxis if which == "y" else panel.xaxis
    axis.set_major_locator(MaxNLocator(n_steps, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:.3g}"))
    quiet_grid(panel, which, axis.get_majorticklocs())


def quiet_grid(panel: Axes, which: str, places: Iterable[float]) -> None:
    """Draw grid lines within the panel's limits as one broken line, which keeps the file small."""
    across = panel.get_xlim() if which == "y" else panel.get_ylim()
    along = panel.get_ylim() if which == "y" else panel.get_xlim()
    inside = [place for place in places if min(along) <= place <= max(along)]
    at = np.repeat(np.asarray(inside, dtype=np.float64), 3)
    ends = np.tile([*across, np.nan], len(inside))
    x, y = (ends, at) if which == "y" else (at, ends)
    colour = mpl.rcParams["grid.color"]
    panel.plot(x, y, color=colour, linewidth=0.8, zorder=0.6, scalex=False, scaley=False)


def limits(lowest: float, highest: float, margin: float = 0.03) -> tuple[float, float]:
    """Give an axis of shares: whole tenths around the data, and room for a marker at an end.

    Args:
        lowest: the least share that is drawn.
        highest: the greatest, at least `lowest`.
        margin: how far a share stays from an end of the axis.
    """
    low = math.floor(round(10 * (lowest - margin), 9)) / 10
    high = math.ceil(round(10 * (highest + margin), 9)) / 10
    return max(low, -margin), min(high, 1 + margin)


def large_enough(lines: pd.DataFrame, column: str) -> pd.DataFrame:
    """Leave out lines of fewer than `LEAST` examples, unless that leaves none.

    Their points lie anywhere and their intervals everywhere; the tables have them.
    """
    kept = lines[lines[column] >= LEAST]
    return kept if len(kept) > 0 else lines


def nothing_to_draw(what: str) -> ValueError:
    """Give the error of a figure without data."""
    return ValueError(f"there is nothing to draw: no {what}")


def quiet(theme: Theme, dashes: tuple[float, ...] | None = None) -> dict[str, Any]:
    """Give the style of a line to compare with, dashed or not."""
    linestyle: Any = "-" if dashes is None else (0, dashes)
    return {"color": theme.muted, "linewidth": 1.0, "linestyle": linestyle, "zorder": 1}
