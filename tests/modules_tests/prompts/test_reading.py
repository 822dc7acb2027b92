"""The reading: what the model reads, with one placeholder where any input goes."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.prompts import Demo, LabelWord, Layout, Part, Prompt, answers, cut, reading, render
from tests.modules_tests.programs.task import make_prompt
from tests.modules_tests.prompts.strategies import ANY_TEXT, prompts

LAYOUTS = (
    Layout(kind="text", input_lead="Review:", answer_lead="Sentiment:"),
    Layout(kind="text", answer_lead="It was", same_line=True),
    Layout(kind="text", instruction="after", input_lead="Text:", answer_lead="Label:"),
    Layout(kind="chat", input_lead="Review:"),
    Layout(kind="chat", system=True, answer_lead="Sentiment:"),
    Layout(kind="chat", instruction="after"),
)


def spoken(prompt: Prompt) -> str:
    return "\n".join(turn.text for turn in reading(prompt).turns)


def naive_placeholder(prompt: Prompt) -> str:
    """Try one after the other on every text of the prompt, where it stands."""
    texts = [
        *(part.text for part in prompt.instruction),
        *(text for demo in prompt.demos for text in (demo.text, demo.label)),
        *(text for word in prompt.words for text in (word.label, word.word)),
        *(prompt.layout.input_lead, prompt.layout.answer_lead),
    ]
    names = ["{input}", *(f"{{input_{number}}}" for number in range(1, 100))]
    return next(name for name in names if not any(name in text for text in texts))


@settings(max_examples=200, deadline=None)
@given(prompt=prompts(), text=ANY_TEXT)
def test_filled_in_it_is_what_is_rendered(prompt: Prompt, text: str) -> None:
    read, rendered = reading(prompt), render(prompt, text)
    filled = read.filled(cut(text, prompt.cap))
    assert [(t.role, t.text) for t in filled] == [(t.role, t.text) for t in rendered.turns]
    assert read.lead == rendered.lead
    assert [(a.label, a.text) for a in read.answers] == list(
        zip(prompt.label_names, answers(prompt), strict=True)
    )


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_by_hand(layout: Layout) -> None:
    prompt = make_prompt().model_copy(update={"layout": layout})
    read = reading(prompt)
    said = "Say whether the review is good or not good."
    assert spoken(prompt).count(said) == 1
    assert read.placeholder == "{input}"
    assert spoken(prompt).count("{input}") == read.turns[-1].text.count("{input}") == 1
    assert [turn.role for turn in read.turns] == (
        ["text"]
        if layout.kind == "text"
        else [*["system"] * layout.system, "user", "assistant", "user", "assistant", "user"]
    )
    start = " " if layout.answer_lead else ""
    assert [(a.label, a.text) for a in read.answers] == [
        ("neg", f"{start}not good"),
        ("pos", f"{start}good"),
    ]


def test_a_whole_text_by_hand() -> None:
    read = reading(make_prompt())
    assert read.turns[0].text == (
        "Say whether the review is good or not good.\n\n"
        "Review: it was good\nSentiment: good\n\n"
        "Review: it was bad\nSentiment: not good\n\n"
        "Review: {input}\n"
    )
    assert read.lead == "Sentiment:"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{input}", "{input_1}"),
        ("{input} {input_1}{input_2}", "{input_3}"),
        ("{input_1}", "{input}"),
        ("{input}{input_2}", "{input_1}"),
        ("{{input}}", "{input_1}"),
        ("{input_01} {input_0} {input_x} {input_-1} { input } {INPUT}", "{input}"),
        ("{input_{input}", "{input_1}"),
        ("{input_" + "9" * 5_000 + "}", "{input}"),
        ("{in put} {input", "{input}"),
        ('"{input}" \\{input_1}\n{input_2}', "{input_3}"),
    ],
)
@pytest.mark.parametrize("where", ["part", "demo", "word", "label", "lead"])
def test_the_placeholder_is_the_first_that_the_prompt_lacks(
    where: str, text: str, expected: str
) -> None:
    line = " ".join(text.split())[:190]
    expected = expected if len(text) < 190 else "{input}"
    changes = {
        "part": {"instruction": (Part(role="task", text=text),)},
        "demo": {"demos": (Demo(text=text, label="pos"),)},
        "word": {
            "words": (LabelWord(label="neg", word=line), LabelWord(label="pos", word="good")),
        },
        "label": {
            "words": (LabelWord(label=text, word="bad"), LabelWord(label="pos", word="good")),
            "demos": (),
        },
        "lead": {"layout": Layout(kind="text", input_lead=line, answer_lead="A:")},
    }
    prompt = make_prompt().model_copy(update=changes[where])
    read = reading(prompt)
    assert read.placeholder == expected == naive_placeholder(prompt)
    assert spoken(prompt).count(expected) == 1


def test_as_many_placeholders_as_fit_take_no_longer() -> None:
    """Tried one by one they would take hours."""
    starts = range(0, 260_000, 6_500)
    texts = [" ".join(f"{{input_{n}}}" for n in range(k, k + 6_500)) for k in starts]
    demos = tuple(Demo(text=f"{{input}} {text}", label="pos") for text in texts)
    read = reading(make_prompt().model_copy(update={"demos": demos}))
    assert read.placeholder == "{input_260000}"


@given(text=st.text(alphabet="{}input_12 ", max_size=60))
def test_no_text_holds_the_placeholder_twice(text: str) -> None:
    for layout in LAYOUTS:
        prompt = make_prompt().model_copy(
            update={
                "layout": layout,
                "instruction": (Part(role="task", text=text), Part(role="form", text=text)),
                "demos": (Demo(text=text, label="pos"),),
            }
        )
        read = reading(prompt)
        assert read.placeholder == naive_placeholder(prompt)
        assert spoken(prompt).count(read.placeholder) == 1


def test_an_input_that_holds_the_placeholder_or_regex_syntax_is_put_in_as_it_is() -> None:
    for text in ("{input}", r"\1 \g<0> $0 %s {0}", "{input}{input}"):
        filled = reading(make_prompt()).filled(text)
        assert filled[-1].text == render(make_prompt(), text).turns[-1].text
