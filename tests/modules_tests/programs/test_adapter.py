"""The adapter without a model: what it sends, and what it makes of any text that comes back."""

import json
from typing import Any, Literal

import dspy
import pytest
from dspy.utils.exceptions import AdapterParseError

from modules.lm.guide import METADATA_KEY, guide_of
from modules.programs import PromptAdapter
from modules.prompts import Demo, Part, render
from tests.modules_tests.programs.task import Task, make_prompt


class Fields(dspy.Signature):
    """Judge the review at length."""

    review: str = dspy.InputField()
    my_reasons: str = dspy.OutputField()
    sentiment: Literal["pos", "neg"] = dspy.OutputField()


def adapter(**layout: Any) -> PromptAdapter:
    return PromptAdapter(make_prompt(**layout), Task)


@pytest.mark.parametrize(
    ("text", "label"),
    [
        pytest.param("good", "pos", id="word"),
        pytest.param(" Not good.", "neg", id="the longer word"),
        pytest.param("pos", "pos", id="the label itself"),
        pytest.param("Sentiment: good", "pos", id="with its lead"),
        pytest.param("**Sentiment**: not good", "neg", id="with marks"),
        pytest.param('{"sentiment": "neg"}', "neg", id="json label"),
        pytest.param('{"sentiment": "good"}', "pos", id="json word"),
    ],
)
def test_an_answer_parses(text: str, label: str) -> None:
    assert adapter().parse(Task, text) == {"sentiment": label}


@pytest.mark.parametrize(
    "text", ["", "who knows", "good or not good", '{"sentiment": "meh"}', "{}", "goodness"]
)
def test_any_other_answer_is_an_error_that_keeps_the_text(text: str) -> None:
    with pytest.raises(AdapterParseError, match="PromptAdapter") as caught:
        adapter().parse(Task, text)
    assert caught.value.lm_response == text


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("My reasons: a\nb: c\nSentiment: good", id="lines"),
        pytest.param("## my_reasons: a\nb: c\n* sentiment = GOOD", id="names, marks, case"),
        pytest.param('{"my_reasons": "a\\nb: c", "sentiment": "pos"}', id="json"),
    ],
)
def test_fields_are_read_leniently(text: str) -> None:
    assert adapter().parse(Fields, text) == {"my_reasons": "a\nb: c", "sentiment": "pos"}


def test_a_missing_field_is_an_error() -> None:
    with pytest.raises(AdapterParseError, match="sentiment"):
        adapter().parse(Fields, "My reasons: none")


@pytest.mark.parametrize(
    ("annotation", "text", "value"),
    [(bool, "True", True), (bool, "false", False), (int, "7", 7), (Literal[1, 2], "2", 2)],
    ids=["true", "false", "int", "literal of numbers"],
)
def test_values_take_their_type(annotation: Any, text: str, value: object) -> None:
    signature = dspy.Signature(
        {"a": (str, dspy.InputField()), "b": (annotation, dspy.OutputField())}
    )
    got = adapter().parse(signature, f"B: {text}")["b"]
    assert (got, type(got)) == (value, type(value))


@pytest.mark.parametrize(
    "layout", [{}, {"kind": "chat"}, {"kind": "chat", "system": True}], ids=str
)
def test_messages_are_the_prompts_own_rendering(layout: dict[str, Any]) -> None:
    messages = adapter(**layout).format(Task, [], {"review": "so so"})
    turns = render(make_prompt(**layout), "so so").turns
    assert [m["content"] for m in messages] == [turn.text for turn in turns]
    assert [m["role"] for m in messages] == [t.role.replace("text", "user") for t in turns]


def test_the_programs_demos_replace_the_prompts() -> None:
    demos = [dspy.Example(review="meh", sentiment="neg"), dspy.Example(review="no label")]
    (message,) = adapter().format(Task, demos, {"review": "so so"})
    bare = make_prompt().model_copy(update={"demos": (Demo(text="meh", label="neg"),)})
    assert message["content"] == render(bare, "so so").turns[0].text
    assert "it was good" not in message["content"]


def test_an_optimized_instruction_replaces_the_prompts() -> None:
    other = Task.with_instructions("Think of the critics.")
    (message,) = adapter().format(other, [], {"review": "so so"})
    part = Part(role="task", text="Think of the critics.")
    changed = make_prompt().model_copy(update={"instruction": (part,)})
    assert message["content"] == render(changed, "so so").turns[0].text


def test_the_compact_form_reads_exactly() -> None:
    demo = {"review": "fine", "my_reasons": "it is", "sentiment": "pos"}
    (message,) = adapter().format(Fields, [demo], {"review": "so so"})
    assert message["content"] == (
        "Judge the review at length.\n"
        "My reasons.\n"
        "Sentiment: One of: not good, good.\n\n"
        "Review: fine\nMy reasons: it is\nSentiment: good\n\n"
        "Review: so so\n"
    )


@pytest.mark.parametrize("demos", [[], [{"review": "a", "my_reasons": "b", "sentiment": "pos"}]])
@pytest.mark.parametrize("layout", [{}, {"kind": "chat"}], ids=str)
def test_the_compact_forms_shared_part_ends_before_the_input(
    layout: dict[str, Any], demos: list[dict[str, str]]
) -> None:
    ours = adapter(**layout)
    for text in ("so so", "", "Review: x\n\n"):
        rendered, slots = ours._render(Fields, demos, {"review": text})
        own = rendered.turns[-1].text[rendered.n_shared_chars :]
        assert own == f"Review: {text}" + ("\n" if not layout else "")
        assert [(s.field, s.lead, s.stop) for s in slots] == [
            ("my_reasons", "My reasons:", "\n"),
            ("sentiment", "\nSentiment:", "\n\n"),
        ]


def test_an_lm_without_guides_gets_none() -> None:
    lm = dspy.utils.DummyLM([{"sentiment": "pos"}])
    assert adapter()._guided(lm, {"temperature": 1.0}, Task, [], {"review": "x"}) == {
        "temperature": 1.0
    }


def test_the_guide_says_how_the_prompt_reads() -> None:
    class Lm:
        engine = type("Engine", (), {"takes_guides": True})()

    prompt = make_prompt()
    kwargs = adapter()._guided(Lm(), {}, Task, [], {"review": "x"})
    guide = guide_of(kwargs, None)
    messages = adapter().format(Task, [], {"review": "x"})
    turn = render(prompt, "x").turns[0]
    assert messages[0]["content"] == turn.text
    assert guide.rendered((turn,)) == render(prompt, "x")
    (slot,) = guide.slots
    assert slot.choices == {"neg": "not good", "pos": "good"}
    assert slot.bias == prompt.bias
    assert json.loads(kwargs["metadata"][METADATA_KEY])["is_text"] is True
