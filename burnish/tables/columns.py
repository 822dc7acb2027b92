"""Columns of JSON values: which type holds them all, and a value as text.

A column's kind is one of "null", "bool", "int" (up to 53 bits, which a float holds exactly), "long"
(64 bits), "float", "str" and "json", which is the text of any JSON.
"""

import json
import math
from typing import Any

_EXACT = 2**53
_LONG = 2**63
_JOINT = {frozenset({"int", "long"}): "long", frozenset({"int", "float"}): "float"}


def merged_kind(kind: str, value: object) -> str:
    """Give the kind that holds both a kind and one more value."""
    other = _kind(value)
    if kind == "null":
        return other
    return kind if other in ("null", kind) else _JOINT.get(frozenset({kind, other}), "json")


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "bool"
        case int():
            if -_EXACT <= value <= _EXACT:
                return "int"
            return "long" if -_LONG <= value < _LONG else "json"
        case float():
            return "float"
        case str():
            return "str"
    return "json"


def column_value(value: Any, kind: str) -> Any:
    """Give a value as its column holds it."""
    if value is None:
        return None
    if kind == "json":
        return json_text(value)
    return float(value) if kind == "float" else value


def json_text(value: object) -> str:
    """Give a value as JSON; what JSON does not have, such as a date, becomes a string."""
    return json.dumps(value, ensure_ascii=False, default=str)


def cell_text(value: object) -> str | None:
    """Give a value as the text of a cell: a string as it is, the rest as JSON."""
    return value if value is None or isinstance(value, str) else json_text(value).strip('"')


def json_value(value: Any) -> Any:
    """Give a value without NaN and infinity, which JSON does not have: null stands for them."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {str(key): json_value(item) for key, item in value.items()}
    return [json_value(item) for item in value] if isinstance(value, list) else value
