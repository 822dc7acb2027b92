"""Columns of JSON values: one type for all of them, without losing any."""

import math
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.tables.columns import cell_text, column_value, json_value, merged_kind


def kind_of(values: list[Any]) -> str:
    return reduce(merged_kind, values, "null")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([], "null"),
        ([None, None], "null"),
        ([True, None], "bool"),
        ([None, 1, -(2**53)], "int"),
        ([1, 2**53 + 1], "long"),
        ([2**63 - 1, -(2**63)], "long"),
        ([2**63], "json"),
        ([1, 0.5], "float"),
        ([0.5, 2**53], "float"),
        ([0.5, 2**53 + 1], "json"),
        ([True, 1], "json"),
        (["1", 1], "json"),
        (["", None], "str"),
        ([[1]], "json"),
        ([{}, "a"], "json"),
    ],
)
def test_the_kind_holds_every_value_in_any_order(values: list[Any], kind: str) -> None:
    assert kind_of(values) == kind
    assert kind_of(values[::-1]) == kind


@given(st.lists(st.none() | st.integers(-(2**62), 2**62) | st.floats(allow_nan=False)))
def test_numbers_stay_what_they_are(values: list[Any]) -> None:
    kind = kind_of(values)
    for value in values:
        held = column_value(value, kind)
        assert held == (str(value) if kind == "json" and value is not None else value) or (
            kind == "json" and math.isinf(value)
        )


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, None), ("", ""), ('"a"', '"a"'), (True, "true"), (1.5, "1.5"), (["a"], '["a"]')],
)
def test_a_cell_s_text(value: object, text: str | None) -> None:
    assert cell_text(value) == text


def test_json_has_no_nan() -> None:
    value = {"a": math.nan, "b": [math.inf, 1.5, {"c": -math.inf}], "d": "NaN"}
    assert json_value(value) == {"a": None, "b": [None, 1.5, {"c": None}], "d": "NaN"}
