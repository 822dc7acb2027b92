"""How numbers are written."""

import math

import pytest

from evaluate import words


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.032, "+3.2"),
        (-0.004, "\N{MINUS SIGN}0.4"),
        (-0.0004, "0.0"),
        (0.0, "0.0"),
        (1.0, "+100.0"),
        (math.nan, "-"),
    ],
)
def test_points(value: float, written: str) -> None:
    assert words.points(value) == written


def test_a_difference_with_its_interval() -> None:
    minus = "\N{MINUS SIGN}"
    assert words.difference(0.03, -0.01, 0.07) == f"+3.0 [{minus}1.0, +7.0]"
    assert words.difference(0.03, math.nan, math.nan) == "+3.0"
    assert words.difference(math.nan, 0.0, 0.1) == "-"


@pytest.mark.parametrize(
    ("value", "written", "in_a_sentence"),
    [
        (0.0323, "0.032", "p = 0.032"),
        (0.0009, "< 0.001", "p < 0.001"),
        (1.0, "1.000", "p = 1.000"),
        (math.nan, "-", "p = -"),
    ],
)
def test_p_values(value: float, written: str, in_a_sentence: str) -> None:
    assert words.p_value(value) == written
    assert words.p_equals(value) == in_a_sentence


def test_lists_and_counts() -> None:
    assert words.listed(["a"]) == "a"
    assert words.listed(["a", "b"]) == "a and b"
    assert words.listed(["a", "b", "c"]) == "a, b and c"
    assert words.counted(1, "example") == "1 example"
    assert words.counted(1000, "example") == "1,000 examples"
    assert words.counted(2, "entry", "entries") == "2 entries"
    assert words.share(0.841, 0.817, 0.862) == "84.1 % [81.7, 86.2]"
    assert words.number(1234.5, 0) == "1,234"
