"""What makes a report whole, and what is refused."""

from collections.abc import Callable

import pytest

from evaluate.report import Bullets, Column, Figure, Paragraph, Report, Section, Table
from tests.evaluate_tests.report.pictures import SVG, tiny_png
from tests.evaluate_tests.report.sample import realistic


def _table(name: str = "t", rows: tuple[tuple[str, ...], ...] = ()) -> Table:
    return Table(name=name, caption="c", columns=(Column(name="a"), Column(name="b")), rows=rows)


def _figure(name: str = "f", light: bytes = SVG, dark: bytes = SVG, png: bytes = b"") -> Figure:
    png = png or tiny_png()
    return Figure(name=name, caption="c", alt="a", light=light, dark=dark, png=png)


def _section(anchor: str, *blocks: Table | Figure | Paragraph) -> Section:
    return Section(title="s", anchor=anchor, blocks=blocks)


def test_blocks_come_in_reading_order() -> None:
    first, second, third = _table("one"), _figure("two"), _table("three")
    report = Report(
        title="t", lead=(first,), sections=(_section("a", second), _section("b", third))
    )
    assert report.blocks == (first, second, third)
    assert report.tables == (first, third)
    assert report.figures == (second,)


def test_the_sample_is_as_large_as_a_real_report() -> None:
    report = realistic()
    assert (len(report.sections), len(report.tables), len(report.figures)) == (6, 8, 6)
    assert max(len(table.columns) for table in report.tables) == 12


@pytest.mark.parametrize(
    ("make", "message"),
    [
        pytest.param(lambda: _table("../up"), r"table's name is .*, not '\.\./up'", id="path"),
        pytest.param(lambda: _table("a/b"), "table's name is", id="folder"),
        pytest.param(lambda: _table("A"), "table's name is", id="capital"),
        pytest.param(lambda: _table(""), "table's name is .*, not ''", id="empty"),
        pytest.param(lambda: _table("a\n"), r"not 'a\\n'", id="line-break"),
        pytest.param(lambda: _table("a" * 81), "table's name is", id="too-long"),
        pytest.param(lambda: _figure(".png"), r"figure's name is .*, not '\.png'", id="hidden"),
        pytest.param(lambda: _section("1st"), "anchor is .*, not '1st'", id="anchor-digit"),
        pytest.param(lambda: _section("_main"), "anchor is", id="anchor-of-the-page"),
        pytest.param(
            lambda: _table(rows=(("1", "2"), ("1",))), "row 1 of .* has 1 cells, not 2", id="row"
        ),
        pytest.param(
            lambda: Table(name="t", caption="", columns=(), rows=()), "no columns", id="no-columns"
        ),
        pytest.param(lambda: _figure(dark=b"<html>"), "needs SVG for light and", id="no-svg"),
        pytest.param(lambda: _figure(png=b"GIF89a"), "needs a PNG", id="no-png"),
        pytest.param(lambda: Bullets(items=()), "at least one item", id="no-items"),
    ],
)
def test_a_broken_block_is_refused(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        pytest.param((_section("a"), _section("a")), "sections with the anchor 'a'", id="anchor"),
        pytest.param((_section("a", _table(), _table()),), "tables named 't'", id="table"),
        pytest.param(
            (_section("a", _figure()), _section("b", _figure())), "figures named 'f'", id="figure"
        ),
    ],
)
def test_a_name_twice_is_refused(sections: tuple[Section, ...], message: str) -> None:
    with pytest.raises(ValueError, match=f"cannot have two {message}"):
        Report(title="t", lead=(), sections=sections)


def test_a_table_and_a_figure_may_share_a_name() -> None:
    report = Report(title="t", lead=(_table("x"), _figure("x")), sections=())
    assert len(report.blocks) == 2
