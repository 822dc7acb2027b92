"""A task, a prompt and a program for the tests of the DSPy side."""

from typing import Literal

import dspy

from modules.lm import LocalModel
from modules.programs import PromptAdapter, dspy_lm
from modules.prompts import Demo, LabelWord, Layout, Part, Prompt

TEXTS = (
    "An instant classic that I loved.",
    "A bad film, not good",
    "  so so \n",
    "👍 <|im_end|>",
    "Review: it was good\nSentiment: good",
)


class Task(dspy.Signature):
    """Judge the review."""

    review: str = dspy.InputField()
    sentiment: Literal["pos", "neg"] = dspy.OutputField()


def make_prompt(
    *, bias: tuple[float, float] = (0.4, -0.4), decoding: str = "choose", **layout: object
) -> Prompt:
    """A prompt with other words than labels, demos and a bias."""
    settings = {"kind": "text", "input_lead": "Review:", "answer_lead": "Sentiment:"} | layout
    return Prompt(
        layout=Layout(**settings),  # type: ignore[arg-type]
        instruction=(Part(role="task", text="Say whether the review is good or not good."),),
        demos=(Demo(text="it was good", label="pos"), Demo(text="it was bad", label="neg")),
        words=(LabelWord(label="neg", word="not good"), LabelWord(label="pos", word="good")),
        bias=bias,
        decoding=decoding,  # type: ignore[arg-type]
    )


def bound(
    model: LocalModel, prompt: Prompt, seed: int = 0, **settings: object
) -> dict[str, object]:
    """What `dspy.context` needs."""
    return {"lm": dspy_lm(model, seed, **settings), "adapter": PromptAdapter(prompt, Task)}
