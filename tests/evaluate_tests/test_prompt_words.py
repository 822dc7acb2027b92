"""A prompt in words, as reports and notebooks say it."""

import pytest

from evaluate.prompt_words import described_one
from modules.prompts import InputCap, LabelWord, Layout, Prompt
from modules.prompts.prompt import Part

TASK = Part(role="task", text="Say it.")
FORM = Part(role="form", text="In one word.")


@pytest.mark.parametrize(
    ("parts", "said"),
    [
        ((), "plain text, no instruction, "),
        (
            (TASK,),
            "plain text with the instruction before the input, the instruction's part task, ",
        ),
        (
            (TASK, FORM),
            "plain text with the instruction before the input, the instruction's parts task and "
            "form, ",
        ),
    ],
    ids=["none", "one", "two"],
)
def test_what_it_is_made_of(parts: tuple[Part, ...], said: str) -> None:
    prompt = Prompt(
        layout=Layout(kind="text", input_lead="Review:", answer_lead="Sentiment:"),
        instruction=parts,
        words=(LabelWord(label="negative", word="bad"), LabelWord(label="positive", word="good")),
        cap=InputCap(words=64, keep="both"),
        bias=(0.5, -0.5),
    )
    assert described_one(prompt) == (
        f"{said}no examples, the label words bad for negative and good for positive, at most 64 "
        "words of the input (head and tail) and a label bias"
    )
