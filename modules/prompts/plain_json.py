"""JSON that nobody vouches for: read strictly, and refused when its size or its values are absurd.

It knows JSON and sizes only. What the fields mean is `modules.prompts.artifact`'s business.
"""

import json
import math
import os
import stat
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

from modules.shown import is_utf8

MAX_BYTES = 10_000_000
MAX_VALUES = 20_000
MAX_ITEMS = 1_000
MAX_DEPTH = 12
MAX_DIGITS = 300

_SHOWN = 160


def read_regular(path: Path) -> bytes:
    """Read a regular file of at most `MAX_BYTES`; a pipe or a device is not waited for.

    Raises:
        ValueError: the reason: not a regular file, too large, or a path with a zero byte.
        OSError: it cannot be read.
    """
    with open(path, "rb", opener=_open_at_once) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("it is not a regular file")
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES:,} bytes")
    return raw


def parse_json(raw: bytes) -> Any:
    """Parse UTF-8 JSON into plain values that `check_plain` accepts.

    Time and memory grow with the number of bytes alone: how many values there are is counted before
    any of them is made.

    Raises:
        ValueError: the reason: too large, not UTF-8, not JSON, a key twice in one object, a number
            that is not finite or too long, or what `check_plain` refuses.
    """
    if len(raw) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES:,} bytes")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8 text (byte {error.start:,})") from error
    if _upper_count(raw) > 2 * MAX_VALUES:  # the keys, too, are counted here
        raise ValueError(f"it has more than {MAX_VALUES:,} values")
    try:
        value = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_number,
            parse_constant=_no_number,
        )
    except json.JSONDecodeError as error:
        raise ValueError(f"it is not JSON ({error})") from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    check_plain(value)
    return value


def check_plain(value: Any) -> None:
    """Check that a value is plain JSON of a sensible size, which any UTF-8 file can hold.

    Raises:
        ValueError: another type, a key that is no string, NaN or an infinity, a lone surrogate, an
            integer of more than `MAX_DIGITS` digits, more than `MAX_VALUES` values in all or
            `MAX_ITEMS` in one list or object, or nesting beyond `MAX_DEPTH` levels.
    """
    level, n_values = [value], 0
    for _ in range(MAX_DEPTH):
        n_values += len(level)
        if n_values > MAX_VALUES:
            raise ValueError(f"it has more than {MAX_VALUES:,} values")
        level = [child for item in level for child in _children(item)]
        if not level:
            return
    raise ValueError(f"it is nested deeper than {MAX_DEPTH} levels")


def visible(text: str) -> str:
    """Give a text from a file for one line of an error: cut, its unprintable characters escaped."""
    cut = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
    return "".join(c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in cut)


def _open_at_once(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _upper_count(raw: bytes) -> int:
    """Bound the number of keys and values of a JSON text from above, without parsing it."""
    bare = raw.replace(b"\\\\", b"").replace(b'\\"', b"")
    n_strings = bare.count(b'"') // 2
    if n_strings > 2 * MAX_VALUES:
        return n_strings
    outside = b"".join(bare.split(b'"')[::2])
    return n_strings + sum(map(outside.count, (b",", b"[", b"{"))) + 1


def _children(item: Any) -> list[Any]:
    """Give what a list or an object holds, without keys; check what is neither."""
    if isinstance(item, list | dict):
        if len(item) > MAX_ITEMS:
            raise ValueError(f"a list or object has {len(item):,} items, more than {MAX_ITEMS:,}")
        if isinstance(item, list):
            return item
        for key in item:
            _check_text(key)
        return list(item.values())
    match item:
        case str():
            _check_text(item)
        case float() if not math.isfinite(item):
            raise ValueError(f"{item} is not a finite number")
        case int() if abs(item) >= 10**MAX_DIGITS:
            raise ValueError(f"a number has more than {MAX_DIGITS} digits")
        case float() | int() | None:
            pass
        case _:
            raise ValueError(f"a {type(item).__name__} is not plain JSON")
    return []


def _check_text(text: Any) -> None:
    if not isinstance(text, str):
        raise ValueError(f"a key must be a string, not {visible(repr(text))}")
    if not is_utf8(text):
        raise ValueError(
            f"{visible(text)!r} has half a character (a lone surrogate), which no UTF-8 file holds"
        )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        (twice, _), *_ = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {visible(twice)!r} stands twice in one object")
    return found


def _integer(text: str) -> int:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number has {len(text):,} digits, more than {MAX_DIGITS}")
    return int(text)


def _number(text: str) -> float:
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number has {len(text):,} digits, more than {MAX_DIGITS}")
    if not math.isfinite(float(text)):
        raise ValueError(f"{text} is not a finite number")
    return float(text)


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")
