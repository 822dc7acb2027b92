"""Untrusted names as they stand in a figure: harmless, drawable, short, and how wide they are."""

import re
from functools import lru_cache
from pathlib import Path

import matplotlib as mpl
from matplotlib.font_manager import get_font
from matplotlib.ft2font import FT2Font, LoadFlags

from evaluate.figures.style import SMALL
from evaluate.table import clean

_MISSING = "\N{WHITE SQUARE}"
_GAP = "…"
_POINTS = 72


def shown(name: str, max_characters: int = 26) -> str:
    """Give a name for a figure: cleaned (see `evaluate.table.clean`), drawable and short.

    A character that the figures' font lacks becomes a white square. A name that is too long loses
    its middle, for names of models differ at both ends.
    """
    drawable = "".join(char if ord(char) in _glyphs() else _MISSING for char in clean(name))
    return shortened(drawable, max_characters)


def shortened(text: str, max_characters: int) -> str:
    """Cut the middle out of a text of more than `max_characters` (at least 3)."""
    if len(text) <= max_characters:
        return text
    n_kept = max_characters - len(_GAP)
    tail = n_kept // 2
    return text[: n_kept - tail] + _GAP + text[len(text) - tail :]


def width_of(text: str, size: float = SMALL) -> float:
    """Give how wide a line of text is drawn, in inches: the sum of its characters' advances.

    Args:
        text: of drawable characters (see `shown`), in the regular weight.
        size: in points.
    """
    return size / _POINTS * sum(map(_advance, text))


def wrapped(text: str, width: float, max_lines: int, size: float = SMALL) -> list[str]:
    """Break a text into lines no wider than `width` inches.

    Lines break after a space, a hyphen, an underscore or a slash, and inside a word that is too
    wide for a line. What does not fit into `max_lines` is cut, with `…` at its end.
    """
    lines = [""]
    for part in re.findall(r"[^\s\-_/]*[\s\-_/]*", text):
        if width_of(lines[-1] + part, size) <= width:
            lines[-1] += part
            continue
        if lines[-1]:
            lines.append("")
        for char in part:
            if lines[-1] and width_of(lines[-1] + char, size) > width:
                lines.append("")
            lines[-1] += char
    if len(lines) > max_lines:
        lines = lines[:max_lines]
        while lines[-1] and width_of(lines[-1] + _GAP, size) > width:
            lines[-1] = lines[-1][:-1]
        lines[-1] += _GAP
    return [line.strip() for line in lines]


@lru_cache(maxsize=1)
def _font() -> FT2Font:
    return get_font(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"))


@lru_cache(maxsize=1)
def _glyphs() -> frozenset[int]:
    """Give the code points that the figures' font can draw."""
    return frozenset(_font().get_charmap())


@lru_cache(maxsize=4096)
def _advance(char: str) -> float:
    """Give a character's advance as a share of the size of type."""
    font = _font()
    font.set_size(_POINTS, _POINTS)
    glyph = font.load_char(ord(char), flags=LoadFlags.NO_HINTING)
    return float(glyph.linearHoriAdvance) / 2**16 / _POINTS
