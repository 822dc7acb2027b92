"""Prices: what label answers cost in forward tokens, before any is asked for."""

from collections.abc import Sequence

from modules.lm import LocalModel
from modules.prompts import Demo, Prompt, answers, render
from modules.tasks.example import Example, Task

ROOM_TOKENS = 512
"""What is left free, in contexts and in budgets, for an instruction that grows."""

_MAX_CHARS = 100_000  # what a Demo holds


def choose_tokens(
    model: LocalModel, prompt: Prompt, texts: Sequence[str], *, apart: bool = False
) -> int:
    """Give the forward tokens that `LocalModel.choose` charges for a prompt's labels.

    Args:
        model: whose tokens are counted.
        prompt: gives the rendering and the label words.
        texts: the inputs.
        apart: as if each text were asked alone, as DSPy asks, of a program whose shared part is
            charged already; otherwise all in one call, the shared part with them.
    """
    rendered = [render(prompt, text) for text in texts]
    if apart:
        return sum(model.cost([one], answers(prompt), with_shared=False) for one in rendered)
    return model.cost(rendered, answers(prompt))


def largest_prompt(
    model: LocalModel, task: Task, naive: Prompt, demos: Sequence[Example], n_demos: int
) -> Prompt:
    """Give the naive prompt with the `n_demos` demos that have most tokens."""
    texts = sorted(
        (example.inputs[task.input_field] for example in demos),
        key=lambda text: len(model.codec.plain(text)),
        reverse=True,
    )
    shown = tuple(Demo(text=text, label=task.label_names[0]) for text in texts[:n_demos])
    return naive.model_copy(update={"demos": shown})


def short_enough(
    model: LocalModel, task: Task, naive: Prompt, examples: Sequence[Example], n_demos: int
) -> list[Example]:
    """Give the examples of which any `n_demos` fit as demos beside the longest dev or confirm text.

    That is, each takes at most an even share of the context that is left free.
    """
    asked = [*task.splits.dev, *task.splits.confirm]
    longest = max(model.count_tokens(render(naive, e.inputs[task.input_field])) for e in asked)
    share = (model.context - longest - ROOM_TOKENS) // max(1, n_demos)
    empty = model.count_tokens(render(naive, ""))
    kept = []
    for example in examples:
        text = example.inputs[task.input_field]
        if len(text) > _MAX_CHARS:
            continue
        shown = naive.model_copy(update={"demos": (Demo(text=text, label=example.label),)})
        if model.count_tokens(render(shown, "")) - empty <= share:
            kept.append(example)
    return kept
