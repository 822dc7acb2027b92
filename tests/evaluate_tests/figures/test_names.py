"""Untrusted names in figures."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluate.figures.names import shortened, shown, width_of, wrapped


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("gemma-3-270m", "gemma-3-270m", id="kept"),
        pytest.param("a\u202eb\n\x1b[1mc", "ab [1mc", id="cleaned"),
        pytest.param("模型 é", "□□ é", id="not-in-the-font"),
        pytest.param("\U0001f9ff", "□", id="emoji"),
        pytest.param("", "-", id="empty"),
        pytest.param("abcdefghijkl", "abcd…jkl", id="middle"),
    ],
)
def test_shown(name: str, expected: str) -> None:
    assert shown(name, 8 if name.startswith("abc") else 26) == expected


@given(st.text(), st.integers(3, 40))
def test_shortened_keeps_both_ends(text: str, n: int) -> None:
    short = shortened(text, n)
    assert len(short) == min(len(text), n)
    if len(text) > n:
        start, end = short.split("…")[0], short.rsplit("…", 1)[1]
        assert text.startswith(start)
        assert text.endswith(end)


def test_width_is_the_sum_of_the_advances() -> None:
    # Every digit of DejaVu Sans advances by 1303 of 2048 units.
    assert width_of("0123", 9.0) == pytest.approx(4 * 1303 / 2048 * 9 / 72, rel=1e-4)
    assert width_of("") == 0


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60), st.floats(0.3, 2))
def test_wrapped_lines_fit_and_lose_nothing_but_spaces(text: str, width: float) -> None:
    lines = wrapped(text, width, max_lines=200)
    assert all(width_of(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_wrapped_breaks_after_hyphens_and_says_what_is_cut() -> None:
    name = "Phi-3-mini-4k-instruct"
    assert wrapped(name, width_of("Phi-3-mini-4"), 2) == ["Phi-3-mini-", "4k-instruct"]
    (only,) = wrapped(name, width_of("Phi-3-mini-4"), 1)
    assert only.endswith("…")
    assert width_of(only) <= width_of("Phi-3-mini-4")
    assert wrapped("", 1.0, 2) == [""]
