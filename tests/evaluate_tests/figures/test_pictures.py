"""The drawn figures: equal bytes, both themes, hostile names, and matplotlib as it was."""

import warnings
from collections.abc import Callable, Iterator
from typing import Any
from xml.etree import ElementTree

import matplotlib as mpl
import pandas as pd
import pytest
from matplotlib import pyplot as plt

from evaluate import analysis, figures
from evaluate.figures import Picture
from tests.evaluate_tests.figures import invented

HOSTILE = ("$a_{ a\u202e\n|<script>&\"'", "_模型\U0001f9ff" + "x" * 300)
Draw = Callable[["Case"], Picture]


class Case:
    """An invented evaluation with few examples, for some models and labels."""

    def __init__(
        self, models: tuple[str, ...], labels: tuple[str, ...], n: int, *prompts: str
    ) -> None:
        self.models = models
        self.labels = labels
        self.examples = invented.examples(n, labels)
        self.rows = invented.rows(self.examples, models, labels, prompts=prompts)

    def matrices(self) -> dict[tuple[str, str], pd.DataFrame]:
        """Give the confusion matrices of generated answers."""
        is_hot = (self.rows["decoding"] == "generate") & (self.rows["temperature"] == 0.2)
        return {
            (str(key[0]), str(key[1])): analysis.confusion(group, self.labels)
            for key, group in self.rows[is_hot].groupby(["model", "prompt"])
        }


FIGURES: dict[str, Draw] = {
    "accuracy": lambda case: figures.accuracy(invented.summary(case.rows), 1 / len(case.labels)),
    "reliability": lambda case: figures.reliability(invented.bins(case.rows)),
    "confusions": lambda case: figures.confusions(case.matrices()),
    "length": lambda case: figures.slices_by_length(analysis.by_length(case.rows, case.examples)),
    "margins": lambda case: figures.margins(analysis.margin_flips(case.rows)),
    "transfer": lambda case: figures.transfer(analysis.transfer(case.rows)),
    "expectation": lambda case: figures.expectation(invented.expectations(case.rows)),
    "shrinkage": lambda case: figures.shrinkage(invented.shrinking(case.models)),
}
ALL = pytest.mark.parametrize("name", FIGURES)


@pytest.fixture(scope="module")
def one() -> Case:
    return Case(("tiny",), invented.LABELS, 12, "frozen")


@pytest.fixture(autouse=True)
def _no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture(scope="module")
def pictures(one: Case) -> dict[str, Picture]:
    return {name: draw(one) for name, draw in FIGURES.items()}


@ALL
def test_equal_data_give_equal_bytes_in_any_settings(
    name: str, one: Case, pictures: dict[str, Picture]
) -> None:
    settings: Any = {"font.size": 30, "lines.linewidth": 9, "svg.fonttype": "none"}
    with mpl.rc_context(settings):
        before, open_figures = dict(mpl.rcParams), plt.get_fignums()
        assert FIGURES[name](one) == pictures[name]
        assert dict(mpl.rcParams) == before
        assert plt.get_fignums() == open_figures


@ALL
def test_files_are_whole_small_and_without_a_date(name: str, pictures: dict[str, Picture]) -> None:
    picture = pictures[name]
    for svg in (picture.light_svg, picture.dark_svg):
        root = ElementTree.fromstring(svg)
        assert root.attrib["width"] == "468pt"  # 6.5 inches
        assert len(svg) < 100_000
        tags = {element.tag.rpartition("}")[2] for element in root.iter()}
        assert not tags & {"text", "script", "a", "image", "metadata", "foreignObject"}
        assert b"<!--" not in svg
        links = [value for one in root.iter() for key, value in one.attrib.items() if "href" in key]
        assert all(link.startswith("#") for link in links)
    assert picture.light_svg != picture.dark_svg
    assert picture.png.startswith(b"\x89PNG\r\n\x1a\n")
    assert not any(chunk in picture.png for chunk in (b"tEXt", b"iTXt", b"tIME"))


@ALL
def test_backgrounds_are_transparent(name: str, pictures: dict[str, Picture]) -> None:
    # A page of its own would be the first shape, as wide as the figure.
    for svg in (pictures[name].light_svg, pictures[name].dark_svg):
        first = svg[svg.index(b'id="patch_1"') :].split(b"/>")[0]
        assert b"fill:" not in first.replace(b"fill: none", b"")
        assert b"class" not in first


@ALL
def test_each_theme_has_ink_of_its_own(name: str, pictures: dict[str, Picture]) -> None:
    assert b"#1c2126" in pictures[name].light_svg
    assert b"#1c2126" not in pictures[name].dark_svg
    assert b"#e8ebef" in pictures[name].dark_svg


@pytest.fixture(scope="module")
def hostile() -> Case:
    return Case(HOSTILE, ("_a$", "b\u202e"), 4, "frozen")


@ALL
def test_hostile_names_can_be_drawn(name: str, hostile: Case) -> None:
    ElementTree.fromstring(FIGURES[name](hostile).light_svg)


def test_five_models_and_six_labels_can_be_drawn() -> None:
    case = Case(invented.FIVE, invented.SIX, 4, "frozen")
    ElementTree.fromstring(FIGURES["accuracy"](case).light_svg)
    one = dict([next(iter(case.matrices().items()))])
    ElementTree.fromstring(figures.confusions(one).light_svg)


def test_the_other_slices_can_be_drawn(one: Case) -> None:
    by_confidence = figures.slices_by_confidence(analysis.by_confidence(one.rows))
    by_rating = figures.slices_by_rating(analysis.by_rating(one.rows, one.examples))
    assert by_confidence.light_svg != by_rating.light_svg
