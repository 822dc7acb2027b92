"""Untrusted text, shown: nothing hidden is left, and what was visible is untouched."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.shown import harmless, is_hidden, prose, verbatim


@pytest.mark.parametrize(
    ("text", "plain", "code", "read"),
    [
        pytest.param("", "", "", "", id="empty"),
        pytest.param("é 模 👍", "é 模 👍", "é 模 👍", "é 模 👍", id="visible"),
        pytest.param("a\u00a0b", "a\u00a0b", "a\u00a0b", "a\u00a0b", id="no-break-space"),
        pytest.param("a\tb\nc", "a\\tb\nc", "a\tb\nc", "a b\nc", id="tab"),
        pytest.param("a\r\nb\rc", "a\\r\nb\\rc", "a\\r\nb\\rc", "a\nb\nc", id="line-ends"),
        pytest.param("\u202ea", "\\u202ea", "\\u202ea", "\\u202ea", id="right-to-left"),
        pytest.param("\x1b[1m", "\\x1b[1m", "\\x1b[1m", "\\x1b[1m", id="terminal"),
        pytest.param("\ud800", "\\ud800", "\\ud800", "\\ud800", id="surrogate"),
    ],
)
def test_shown(text: str, plain: str, code: str, read: str) -> None:
    assert (harmless(text), verbatim(text), prose(text)) == (plain, code, read)


@given(st.text())
def test_nothing_hidden_is_left(text: str) -> None:
    shown = harmless(text)
    assert shown == harmless(shown)
    assert not any(unicodedata.category(char) in ("Cf", "Cs", "Co", "Cn") for char in shown)
    assert not any(ord(char) < 32 or ord(char) == 127 for char in shown.replace("\n", ""))
    # The slow way: character by character.
    assert shown == "".join(ascii(char)[1:-1] if is_hidden(char) else char for char in text)


@given(st.text())
def test_showing_twice_changes_nothing(text: str) -> None:
    assert verbatim(verbatim(text)) == verbatim(text)
    assert prose(prose(text)) == prose(text)
    assert verbatim(prose(text)) == prose(text)
