"""Slow references: one prompt at a time, everything recomputed, no cache, tries walked by hand."""

import math
from collections.abc import Sequence

import numpy as np
import torch

from modules.lm import LocalModel
from modules.lm.codec import Ids
from modules.prompts import Demo, LabelWord, Layout, Part, Prompt
from modules.prompts.render import Rendered
from tests.tiny import slow_logits

# Uneven lengths, an empty one, repeats, hostile text; the longest is far beyond the tiny window.
TEXTS = (
    "good",
    "An instant classic that I loved from the first minute to the last, truly good.",
    "",
    "A bad film, and a waste of an evening. 👍 <|im_end|>",
    "good",
    "so so, " * 12,
    "not\ngood",
    "x",
)


def prompt_of(
    words: Sequence[str] = ("negative", "positive"), n_demos: int = 1, **layout: object
) -> Prompt:
    """A prompt with an instruction and demos, so that much is shared."""
    settings = {"kind": "text", "input_lead": "Review:", "answer_lead": "Sentiment:"} | layout
    labels = [f"label{n}" for n in range(len(words))]
    return Prompt(
        layout=Layout(**settings),  # type: ignore[arg-type]
        instruction=(Part(role="task", text="Say whether the review is positive or negative."),),
        demos=tuple(Demo(text="it was good", label=labels[n % 2]) for n in range(n_demos)),
        words=tuple(LabelWord(label=a, word=b) for a, b in zip(labels, words, strict=True)),
        bias=(0.0,) * len(words),
    )


def probability(
    model: LocalModel, ids: Ids, choices: Sequence[Ids], end: int, temperature: float
) -> list[float]:
    """Constrained decoding's probability of each choice after `ids`."""
    ended = [(*choice, end) for choice in choices]
    found = []
    for target in ended:
        p = 1.0
        for n in range(len(target)):
            allowed = sorted({e[n] for e in ended if e[:n] == target[:n]})
            if len(allowed) == 1:
                continue
            logits = slow_logits(model._forward.model, ids + target[:n])[allowed] / temperature
            p *= float(torch.softmax(logits, dim=0)[allowed.index(target[n])])
        found.append(p)
    return found


def end_of_answer(model: LocalModel, rendered: Rendered) -> int:
    """The token that demos have behind their answers: the turn's mark, or an empty line's first."""
    tokenizer = model.codec._tokenizer
    if rendered.is_chat:
        return int(tokenizer.convert_tokens_to_ids("<|im_end|>"))
    whole, start = (
        tokenizer(text, add_special_tokens=False)["input_ids"] for text in ("good\n\nA", "good")
    )
    assert whole[: len(start)] == start
    return int(whole[len(start)])


def choose(
    model: LocalModel, rendered: Rendered, answers: Sequence[str], temperature: float = 1.0
) -> tuple[list[float], float]:
    """Probabilities of the answers, and the log of the mass that a free model begins them with."""
    encoded = model.codec.encode(rendered)
    choices = [model.codec.answer_ids(encoded.anchor, answer) for answer in answers]
    end = end_of_answer(model, rendered)
    p = probability(model, encoded.ids, choices, end, temperature)
    first = sorted({choice[0] for choice in choices})
    depth = 0
    while len({c[: depth + 1] for c in choices}) == 1:
        depth += 1
    start = encoded.ids + choices[0][:depth]
    free = torch.softmax(slow_logits(model._forward.model, start), dim=0)
    if depth:
        first = sorted({(*c, end)[depth] for c in choices})
    return p, math.log(float(free[first].sum()))


def greedy(model: LocalModel, rendered: Rendered, max_tokens: int) -> list[int]:
    """The most probable token, again and again, each from a whole new pass."""
    ids, written = list(model.codec.encode(rendered).ids), []
    while len(written) < max_tokens and not set(written[-1:]) & model.codec.end_ids:
        written.append(int(slow_logits(model._forward.model, ids + written).argmax()))
    return written


def spread(p: np.ndarray) -> float:
    """How much the rows differ: a test on equal rows would prove nothing."""
    return float(np.ptp(p, axis=0).max())
