"""The self-check: is every answer on this machine the same, however it is computed?

Sixty-four prompts of uneven length are scored in one call; then again in other batches, in another
order, with one and two threads, and from cold and kept keys: on a CPU the bits must be equal. A few
are scored one by one in float64 with nothing shared, which says how much the dtype costs.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from modules.lm.choices import Choices
from modules.lm.forward import Forward
from modules.lm.model import GenerateRequest, LocalModel
from modules.lm.sampling import Sampling
from modules.prompts.prompt import Demo, LabelWord, Layout, Part, Prompt
from modules.prompts.render import Rendered, render

Array = NDArray[np.float64]

N_PROMPTS = 64
BATCH_SIZES = (1, 3, 8)
N_REFERENCE = 8
N_WRITTEN = 8

# Choices of one token and of two, one the beginning of another.
WORDS = ("positive", "negative", "not", "not good")
_PHRASES = (
    "An instant classic.",
    "The plot goes nowhere, and slowly;",
    "I would watch it again 👍",
    "two hours of my life that I will not get back.",
    "It is what it is",
    "Naïve, charming - and <|im_end|> short.",
    "The actors did what they could with so little.",
)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One comparison: what was compared, whether all bits are equal, the largest difference.

    Differences are between log-probabilities, except for texts, where they count unequal ones.
    """

    what: str
    equal: bool
    difference: float


def prompts() -> dict[str, list[Rendered]]:
    """Give the prompts: with demos in front, and with the instruction behind the input."""
    rng = random.Random(0)
    texts = [" ".join(rng.choices(_PHRASES, k=1 + n % 2)) for n in range(N_PROMPTS)]
    labels = [f"label{n}" for n in range(len(WORDS))]
    instruction = (Part(role="task", text="Say what the review is."),)
    plain = Prompt(
        layout=Layout(kind="text", input_lead="Review:", answer_lead="It is"),
        instruction=instruction,
        demos=tuple(Demo(text=_PHRASES[n], label=labels[n]) for n in range(2)),
        words=tuple(LabelWord(label=a, word=b) for a, b in zip(labels, WORDS, strict=True)),
        bias=(0.0,) * len(WORDS),
    )
    behind = plain.model_copy(
        update={
            "layout": plain.layout.model_copy(update={"instruction": "after"}),
            "demos": (),
        }
    )
    return {
        "demos in front": [render(plain, text) for text in texts],
        "instruction behind": [render(behind, text) for text in texts],
    }


def check(model: LocalModel, told: Callable[[Finding], None]) -> bool:
    """Run every comparison, telling each; give whether all that must be equal is.

    On a CPU that is everything but the precision; elsewhere nothing is promised.
    """
    all_equal = True
    kept, model.answers = model.answers, None
    try:
        for kind, rendered in prompts().items():
            for finding in _choices(model, kind, rendered):
                told(finding)
                all_equal &= finding.equal
            told(_precision(model, kind, rendered[:N_REFERENCE]))
        for finding in _texts(model, prompts()["demos in front"][:N_REFERENCE]):
            told(finding)
            all_equal &= finding.equal
    finally:
        model.answers = kept
    return all_equal


def _choices(model: LocalModel, kind: str, rendered: list[Rendered]) -> Iterator[Finding]:
    words = [f" {word}" for word in WORDS]
    forward = model._forward
    forward.forget()
    base = model.choose(rendered, words)
    yield _finding(f"{kind}: warm", base, model.choose(rendered, words))
    for size in BATCH_SIZES:
        forward.forget()
        parts = [
            model.choose(rendered[at : at + size], words) for at in range(0, len(rendered), size)
        ]
        yield _finding(f"{kind}: {size} at a time", base, *parts)
    order = random.Random(1).sample(range(len(rendered)), len(rendered))
    forward.forget()
    moved = model.choose([rendered[n] for n in order], words)
    back = np.argsort(order)
    yield _finding(f"{kind}: another order", base, *(moved.split()[n] for n in back))
    with _few_tokens(forward):
        yield _finding(f"{kind}: small passes", base, model.choose(rendered, words))
    threads = torch.get_num_threads()
    for n_threads in (1, 2):
        torch.set_num_threads(n_threads)
        try:
            forward.forget()
            again = model.choose(rendered, words)
        finally:
            torch.set_num_threads(threads)
        yield _finding(f"{kind}: {n_threads} thread{'s' * (n_threads > 1)}", base, again)


def _texts(model: LocalModel, rendered: Sequence[Rendered]) -> Iterator[Finding]:
    for temperature in (0.0, 0.8):
        sampling = Sampling(temperature=temperature, max_tokens=N_WRITTEN)
        asked = [
            GenerateRequest(prompt=prompt, sampling=sampling, key=("check", n))
            for n, prompt in enumerate(rendered)
        ]
        together = [done.text for done in model.generate(asked)]
        alone = [model.generate([one])[0].text for one in asked]
        n_other = sum(a != b for a, b in zip(together, alone, strict=True))
        what = f"texts at {temperature:g}: one at a time"
        yield Finding(what=what, equal=n_other == 0, difference=n_other)


def _precision(model: LocalModel, kind: str, rendered: Sequence[Rendered]) -> Finding:
    """Compare with every token recomputed, one sequence at a time, in float64."""
    words = [f" {word}" for word in WORDS]
    got = model.choose(rendered, words)
    weights = model._forward.model
    dtype = weights.dtype
    weights.to(torch.float64)  # type: ignore[arg-type]
    try:
        exact = np.array([_walk(model, prompt, words) for prompt in rendered])
    finally:
        weights.to(dtype)  # type: ignore[arg-type]
        model._forward.forget()
    difference = float(np.abs(got.log_probabilities() - exact).max())
    return Finding(what=f"{kind}: float64, nothing shared", equal=True, difference=difference)


@torch.inference_mode()
def _walk(model: LocalModel, prompt: Rendered, words: Sequence[str]) -> list[float]:
    """Give constrained decoding's log-probabilities, walking the choices' trie step by step."""
    encoded = model.codec.encode(prompt)
    ended = [(*model.codec.answer_ids(encoded.anchor, word), encoded.end) for word in words]
    found = []
    for target in ended:
        total = 0.0
        for n in range(len(target)):
            ways = sorted({ids[n] for ids in ended if ids[:n] == target[:n]})
            if len(ways) > 1:
                logits = _logits(model, encoded.ids + target[:n])[ways]
                total += float(torch.log_softmax(logits, dim=0)[ways.index(target[n])])
        found.append(total)
    return found


def _logits(model: LocalModel, ids: Sequence[int]) -> Tensor:
    weights = model._forward.model
    logits = weights(torch.tensor([ids], device=model._forward.device), use_cache=False).logits
    assert isinstance(logits, Tensor)
    return logits[0, -1].double()


def _finding(what: str, base: Choices, *parts: Choices) -> Finding:
    one, other = (np.concatenate([_numbers(part) for part in some]) for some in ((base,), parts))
    return Finding(
        what=what,
        equal=one.tobytes() == other.tobytes(),
        difference=float(np.abs(one - other).max()),
    )


def _numbers(choices: Choices) -> Array:
    return np.hstack([choices.log_probabilities(), choices.free_mass[:, None]])


@contextmanager
def _few_tokens(forward: Forward) -> Iterator[None]:
    kept, forward.batch_tokens = forward.batch_tokens, 100
    forward.forget()
    try:
        yield
    finally:
        forward.batch_tokens = kept
