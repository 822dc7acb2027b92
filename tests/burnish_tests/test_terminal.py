"""What is drawn fits, is what was said, and does nothing to a terminal."""

import io
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.aligned import aligned
from burnish.terminal import Piece, Screen, clipped, columns, harmless, wants_colour
from tests.modules_tests.prompts.strategies import ANY_TEXT

STYLES = st.sampled_from(["plain", "input", "answer", "removed"])
PIECES = st.lists(st.builds(Piece, ANY_TEXT, STYLES), max_size=4)
SGR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain, “quoted” and 日本 👍", "plain, “quoted” and 日本 👍"),
        ("two\nlines", "two\nlines"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\tb\rc\x00d\x7fe", "a\\tb\\rc\\x00d\\x7fe"),
        ("\x9b31m", "\\x9b31m"),
        ("\u202eright to left", "\\u202eright to left"),
        ("\u2066i\u2069\u200f", "\\u2066i\\u2069\\u200f"),
        ("soft\xadhyphen\u200bzero", "soft\\xadhyphen\\u200bzero"),
        ("\u2028line\u2029", "\\u2028line\\u2029"),
        ("\ud800 \ue000 \uffff", "\\ud800 \\ue000 \\uffff"),
        ("\U000e0041", "\\U000e0041"),
    ],
    ids=lambda value: ascii(value),
)
def test_harmless(text: str, shown: str) -> None:
    assert harmless(text) == shown


@given(ANY_TEXT)
def test_nothing_that_a_terminal_obeys_is_left(text: str) -> None:
    shown = harmless(text)
    assert all(char == "\n" or char.isprintable() or char.isspace() for char in shown)
    assert not {unicodedata.category(char) for char in shown.replace("\n", "")} & {"Cc", "Cf", "Cs"}
    assert shown.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    ("text", "n"), [("", 0), ("abc", 3), ("日本", 4), ("e\u0301", 1), ("👍!", 3), ("…", 1)]
)
def test_columns(text: str, n: int) -> None:
    assert columns(text) == n


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [
        ("abcd", 4, "abcd"),
        ("abcde", 4, "abc…"),
        ("日本語", 5, "日本…"),
        ("日本語", 4, "日…"),
        ("a\nb", 9, "a\\nb"),
        ("\x1b[0m", 9, "\\x1b[0m"),
    ],
)
def test_clipped(text: str, most: int, shown: str) -> None:
    assert clipped(text, most) == shown


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("choice", "is_terminal", "environment", "expected"),
    [
        ("auto", True, {}, True),
        ("auto", True, {"TERM": "xterm"}, True),
        ("auto", False, {}, False),
        ("auto", True, {"NO_COLOR": "1"}, False),
        ("auto", True, {"NO_COLOR": ""}, True),
        ("auto", True, {"TERM": "dumb"}, False),
        ("always", False, {"NO_COLOR": "1"}, True),
        ("never", True, {}, False),
    ],
)
def test_colour(
    choice: str, is_terminal: bool, environment: dict[str, str], expected: bool
) -> None:
    out = Terminal() if is_terminal else io.StringIO()
    assert wants_colour(choice, out, environment) is expected


@given(said=PIECES, width=st.integers(20, 60))
def test_lines_fit_and_lose_nothing_but_spaces(said: list[Piece], width: int) -> None:
    whole = harmless("".join(piece.text for piece in said))
    lines = Screen(width=width).lines(said, "| ", "  ")
    assert all(columns(line.rstrip()) <= width for line in lines if line.strip())
    kept = "".join(line[2:] for line in lines)
    assert "".join(kept.split()) == "".join(whole.split())
    assert [line for line in lines if line[:2] not in {"| ", "  ", "|", ""}] == []


@given(said=PIECES, width=st.none() | st.integers(20, 60))
def test_colour_changes_no_text(said: list[Piece], width: int | None) -> None:
    plain = Screen(width=width).lines(said, "> ")
    coloured = Screen(width=width, colour=True).lines(said, "> ")
    assert [SGR.sub("", line).rstrip() for line in coloured] == plain
    assert all("\x1b" not in SGR.sub("", line) for line in coloured)


def test_words_break_behind_spaces_and_in_words_only_where_they_must() -> None:
    assert Screen(width=15).lines("one two three four", "| ", ": ") == [
        "| one two three",
        ": four",
    ]
    assert Screen(width=14).lines("a abcdefghijklmnop", "") == ["a", "abcdefghijklmn", "op"]
    assert Screen(width=20).lines(" \x1f0\x1f\U00018cd6", "  ") == [
        "",
        "  \\x1f0\\x1f",
        "  \\U00018cd6",
    ]
    assert Screen().lines("one two\n\nthree", "| ", "  ") == ["| one two", "", "  three"]


def test_facts_stand_in_two_columns_and_long_names_have_a_line() -> None:
    facts = [("a", "one two three"), ("bcd", "x"), ("n" * 30, "y")]
    assert Screen(width=16).facts(facts) == [
        "  a    one two",
        "       three",
        "  bcd  x",
        "  " + "n" * 14,
        "  " + "n" * 14,
        "  nn",
        "    y",
    ]


def test_aligned() -> None:
    rows = [("name", "n"), ("日本", "7"), ("e\u0301", "1,234")]
    assert aligned(rows, left=(0,)) == ["name      n", "日本      7", "e\u0301     1,234"]
