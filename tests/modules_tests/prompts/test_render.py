"""The exact texts of every layout, and what all inputs share."""

from typing import Any

import pytest
from hypothesis import given

from modules.prompts import Demo, InputCap, LabelWord, Layout, Part, Prompt, answers, cut, render
from tests.modules_tests.prompts.strategies import ANY_TEXT, prompts

DEMOS = (Demo(text=" loved it\n", label="pos"), Demo(text="hated it", label="neg"))
SAY = (Part(role="task", text="Judge."), Part(role="form", text="One word."))


def make(demos: tuple[Demo, ...] = (), say: tuple[Part, ...] = SAY, **layout: Any) -> Prompt:
    return Prompt(
        layout=Layout(**layout),
        instruction=say,
        demos=demos,
        words=(LabelWord(label="neg", word="bad"), LabelWord(label="pos", word="good")),
        bias=(0.0, 0.0),
    )


TEXT = {"kind": "text", "input_lead": "Review:", "answer_lead": "Mood:"}


@pytest.mark.parametrize(
    ("prompt", "shared", "own"),
    [
        pytest.param(
            make(**TEXT), "Judge. One word.\n\n", "Review: so so\n", id="instruction before"
        ),
        pytest.param(
            make(**TEXT, instruction="after"),
            "",
            "Review: so so\nJudge. One word.\n",
            id="instruction after",
        ),
        pytest.param(
            make(DEMOS, **TEXT),
            "Judge. One word.\n\nReview: loved it\nMood: good\n\nReview: hated it\nMood: bad\n\n",
            "Review: so so\n",
            id="demos",
        ),
        pytest.param(
            make(DEMOS[:1], **TEXT, instruction="after"),
            "Review: loved it\nMood: good\n\n",
            "Review: so so\nJudge. One word.\n",
            id="demos, instruction after",
        ),
        pytest.param(
            make(DEMOS[:1], **TEXT, instruction="both"),
            "Judge. One word.\n\nReview: loved it\nMood: good\n\n",
            "Review: so so\nJudge. One word.\n",
            id="demos, instruction on both sides",
        ),
        pytest.param(
            make(DEMOS[:1], **TEXT, instruction="both", separator="line"),
            "Judge. One word.\nReview: loved it\nMood: good\n",
            "Review: so so\nJudge. One word.\n",
            id="parted by a line break",
        ),
        pytest.param(
            make(DEMOS[:1], **TEXT, instruction="both", separator="rule"),
            "Judge. One word.\n###\nReview: loved it\nMood: good\n###\n",
            "Review: so so\n###\nJudge. One word.\n",
            id="parted by a rule",
        ),
        pytest.param(
            make((), (), **TEXT, instruction="both", separator="rule"),
            "",
            "Review: so so\n",
            id="nothing to part",
        ),
        pytest.param(
            make(DEMOS[:1], (), kind="text", answer_lead="It was", same_line=True),
            "loved it It was good\n\n",
            "so so ",
            id="same line, no instruction, no input lead",
        ),
    ],
)
def test_text_reads_exactly(prompt: Prompt, shared: str, own: str) -> None:
    rendered = render(prompt, "  so so ")
    (turn,) = rendered.turns
    assert (turn.role, turn.text) == ("text", shared + own)
    assert turn.text[: rendered.n_shared_chars] == shared
    assert rendered.lead == prompt.layout.answer_lead
    assert (rendered.answer_start, rendered.stops) == (" ", ("\n",))
    assert not rendered.is_chat


CHAT = {"kind": "chat", "input_lead": "Review:"}


@pytest.mark.parametrize(
    ("prompt", "turns", "shared"),
    [
        pytest.param(
            make(**CHAT),
            [("user", "Judge. One word.\n\nReview: so so")],
            "Judge. One word.\n\n",
            id="before",
        ),
        pytest.param(
            make(**CHAT, instruction="after"),
            [("user", "Review: so so\n\nJudge. One word.")],
            "",
            id="after",
        ),
        pytest.param(
            make(**CHAT, system=True),
            [("system", "Judge. One word."), ("user", "Review: so so")],
            "",
            id="system",
        ),
        pytest.param(make((), (), **CHAT, system=True), [("user", "Review: so so")], "", id="bare"),
        pytest.param(
            make(**CHAT, instruction="both"),
            [("user", "Judge. One word.\n\nReview: so so\n\nJudge. One word.")],
            "Judge. One word.\n\n",
            id="both",
        ),
        pytest.param(
            make(**CHAT, instruction="both", system=True),
            [("system", "Judge. One word."), ("user", "Review: so so\n\nJudge. One word.")],
            "",
            id="both, system",
        ),
        pytest.param(
            make(DEMOS[:1], **CHAT, instruction="both"),
            [
                ("user", "Judge. One word.\n\nReview: loved it"),
                ("assistant", "good"),
                ("user", "Review: so so\n\nJudge. One word."),
            ],
            "",
            id="both, demos",
        ),
        pytest.param(
            make(DEMOS, **CHAT, answer_lead="Mood:"),
            [
                ("user", "Judge. One word.\n\nReview: loved it"),
                ("assistant", "Mood: good"),
                ("user", "Review: hated it"),
                ("assistant", "Mood: bad"),
                ("user", "Review: so so"),
            ],
            "",
            id="demos with an answer lead",
        ),
        pytest.param(
            make(DEMOS[:1], kind="chat", instruction="after"),
            [("user", "loved it"), ("assistant", "good"), ("user", "so so\n\nJudge. One word.")],
            "",
            id="demos, instruction after",
        ),
        pytest.param(
            make(DEMOS[:1], kind="chat", system=True),
            [
                ("system", "Judge. One word."),
                ("user", "loved it"),
                ("assistant", "good"),
                ("user", "so so"),
            ],
            "",
            id="demos, system",
        ),
    ],
)
def test_chat_reads_exactly(prompt: Prompt, turns: list[tuple[str, str]], shared: str) -> None:
    rendered = render(prompt, "so so")
    assert [(turn.role, turn.text) for turn in rendered.turns] == turns
    assert rendered.turns[-1].text[: rendered.n_shared_chars] == shared
    assert rendered.lead == prompt.layout.answer_lead
    assert (rendered.answer_start, rendered.stops) == (" " if rendered.lead else "", ())
    assert rendered.is_chat


KEPT = {
    "after": (make(**TEXT, instruction="after"), "Review: so so\n"),
    "both": (make(**TEXT, instruction="both"), "Judge. One word.\n\nReview: so so\n"),
    "both, rule": (
        make(**TEXT, instruction="both", separator="rule"),
        "Judge. One word.\n###\nReview: so so\n",
    ),
    "chat, after": (make(**CHAT, instruction="after"), "Review: so so\n\n"),
    "chat, both": (make(**CHAT, instruction="both"), "Judge. One word.\n\nReview: so so\n\n"),
    "chat, both, system": (
        make(**CHAT, instruction="both", system=True),
        "Review: so so\n\n",
    ),
    "before": (make(**TEXT), ""),
    "both, no instruction": (make((), (), **TEXT, instruction="both"), ""),
}


@pytest.mark.parametrize(("prompt", "kept"), KEPT.values(), ids=KEPT)
def test_what_is_kept_ends_with_the_input_line(prompt: Prompt, kept: str) -> None:
    rendered = render(prompt, "so so")
    assert rendered.turns[-1].text[: rendered.n_kept_chars] == kept


@given(prompts(), ANY_TEXT, ANY_TEXT)
def test_shared_part_is_the_same_for_any_two_inputs(prompt: Prompt, a: str, b: str) -> None:
    one, other = render(prompt, a), render(prompt, b)
    n = one.n_shared_chars
    assert n == other.n_shared_chars
    assert one.turns[:-1] == other.turns[:-1]
    assert one.turns[-1].text[:n] == other.turns[-1].text[:n]
    assert (one.lead, one.answer_start, one.stops) == (other.lead, other.answer_start, other.stops)


@given(prompts(), ANY_TEXT)
def test_shared_part_is_empty_or_ends_a_line(prompt: Prompt, text: str) -> None:
    rendered = render(prompt, text)
    assert rendered.turns[-1].text[: rendered.n_shared_chars][-1:] in {"", "\n"}


@given(prompts(), ANY_TEXT)
def test_all_of_the_capped_input_is_in_the_last_turn(prompt: Prompt, text: str) -> None:
    rendered = render(prompt, text)
    assert cut(text, prompt.cap) in rendered.turns[-1].text[rendered.n_shared_chars :]


@given(prompts())
def test_an_answer_is_what_demos_show_behind_the_lead(prompt: Prompt) -> None:
    for entry, answer in zip(prompt.words, answers(prompt), strict=True):
        demo = Demo(text="x", label=entry.label)
        rendered = render(prompt.model_copy(update={"demos": (demo,)}), "y")
        shown = rendered.turns[-2].text if rendered.is_chat else rendered.turns[0].text
        assert rendered.lead + answer in shown


@pytest.mark.parametrize(
    ("words", "keep", "expected"),
    [
        (None, "head", "a  b c\nd e"),
        (5, "head", "a  b c\nd e"),
        (2, "head", "a b"),
        (2, "tail", "d e"),
        (2, "both", "a … e"),
        (3, "both", "a b … e"),
        (1, "both", "a … "),
        (4, "tail", "b c d e"),
    ],
)
def test_cut_keeps_that_many_words(words: int | None, keep: Any, expected: str) -> None:
    assert cut(" a  b c\nd e ", InputCap(words=words, keep=keep)) == expected
