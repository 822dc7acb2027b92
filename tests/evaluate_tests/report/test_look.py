"""The look: contrast in both themes by WCAG 2.2, colours in one place, files that get installed."""

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

import evaluate.report
from tests.imports import ROOT

FOLDER = Path(evaluate.report.__file__).parent
CSS = (FOLDER / "page.css").read_text("utf-8")
_COLOUR = re.compile(r"--([a-z-]+): (#[0-9a-f]{6});")
TEXT, EDGE = 4.5, 3.0  # success criteria 1.4.3 and 1.4.11 at level AA


def _themes() -> dict[str, dict[str, str]]:
    light, dark = re.findall(r":root \{(.*?)\}", CSS, flags=re.DOTALL)
    return {"light": dict(_COLOUR.findall(light)), "dark": dict(_COLOUR.findall(dark))}


def luminance(colour: str) -> float:
    """Give the relative luminance of #rrggbb, in [0, 1] (WCAG 2.2, definitions)."""
    shares = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return sum(w * s for w, s in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    """Give the contrast ratio of two colours, in [1, 21] (WCAG 2.2, definitions)."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_by_known_values() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#777777") == 1
    # The lightest grey that is allowed on white, and the next one that is not.
    assert contrast("#767676", "#ffffff") > TEXT > contrast("#777777", "#ffffff")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back", "least"),
    [
        *(("ink", back, 7.0) for back in ("page", "surface", "sunken")),
        *(("ink", back, 7.0) for back in ("accent-soft", "alarm-soft")),
        *(("muted", back, TEXT) for back in ("page", "surface", "sunken")),
        *(("accent", back, TEXT) for back in ("page", "surface", "sunken", "accent-soft")),
        ("surface", "accent", TEXT),
        ("alarm", "alarm-soft", TEXT),
        ("accent", "page", EDGE),
    ],
)
def test_contrast_is_sufficient(theme: str, front: str, back: str, least: float) -> None:
    colours = _themes()[theme]
    assert contrast(colours[front], colours[back]) >= least


def test_both_themes_have_the_same_colours_and_differ_in_each() -> None:
    light, dark = _themes().values()
    assert light.keys() == dark.keys()
    assert not set(light.items()) & set(dark.items())
    assert contrast(light["page"], dark["page"]) > 10


def test_colours_stand_in_the_variables_alone() -> None:
    outside = re.sub(r":root \{.*?\}", "", CSS, flags=re.DOTALL)
    assert re.findall(r"#[0-9a-fA-F]{3,8}\b|rgba?\(|hsla?\(", outside) == []
    used = set(re.findall(r"var\(--([a-z-]+)\)", CSS))
    assert used == set(re.findall(r"--([a-z-]+):", CSS))


def test_nothing_is_fetched() -> None:
    assert "url(" not in CSS
    assert "@import" not in CSS
    assert "</" not in CSS


def test_keyboards_paper_and_motion_are_thought_of() -> None:
    for rule in (":focus-visible", "@media print", "prefers-reduced-motion", ".skip:focus"):
        assert rule in CSS


def test_the_templates_and_the_look_are_installed() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    patterns = settings["tool"]["setuptools"]["package-data"]["evaluate.report"]
    files = [path.name for path in FOLDER.iterdir() if path.suffix in {".j2", ".css"}]
    assert len(files) == 3
    assert all(any(fnmatch(name, pattern) for pattern in patterns) for name in files)
