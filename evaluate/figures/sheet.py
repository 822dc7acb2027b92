"""A figure as a sheet measured in inches: a heading, a key, and panels below them.

It owns the places of all that. A sheet is `WIDTH` wide and as high as its parts; what is in the
panels is drawn by the modules of the figures.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from evaluate.figures.names import width_of, wrapped
from evaluate.figures.style import SMALL, TITLE, WIDTH
from evaluate.figures.theme import Theme

LINE = 0.17
"""The height of a line of small type, in inches."""

_TITLE_HEIGHT = 0.26
_KEY_LINE = 0.2
_SAMPLE = 0.3
_KEY_GAP = 0.22


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One entry of a key: a sample of a line or a marker, and what it stands for.

    `style` is given to matplotlib's Line2D; the sample is a third of an inch long.
    """

    label: str
    style: dict[str, Any]


class Sheet:
    """A figure with its heading drawn; places are inches from the left and from the body's top.

    Args:
        theme: the look.
        title: one line of our own words.
        note: our own words on how to read the figure; broken into lines.
        body: the height of what comes below the heading, in inches.
        key: entries of the key above the body, in order; they flow into lines.
    """

    def __init__(
        self, theme: Theme, title: str, note: str, body: float, key: Sequence[Mark] = ()
    ) -> None:
        notes = wrapped(note, WIDTH - 0.1, max_lines=6)
        lines = _flow(key)
        self._top = _TITLE_HEIGHT + LINE * len(notes) + _KEY_LINE * len(lines) + 0.14
        self._height = self._top + body
        self.theme = theme
        self.figure = Figure(figsize=(WIDTH, self._height))
        FigureCanvasAgg(self.figure)
        self._absolute(0, 0.18, title, fontsize=TITLE, fontweight="bold", color=theme.text)
        for number, line in enumerate(notes):
            y = _TITLE_HEIGHT + LINE * (number + 0.75)
            self._absolute(0, y, line, fontsize=SMALL, color=theme.muted)
        for number, entries in enumerate(lines):
            y = _TITLE_HEIGHT + LINE * len(notes) + _KEY_LINE * (number + 0.65) + 0.03
            self._draw_key(entries, y)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Add a panel whose frame has this place and size, in inches."""
        bottom = self._height - self._top - top - height
        rectangle = (
            left / WIDTH,
            bottom / self._height,
            width / WIDTH,
            height / self._height,
        )
        panel = self.figure.add_axes(rectangle)
        panel.patch.set_visible(False)
        panel.spines[["top", "right"]].set_visible(False)
        panel.tick_params(which="both", bottom=False, left=False, pad=3)
        return panel

    def text(self, left: float, top: float, text: str, **style: Any) -> None:
        """Write a line with its base `top` inches below the body's top."""
        self._absolute(left, self._top + top, text, **({"color": self.theme.text} | style))

    def _absolute(self, left: float, top: float, text: str, **style: Any) -> None:
        self.figure.text(left / WIDTH, 1 - top / self._height, text, **style)

    def _draw_key(self, entries: Sequence[Mark], top: float) -> None:
        """Draw one line of the key, its middle `top` inches below the sheet's top."""
        left = 0.0
        y = 1 - top / self._height
        for entry in entries:
            x = [(left + at) / WIDTH for at in (0.02, _SAMPLE / 2, _SAMPLE - 0.02)]
            style = {"markevery": [1], "markeredgecolor": self.theme.page} | entry.style
            self.figure.add_artist(Line2D(x, [y] * 3, transform=self.figure.transFigure, **style))
            self._absolute(
                left + _SAMPLE + 0.05,
                top + 0.005,
                entry.label,
                fontsize=SMALL,
                color=self.theme.text,
                verticalalignment="center_baseline",
            )
            left += _entry_width(entry)


def _entry_width(entry: Mark) -> float:
    return _SAMPLE + 0.05 + width_of(entry.label) + _KEY_GAP


def _flow(key: Sequence[Mark]) -> list[list[Mark]]:
    """Break a key into lines that fit the sheet; an entry that is wider alone has its own."""
    lines: list[list[Mark]] = []
    left = 0.0
    for entry in key:
        width = _entry_width(entry)
        if not lines or left + width - _KEY_GAP > WIDTH:
            lines.append([])
            left = 0.0
        lines[-1].append(entry)
        left += width
    return lines
