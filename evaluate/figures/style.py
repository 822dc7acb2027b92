"""How every figure is set and written: one width, one font, both themes, equal bytes.

It owns the settings of matplotlib, which hold while a figure is drawn and no longer, and the three
files that become of it. What is drawn is the business of the other modules of this package.
"""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from evaluate.figures.compact import compact
from evaluate.figures.theme import DARK, LIGHT, Theme

WIDTH = 6.5
"""Of every figure, in inches."""

SMALL, BASE, TITLE = 9.0, 9.5, 11.5
"""Sizes of type in points; nothing is smaller than `SMALL`, for a phone shows it at 0.7."""

_DPI = 150
_SVG_METADATA = ("Date", "Creator", "Format", "Type")
_SETTINGS: dict[str, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": BASE,
    "text.parse_math": False,
    "svg.fonttype": "path",
    "svg.hashsalt": "burnish",
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "axes.linewidth": 0.8,
    "axes.axisbelow": True,
    "path.simplify": False,
    "text.hinting": "no_hinting",
    "xtick.labelsize": SMALL,
    "ytick.labelsize": SMALL,
}


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One figure as files: two SVGs with a transparent background, and a PNG on white."""

    light_svg: bytes
    dark_svg: bytes
    png: bytes


def picture(draw: Callable[[Theme], Figure]) -> Picture:
    """Draw a figure in both themes and write it.

    Equal data give equal bytes: no file holds a date, and none of the user's settings can change a
    figure. No state of matplotlib is changed beyond this call.

    Args:
        draw: gives the figure in a theme, outside pyplot.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        light_svg, png = _written(draw(_set(LIGHT)), LIGHT)
        dark_svg, _ = _written(draw(_set(DARK)), None)
    return Picture(light_svg=light_svg, dark_svg=dark_svg, png=png)


def _set(theme: Theme) -> Theme:
    """Set what holds for every figure of a theme."""
    settings: Any = _SETTINGS | {
        "text.color": theme.text,
        "axes.labelcolor": theme.text,
        "axes.edgecolor": theme.frame,
        "xtick.labelcolor": theme.muted,
        "ytick.labelcolor": theme.muted,
        "grid.color": theme.grid,
    }
    mpl.rcParams.update(settings)
    return theme


def _written(figure: Figure, on: Theme | None) -> tuple[bytes, bytes]:
    """Write the SVG, and on a theme's page the PNG."""
    svg, png = BytesIO(), BytesIO()
    figure.savefig(svg, format="svg", metadata=dict.fromkeys(_SVG_METADATA))
    if on is not None:
        figure.savefig(png, format="png", dpi=_DPI, facecolor=on.page, metadata={"Software": None})
    return compact(svg.getvalue()), png.getvalue()
