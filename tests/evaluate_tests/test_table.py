"""The two tables: exact text, undefined cells, and names that try to break out."""

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluate.table import accuracy_cell, clean, markdown_table, percent, text_table
from tests.evaluate_tests.records import summary_line, summary_of

SUMMARY = summary_of(
    summary_line(accuracy=0.841, low=0.8171, high=0.862, invalid=0.125, p_gold=0.8),
    summary_line(
        model="majority class",
        prompt="-",
        decoding="classifier",
        accuracy=1.0,
        low=0.963,
        high=1.0,
        input_tokens=0.0,
        output_tokens=0.0,
        p_gold=math.nan,
    ),
)
UNSCORED = summary_line(
    n_examples=0,
    seeds=0,
    n_errors=100,
    **dict.fromkeys(
        ("accuracy", "low", "high", "invalid", "input_tokens", "output_tokens", "p_gold"), math.nan
    ),
)


def test_text_table_is_aligned() -> None:
    heading, rule, *lines = text_table(SUMMARY).split("\n")
    assert heading.split("  ")[0] == "model"
    assert lines[0].startswith("tiny            naive   choose      0       100      1  ")
    assert lines[1].startswith("majority class  -       classifier  0       100      1  ")
    assert "    84.1 [81.7, 86.2]       12.5       0       80.0       12.0" in lines[0]
    assert "  100.0 [96.3, 100.0]        0.0       0          -        0.0" in lines[1]
    assert len({len(line) for line in (heading, rule, *lines)}) == 1
    for end in [i for i, char in enumerate(rule) if char == " "]:
        assert {line[end] for line in (heading, *lines)} == {" "}


def test_wide_characters_take_two_columns() -> None:
    plain, wide = summary_line(model="abcd"), summary_line(model="模型")
    *_, first, second = text_table(summary_of(plain, wide)).split("\n")
    assert first.replace("abcd", "") == second.replace("模型", "")


def test_markdown_table_exactly() -> None:
    assert markdown_table(SUMMARY).split("\n") == [
        "| model | prompt | decoding | T | examples | seeds | accuracy % [95% CI] | invalid % "
        "| errors | p(gold) % | tokens in | tokens out |",
        "| :-- | :-- | :-- | --: | --: | --: | --: | --: | --: | --: | --: | --: |",
        "| tiny | naive | choose | 0 | 100 | 1 | 84.1 [81.7, 86.2] | 12.5 | 0 | 80.0 | 12.0 "
        "| 1.5 |",
        "| majority class | - | classifier | 0 | 100 | 1 | 100.0 [96.3, 100.0] | 0.0 | 0 | - "
        "| 0.0 | 0.0 |",
    ]


def test_undefined_is_a_dash() -> None:
    last = markdown_table(summary_of(UNSCORED)).split("\n")[-1]
    assert last == "| tiny | naive | choose | 0 | 0 | 0 | - | - | 100 | - | - | - |"
    assert percent(math.nan) == "-"
    assert accuracy_cell(math.nan, math.nan, math.nan) == "-"


def test_without_configurations_there_is_a_heading() -> None:
    assert len(text_table(summary_of()).split("\n")) == 2
    assert len(markdown_table(summary_of()).split("\n")) == 2


@pytest.mark.parametrize(
    ("name", "escaped"),
    [
        pytest.param("a|b", r"a\|b", id="pipe"),
        pytest.param("a\\|b", r"a\\\|b", id="backslash-pipe"),
        pytest.param("<b>&amp;", r"\<b\>\&amp;", id="html"),
        pytest.param("[x](y) _z_", r"\[x\](y) \_z\_", id="link"),
        pytest.param("a\n| b |", r"a \| b \|", id="newline"),
    ],
)
def test_markdown_names_are_escaped(name: str, escaped: str) -> None:
    last = markdown_table(summary_of(summary_line(model=name))).split("\n")[-1]
    assert last.startswith(f"| {escaped} | naive |")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("a\x1b[31mb", "a[31mb", id="terminal-escape"),
        pytest.param("a\u202eb\u2066c", "abc", id="bidi"),
        pytest.param("a\r\n\tb\u2028c", "a b c", id="white-space"),
        pytest.param("\u200b \x07", "-", id="nothing-left"),
        pytest.param("", "-", id="empty"),
        pytest.param("Qwen/Qwen2-1.5B é 模", "Qwen/Qwen2-1.5B é 模", id="kept"),
    ],
)
def test_clean(name: str, shown: str) -> None:
    assert clean(name) == shown


@given(st.text())
def test_clean_leaves_nothing_dangerous(name: str) -> None:
    shown = clean(name)
    assert shown == clean(shown) != ""
    assert not any(unicodedata.category(char)[0] == "C" for char in shown)
    assert shown.splitlines() == [shown]
