"""Colours that can be seen: on both pages, and by readers with red-green blindness."""

from itertools import combinations

import numpy as np
import pytest

from evaluate.figures.theme import (
    DARK,
    LIGHT,
    Theme,
    category,
    contrast,
    heat,
    linear_rgb,
    marker,
    ramp,
    readable_on,
)

THEMES = pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])

# Machado, Oliveira & Fernandes (2009), "A physiologically-based model for simulation of color
# vision deficiency", table 1, severity 1.0; on linear RGB.
BLINDNESS = {
    "none": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
}


def _lab(colour: str, kind: str) -> np.ndarray:
    """Give CIELAB (D65) of a colour as a reader with this blindness sees it."""
    linear = np.clip(BLINDNESS[kind] @ np.array(linear_rgb(colour)), 0, 1)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    x, y, z = np.cbrt(to_xyz @ linear / (to_xyz @ np.ones(3)))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_contrast_of_black_and_white_and_of_a_known_grey() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#123456", "#123456") == 1


def test_the_pages_are_those_of_the_report() -> None:
    assert (LIGHT.page, DARK.page) == ("#ffffff", "#14171a")


@THEMES
def test_text_and_data_stand_out_from_the_page(theme: Theme) -> None:
    assert min(contrast(ink, theme.page) for ink in (theme.text, theme.muted)) >= 4.5
    data = [*theme.categories, *ramp(theme, 5)]
    assert min(contrast(colour, theme.page) for colour in data) >= 3


@THEMES
@pytest.mark.parametrize("kind", BLINDNESS)
def test_categories_and_temperatures_stay_apart(theme: Theme, kind: str) -> None:
    for colours in (theme.categories[:5], ramp(theme, 3)):
        distances = [
            float(np.linalg.norm(_lab(a, kind) - _lab(b, kind)))
            for a, b in combinations(colours, 2)
        ]
        assert min(distances) >= 20


@THEMES
def test_numbers_in_cells_are_readable(theme: Theme) -> None:
    colours = [heat(theme, share / 50) for share in range(-10, 61)]
    assert min(contrast(readable_on(colour), colour) for colour in colours) >= 4.5
    assert colours[0] == heat(theme, 0.0) == theme.heat[0]
    assert colours[-1] == heat(theme, 1.0) == theme.heat[-1]


def test_the_ramp_goes_from_cold_to_hot() -> None:
    assert ramp(LIGHT, 3) == list(LIGHT.ramp)
    assert ramp(LIGHT, 2) == [LIGHT.ramp[0], LIGHT.ramp[-1]]
    assert ramp(LIGHT, 1) == [LIGHT.ramp[0]]


def test_places_beyond_the_last_begin_again() -> None:
    assert category(DARK, 6) == category(DARK, 0)
    assert marker(7) == marker(1) != marker(0)
