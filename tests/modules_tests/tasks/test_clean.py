"""Text cleaning: examples by hand, and the invariants over all strings."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from modules.tasks.clean import clean_text

_PIECES = st.sampled_from(
    ["<br />", "<BR", "/>", "&amp;", "&", "amp;", "lt;", "#", "38;", "br", "<", ">", "\x00", " "]
)


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        pytest.param("", "", id="empty"),
        pytest.param(" \t\r\n ", "", id="whitespace-only"),
        pytest.param("a<br /><br />b", "a b", id="imdb-break"),
        pytest.param("a<br>b<BR/>c< br / >d</br>e", "a b c d e", id="break-spellings"),
        pytest.param("taste it &amp; its &lt;3", "taste it & its <3", id="entities"),
        pytest.param("a &amp;amp;amp; b", "a & b", id="escaped-thrice"),
        pytest.param("a&lt;br&gt;b", "a b", id="escaped-break"),
        pytest.param("a\nb\u00a0c\u2028d  e", "a b c d e", id="whitespace-kinds"),
        pytest.param("a\x00b\x1b[0m", "ab[0m", id="controls"),
        pytest.param("well\x96made\x85", "well–made…", id="windows-1252"),
        pytest.param("\ufeffa\u200bb\u202ec", "abc", id="invisible"),
        pytest.param("a\ud800b", "ab", id="lone-surrogate"),
        pytest.param("👩\u200d🚀 é", "👩\u200d🚀 é", id="joined-emoji-stays"),
        pytest.param("x < 3 and <i>y</i>", "x < 3 and <i>y</i>", id="other-tags-stay"),
    ],
)
def test_clean_text(raw: str, cleaned: str) -> None:
    assert clean_text(raw) == cleaned


@given(st.text(st.characters()) | st.lists(_PIECES, max_size=30).map("".join))
@example("&a\x00mp;lt;")
@example("&#3&#5&#54;;;")
def test_cleaning_is_total_idempotent_and_leaves_one_visible_line(text: str) -> None:
    cleaned = clean_text(text)
    assert clean_text(cleaned) == cleaned
    assert not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") for c in cleaned)
    assert cleaned == " ".join(cleaned.split())
    cleaned.encode()


def test_absurd_nesting_ends() -> None:
    assert clean_text("&" + "amp;" * 7 + "x") == "&x"
    for absurd in ("&" + "amp;" * 20_000 + "x", "<" * 20_000 + "br>" * 20_000):
        cleaned = clean_text(absurd)
        assert "&" not in cleaned
        assert "<" not in cleaned
        assert clean_text(cleaned) == cleaned


@given(st.text(st.characters(categories=["L", "N", "P"], exclude_characters="&<>")))
def test_plain_words_are_untouched(text: str) -> None:
    assert clean_text(f"x{text}x") == f"x{text}x"
