"""JSON that nobody vouches for: equal to what the library reads, or refused with the reason."""

import json
import math
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.prompts.plain_json import MAX_VALUES, _upper_count, check_plain, parse_json, visible
from tests.modules_tests.prompts.strategies import ANY_TEXT, TEXT

LEAF = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
JSON = st.recursive(
    LEAF, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4)
)


def count(value: Any) -> int:
    """Count the keys and values."""
    match value:
        case list():
            return 1 + sum(map(count, value))
        case dict():
            return 1 + sum(1 + count(item) for item in value.values())
    return 1


def depth(value: Any) -> int:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(depth, items), default=0)


def holds_infinity(value: Any) -> bool:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return (isinstance(value, float) and math.isinf(value)) or any(map(holds_infinity, items))


@given(value=JSON, indent=st.none() | st.integers(0, 2), ascii=st.booleans())
def test_plain_json_is_read_as_the_library_reads_it(value: Any, indent: int, ascii: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii)
    infinite = holds_infinity(value)
    if depth(value) > 12 or infinite:
        with pytest.raises(ValueError, match=r"deeper than 12|Infinity is not JSON"):
            parse_json(text.encode())
    else:
        assert repr(parse_json(text.encode())) == repr(json.loads(text))


@given(value=JSON, ascii=st.booleans())
def test_no_value_escapes_the_count(value: Any, ascii: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii)
    assert _upper_count(text.encode()) >= count(value)


@given(text=st.text(alphabet='\\"[,{a', max_size=40))
def test_what_stands_in_a_text_counts_once(text: str) -> None:
    assert _upper_count(json.dumps([text, text]).encode()) <= 5


@pytest.mark.parametrize("depth", [1, 11, 12])
def test_the_deepest_that_is_read(depth: int) -> None:
    raw = b"[" * depth + b"]" * depth
    assert parse_json(raw) == json.loads(raw)
    with pytest.raises(ValueError, match="deeper than 12 levels"):
        parse_json(b"[" * 13 + b"]" * 13)


def test_the_most_that_is_read() -> None:
    most = [[0] * 1_000] * 19
    assert parse_json(json.dumps(most).encode()) == most
    with pytest.raises(ValueError, match="1,001 items, more than 1,000"):
        parse_json(json.dumps([0] * 1_001).encode())
    with pytest.raises(ValueError, match="more than 20,000 values"):
        parse_json(json.dumps([[0] * 1_000] * 20).encode())


@pytest.mark.parametrize(
    "piece", [b"[],", b"{},", b'"ab",', b'"",', b"1,", b'{"":0},', b'"\\\\",', b'"\\"",']
)
def test_memory_is_bounded_whatever_the_values(piece: bytes) -> None:
    """Parsed whole, such a file takes up to 3 GB; here it takes a few times its 9 MB."""
    raw = b"[" + piece * (9_000_000 // len(piece)) + b"0]"
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=f"more than {MAX_VALUES:,} values"):
            parse_json(raw)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 100_000_000


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b'{"a": 1, "b": {"c": 1, "d": 2, "c": 1}}', "the key 'c' stands twice in one object"),
        (b'{"a": 1, "\\u0061": 2}', "the key 'a' stands twice"),
        (b'{"\\u001b": 1, "\\u001b": 2}', "stands twice"),
        (b"-" + b"1" * 300, "a number has 301 digits"),
        (b"0." + b"1" * 300, "a number has 302 digits"),
        (b"-1e400", "-1e400 is not a finite number"),
        (b"-Infinity", "-Infinity is not JSON"),
        (b'"\\ud800"', "half a character"),
        (b'{"\\udfff": 1}', "half a character"),
        (b"\xc0\x80", "not UTF-8 text .byte 0"),
        (b"[1,]", "not JSON"),
        (b"{'a': 1}", "not JSON"),
        (b"[1] // no", "not JSON"),
    ],
)
def test_what_is_refused(raw: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_json(raw)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ((1,), "a tuple is not plain JSON"),
        ({"a": {1}}, "a set is not plain JSON"),
        ([b""], "a bytes is not plain JSON"),
        ({1: 2}, "a key must be a string, not 1"),
        ([math.nan], "nan is not a finite number"),
        ([10**300], "more than 300 digits"),
        ([-(10**9999)], "more than 300 digits"),
        (["\ud800"], "half a character"),
    ],
)
def test_values_that_no_file_holds(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_plain(value)


def test_values_that_a_file_holds() -> None:
    check_plain([10**300 - 1, -0.0, True, None, {"": "👍\x00"}])


@given(text=ANY_TEXT)
def test_what_is_shown_is_one_printable_line(text: str) -> None:
    assert visible(text).isprintable()
    assert visible(text) == text or not text.isprintable()


def test_what_is_shown_is_short() -> None:
    assert visible("a\x1b[2J\u202e\n") == "a\\u{1b}[2J\\u{202e}\\u{a}"
    assert visible("x" * 161) == "x" * 160 + "…"
