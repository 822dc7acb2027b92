"""Guides: what a request's form becomes."""

import json
from typing import Any

import dspy
import pytest
from dspy.lm15 import InvalidRequestError

from modules.lm.guide import METADATA_KEY, Guide, Slot, guide_of
from modules.prompts.render import Turn


def schema(**properties: Any) -> dict[str, Any]:
    return {"type": "json_schema", "schema": {"type": "object", "properties": properties}}


def test_a_schema_of_closed_values_and_strings_is_filled_in_as_json() -> None:
    slots = guide_of(
        {},
        schema(
            why={"type": "string"},
            label={"enum": ['a"b', "é", 3]},
            sure={"type": "boolean"},
            one={"const": "x"},
        ),
    ).slots
    written = ""
    said = {"why": "because", "label": '"é"', "sure": "false", "one": '"x"'}
    for slot in slots:
        assert slot.choices is None or said[slot.field] in slot.choices.values()
        written += slot.lead + said[slot.field]
    expected = {"why": "because", "label": "é", "sure": False, "one": "x"}
    assert json.loads(written + "}") == expected
    assert slots[1].choices == {'a"b': '"a\\"b"', "é": '"é"', "3": "3"}
    assert [slot.is_json for slot in slots] == [False, True, True, True]


@pytest.mark.parametrize(
    "form",
    [
        None,
        {},
        {"type": "json_object"},
        schema(),
        schema(label={"enum": ["a", "b"]}, many={"type": "array"}),
        schema(number={"type": "integer"}),
    ],
    ids=["none", "empty", "any json", "no properties", "array", "integer"],
)
def test_any_other_form_is_not_guided(form: dict[str, Any] | None) -> None:
    assert guide_of({}, form) == Guide()


def test_our_own_metadata_wins_and_comes_back_as_it_was() -> None:
    guide = Guide(
        is_text=True, n_shared_chars=3, slots=(Slot(field="a", choices={"x": "y"}, bias=(0.5,)),)
    )
    extensions = {"metadata": {METADATA_KEY: guide.model_dump_json()}}
    assert guide_of(extensions, schema(label={"enum": ["a", "b"]})) == guide


@pytest.mark.parametrize("text", ["", "{", '{"tone": 1}', '{"n_shared_chars": -1}'])
def test_broken_metadata_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="metadata is no guide"):
        guide_of({"metadata": {METADATA_KEY: text}}, None)


def test_a_text_prompt_is_one_message() -> None:
    turns = (Turn(role="user", text="a"), Turn(role="user", text="b"))
    assert Guide(is_text=True).rendered(turns[:1]).turns == (Turn(role="text", text="a"),)
    with pytest.raises(InvalidRequestError, match="one message, got 2"):
        Guide(is_text=True).rendered(turns)


def test_dspys_json_adapter_sends_a_schema_that_is_guided() -> None:
    """The form that DSPy itself builds, with its $defs and titles, is one of ours."""
    from dspy.adapters.json_adapter import _get_structured_outputs_response_format

    signature = dspy.Signature("review -> note: str, sure: bool")
    model = _get_structured_outputs_response_format(signature)
    slots = guide_of({}, {"schema": model.model_json_schema()}).slots
    assert [slot.field for slot in slots] == ["note", "sure"]
