"""The smaller SVG has the same elements, styles and places."""

import re
from io import BytesIO
from xml.etree import ElementTree

import matplotlib as mpl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from evaluate.figures.compact import compact

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


def _svg() -> bytes:
    with mpl.rc_context({"svg.fonttype": "path", "svg.hashsalt": "x"}):
        figure = Figure(figsize=(3, 2))
        FigureCanvasAgg(figure)
        panel = figure.subplots()
        panel.plot([0.1234567, 0.3, 0.77], [3.3, 1.1, 2.2], "o-", color="#112233")
        panel.set_title("0.123456 --> name")
        file = BytesIO()
        figure.savefig(file, format="svg")
    return file.getvalue()


def _elements(svg: bytes) -> list[tuple[str, dict[str, str]]]:
    root = ElementTree.fromstring(svg)
    (sheet,) = (one for one in root.iter() if one.tag.endswith("style"))
    rules = dict(re.findall(r"\.(s\d+)\{([^}]*)\}", sheet.text or ""))
    found = []
    for element in root.iter():
        attributes = dict(element.attrib)
        if "class" in attributes:
            attributes["style"] = rules[attributes.pop("class")]
        found.append((element.tag, attributes))
    return found


def test_every_element_keeps_its_style_and_its_place() -> None:
    before, after = _svg(), compact(_svg())
    assert len(after) < 0.85 * len(before)
    assert b"class=" in after
    for (tag, old), (same_tag, new) in zip(_elements(before), _elements(after), strict=True):
        assert (tag, set(old)) == (same_tag, set(new))
        for name, value in old.items():
            if name in ("d", "transform", "x", "y"):
                numbers = [float(one) for one in _NUMBER.findall(value)]
                kept = [float(one) for one in _NUMBER.findall(new[name])]
                assert kept == pytest.approx(numbers, abs=0.01)
                assert re.findall(r"[A-Za-z]", new[name]) == re.findall(r"[A-Za-z]", value)
            else:
                assert new[name] == value


def test_the_size_of_glyphs_is_not_rounded() -> None:
    assert b"scale(0.015625)" in compact(_svg())


def test_comments_go_and_twice_changes_nothing() -> None:
    once = compact(_svg())
    assert b"<!--" in _svg()
    assert b"<!--" not in once
    assert b"name" not in once
    assert compact(once) == once
