"""What a prompt accepts, and what its identity is."""

from typing import Any

import pytest
from hypothesis import given
from pydantic import ValidationError

from modules.prompts import Demo, LabelWord, Layout, Part, Prompt
from tests.modules_tests.prompts.strategies import prompts

WORDS = (LabelWord(label="neg", word="bad"), LabelWord(label="pos", word="good"))
VALID: dict[str, Any] = {
    "layout": Layout(kind="text", answer_lead="Sentiment:"),
    "words": WORDS,
    "bias": (0.0, 0.0),
}


@pytest.mark.parametrize(
    ("change", "match"),
    [
        pytest.param({"tone": "warm"}, "tone\n  Extra inputs", id="unknown field"),
        pytest.param({"words": (WORDS[0], WORDS[0])}, "a label has two entries", id="same label"),
        pytest.param(
            {"words": (WORDS[0], LabelWord(label="pos", word="BAD"))},
            "two labels share a word",
            id="shared word, other case",
        ),
        pytest.param({"words": WORDS[:1]}, "at least 2 items", id="one label"),
        pytest.param({"bias": (0.0,)}, "bias has 1 values for 2 labels", id="bias too short"),
        pytest.param({"bias": (0.0, float("nan"))}, "finite number", id="bias not a number"),
        pytest.param({"bias": (0.0, float("inf"))}, "finite number", id="bias infinite"),
        pytest.param(
            {"demos": (Demo(text="x", label="meh"),)}, r"unknown labels: \['meh'\]", id="demo label"
        ),
        pytest.param(
            {"words": (WORDS[0], LabelWord(label="pos", word="good "))},
            "label words carry no outer spaces",
            id="word with a space behind",
        ),
        pytest.param({"decoding": "beam"}, "'choose' or 'generate'", id="decoding"),
    ],
)
def test_prompt_refuses(change: dict[str, Any], match: str) -> None:
    with pytest.raises(ValidationError, match=match):
        Prompt(**(VALID | change))


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        pytest.param({"kind": "chat", "input_lead": "a\nb"}, "should match pattern", id="newline"),
        pytest.param(
            {"kind": "chat", "input_lead": "a\n"}, "should match pattern", id="newline end"
        ),
        pytest.param({"kind": "chat", "answer_lead": "a\rb"}, "should match pattern", id="return"),
        pytest.param({"kind": "chat", "answer_lead": "a "}, "no outer spaces", id="space behind"),
        pytest.param({"kind": "text"}, "needs an answer_lead", id="text without answer lead"),
        pytest.param(
            {"kind": "text", "answer_lead": "A:", "system": True}, "chat only", id="text, system"
        ),
        pytest.param(
            {"kind": "chat", "system": True, "instruction": "after"}, "before", id="system after"
        ),
        pytest.param({"kind": "poem"}, "'chat' or 'text'", id="unknown kind"),
    ],
)
def test_layout_refuses(fields: dict[str, Any], match: str) -> None:
    with pytest.raises(ValidationError, match=match):
        Layout(**fields)


@pytest.mark.parametrize("word", ["", "two\nlines"])
def test_label_word_is_one_line_and_not_empty(word: str) -> None:
    with pytest.raises(ValidationError, match=r"at least 1 character|should match pattern"):
        LabelWord(label="x", word=word)


def test_part_refuses_an_unknown_role() -> None:
    with pytest.raises(ValidationError, match="'role', 'task'"):
        Part(role="joke", text="x")  # type: ignore[arg-type]


def test_prompt_cannot_change() -> None:
    prompt = Prompt(**VALID)
    with pytest.raises(ValidationError, match="frozen"):
        prompt.bias = (1.0, 0.0)  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        prompt.layout.kind = "chat"  # type: ignore[misc]


@given(prompts())
def test_json_round_trip_is_the_identity(prompt: Prompt) -> None:
    again = Prompt.model_validate_json(prompt.model_dump_json())
    assert again == prompt
    assert again.identity() == prompt.identity()


@given(prompts(), prompts())
def test_identity_is_equal_for_equal_prompts_only(one: Prompt, other: Prompt) -> None:
    assert (one.identity() == other.identity()) == (one == other)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"bias": (0.0, 1e-300)}, id="bias by a hair"),
        pytest.param({"words": WORDS[::-1]}, id="order of the labels"),
        pytest.param({"instruction": (Part(role="task", text=""),)}, id="empty part"),
        pytest.param({"demos": (Demo(text="", label="pos"),)}, id="empty demo"),
        pytest.param({"decoding": "generate"}, id="decoding"),
        pytest.param({"layout": Layout(kind="chat")}, id="layout"),
    ],
)
def test_every_field_is_part_of_the_identity(change: dict[str, Any]) -> None:
    assert Prompt(**(VALID | change)).identity() != Prompt(**VALID).identity()


def test_word_of_an_unknown_label_raises() -> None:
    prompt = Prompt(**VALID)
    assert prompt.word("pos") == "good"
    with pytest.raises(KeyError, match="meh"):
        prompt.word("meh")


def test_instruction_text_joins_the_parts_with_one_space() -> None:
    parts = (Part(role="role", text="You judge."), Part(role="form", text="One word."))
    assert Prompt(**(VALID | {"instruction": parts})).instruction_text == "You judge. One word."
