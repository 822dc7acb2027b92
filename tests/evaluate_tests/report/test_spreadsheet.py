"""CSV: read back exactly, and nothing in it that a spreadsheet executes."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluate.report import Column, Table, write_csv
from evaluate.table import clean


def _written(*cells: str, is_number: bool = False) -> str:
    columns = (Column(name="text", is_number=is_number),)
    rows = tuple((cell,) for cell in cells)
    return write_csv(Table(name="t", caption="c", columns=columns, rows=rows))


def _read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def test_the_bytes_follow_rfc_4180() -> None:
    table = Table(
        name="t",
        caption="c",
        columns=(Column(name="model"), Column(name="a, b")),
        rows=(('say "x"', "1,000"), ("פילם", "-")),
    )
    assert write_csv(table) == ('model,"a, b"\r\n"say ""x""","1,000"\r\nפילם,-\r\n')


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        pytest.param("=1+1", "'=1+1", id="equals"),
        pytest.param("+1+cmd|' /C calc'!A0", "'+1+cmd|' /C calc'!A0", id="plus"),
        pytest.param("-1+1", "'-1+1", id="minus"),
        pytest.param("--", "'--", id="two-dashes"),
        pytest.param("@SUM(A1)", "'@SUM(A1)", id="at"),
        pytest.param("  =1", "'=1", id="behind-spaces"),
        pytest.param("\t=1", "'=1", id="behind-a-tab"),
        pytest.param("\r\n=1", "'=1", id="behind-a-line-break"),
        pytest.param('" =1', "'\" =1", id="behind-a-quote"),
        pytest.param("''=1", "'''=1", id="behind-apostrophes"),
        pytest.param("\u200b=1", "'=1", id="behind-zero-width"),
        pytest.param("\uff1d1", "'\uff1d1", id="full-width"),
        pytest.param("a; =1", "a;' =1", id="behind-a-semicolon"),
        pytest.param("=1;@b", "'=1;'@b", id="twice"),
        pytest.param("a\x1b[31m\x00b\ud800", "a[31mb", id="control"),
        pytest.param("a\nb", "a b", id="lines"),
        pytest.param("a=b+c-d@e; f", "a=b+c-d@e; f", id="kept-inside"),
        pytest.param("-", "-", id="kept-dash"),
        pytest.param("-3.2", "-3.2", id="kept-number"),
        pytest.param("+4.2 [-1.5, +10.0]", "+4.2 [-1.5, +10.0]", id="kept-interval"),
        pytest.param("-1,234.5", "-1,234.5", id="kept-thousands"),
        pytest.param("-1e-05 %", "-1e-05 %", id="kept-exponent"),
    ],
)
def test_formulas_are_defused_and_numbers_kept(cell: str, shown: str) -> None:
    assert _read(_written(cell)) == [["text"], [shown]]
    columns = (Column(name=cell),)
    assert _read(write_csv(Table(name="t", caption="c", columns=columns, rows=()))) == [[shown]]


def test_what_is_undefined_in_numbers_is_empty() -> None:
    assert _read(_written("-", "", "1.5", is_number=True)) == [["text"], [""], [""], ["1.5"]]


@given(st.lists(st.text(), max_size=3))
def test_cells_come_back(cells: list[str]) -> None:
    heading, *rows = _read(_written(*cells))
    assert heading == ["text"]
    kept = [[clean(cell).replace("'", "")] for cell in cells]
    assert [[row[0].replace("'", "")] for row in rows] == kept


@given(st.text(st.sampled_from(" \t\r\n\"';=+-@|1a\uff0b"), min_size=2))
def test_no_cell_begins_a_formula(text: str) -> None:
    (cell,) = _read(_written(text))[1]
    for part in cell.split(";"):
        begin = part.lstrip(' "')
        assert not begin.startswith(("=", "@", "|", "\uff0b"))
        assert not begin.startswith(("+", "-")) or begin == "-" or begin[1:].isdigit()
