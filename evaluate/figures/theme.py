"""The two looks of every figure: colours for a white page and for a dark one.

All colours of data stand out from their page by a contrast of 3 or more, text by 4.5 or more (WCAG
2.2, success criteria 1.4.11 and 1.4.3). The first five categories, and three temperatures, are at
least 20 apart in CIELAB, for readers with red-green blindness too. They lie near the palette of
Okabe and Ito (2008, "Color Universal Design"), moved until that held on either page.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.colors import LinearSegmentedColormap, to_hex

RGB = tuple[float, float, float]


@dataclass(frozen=True, kw_only=True)
class Theme:
    """One look; every colour is `#rrggbb`.

    page: the background that the figure is made for; its own is transparent.
    text, muted: for words; grid, frame: for lines that carry no data.
    categories: for things without an order, such as models.
    ramp: from cold to hot, for temperatures.
    heat: from the least to the greatest share, for cells of a matrix.
    """

    page: str
    text: str
    muted: str
    grid: str
    frame: str
    categories: tuple[str, ...]
    ramp: tuple[str, ...]
    heat: tuple[str, ...]


LIGHT = Theme(
    page="#ffffff",
    text="#1c2126",
    muted="#59626d",
    grid="#e4e7eb",
    frame="#aab1ba",
    categories=("#0462a5", "#e36f18", "#10a17c", "#d072b1", "#6e5a00", "#4a525c"),
    ramp=("#065897", "#b96ed7", "#cf4e0c"),
    heat=("#f4f7fb", "#b5d1ea", "#5b9bd0", "#1a5f9e"),
)
DARK = Theme(
    page="#14171a",
    text="#e8ebef",
    muted="#a6afba",
    grid="#2a3037",
    frame="#616b77",
    categories=("#43a3e9", "#ea884e", "#57d2a2", "#e79acb", "#f2dc6b", "#c3c9d1"),
    ramp=("#2b99e7", "#e1b3f4", "#ff7f3f"),
    heat=("#1e252d", "#24496b", "#3a7fb8", "#8ecbfb"),
)
_STEPS = 257  # odd, so that the middle of three colours is met exactly
MARKERS = ("o", "s", "D", "^", "v", "P")
"""Shapes that go with colours, so that nothing is told by colour alone; they repeat."""


def category(theme: Theme, place: int) -> str:
    """Give the colour of a category by its place; after the last the first comes again."""
    return theme.categories[place % len(theme.categories)]


def marker(place: int) -> str:
    """Give the shape of a category or temperature by its place; after the last the first."""
    return MARKERS[place % len(MARKERS)]


def ramp(theme: Theme, n: int) -> list[str]:
    """Give n colours from cold to hot, evenly spaced; one alone is the coldest."""
    if n == 1:
        return [theme.ramp[0]]
    colours = LinearSegmentedColormap.from_list("ramp", theme.ramp, N=_STEPS)
    return [to_hex(colours(place / (n - 1))) for place in range(n)]


def heat(theme: Theme, share: float) -> str:
    """Give the colour of a matrix cell; `share` is cut to [0, 1]."""
    return to_hex(heat_map(theme)(min(1.0, max(0.0, share))))


def heat_map(theme: Theme) -> LinearSegmentedColormap:
    """Give the colours of a whole matrix, from share 0 to share 1."""
    return LinearSegmentedColormap.from_list("heat", theme.heat, N=_STEPS)


def readable_on(colour: str) -> str:
    """Give black or white, whichever stands out more from a colour."""
    on = {ink: contrast(ink, colour) for ink in ("#000000", "#ffffff")}
    return max(on, key=lambda ink: on[ink])


def contrast(one: str, other: str) -> float:
    """Give the contrast ratio of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def linear_rgb(colour: str) -> RGB:
    """Give a colour's linear parts in [0, 1] (WCAG 2.2, "relative luminance")."""
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
        for part in mpl.colors.to_rgb(colour)
    )
    return red, green, blue


def _luminance(colour: str) -> float:
    weights: Sequence[float] = (0.2126, 0.7152, 0.0722)
    return sum(weight * part for weight, part in zip(weights, linear_rgb(colour), strict=True))
