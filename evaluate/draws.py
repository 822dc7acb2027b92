"""Draws: what a prompt answers on held-out examples, as records for the rows.

Both decodings, all temperatures and seeds. `choose` scores each example once and draws from that
distribution; `generate` writes text and parses it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from modules.lm import Choices, GenerateRequest, LocalModel, Sampling, draw_index, stream
from modules.prompts import Prompt, answers, apply_bias, parse_answer, render
from modules.tasks.example import Example, Task

Array = NDArray[np.float64]
Progress = Callable[[int], None]
Record = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One prompt in the comparison: its name there ("naive", "frozen") and itself."""

    name: str
    prompt: Prompt


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which draws to make: temperatures, seeds, and the length of generated answers in tokens.

    `choose` is also reported at temperature 0, its most probable answer, which costs nothing.
    """

    temperatures: tuple[float, ...]
    seeds: tuple[int, ...]
    max_tokens: int


def choose_records(
    model: LocalModel,
    task: Task,
    entry: Entry,
    examples: Sequence[Example],
    plan: Plan,
    progress: Progress | None = None,
) -> Iterator[Record]:
    """Score the examples once and give their answers at temperature 0 and at every other one.

    At a temperature T the label is drawn from the constrained decoder's distribution at T with the
    prompt's bias in it: log p is proportional to (log-probability + bias) / T.
    """
    prompts = [render(entry.prompt, example.inputs[task.input_field]) for example in examples]
    scored = model.choose(prompts, answers(entry.prompt), progress)
    bias = np.array(entry.prompt.bias)
    p = np.exp(apply_bias(np.maximum(scored.log_probabilities(), -1e3), bias))
    cells = [(0.0, plan.seeds[0])]
    cells += [(t, seed) for t in plan.temperatures if t > 0 for seed in plan.seeds]
    for temperature, seed in cells:
        picked = _picked(scored, bias, temperature, seed, examples, p)
        for number, (example, at) in enumerate(zip(examples, picked, strict=True)):
            answer = task.label_names[at]
            yield {
                **_common(model, task, entry, example, "choose", temperature, seed),
                "answer": answer,
                "outcome": "ok",
                "correct": answer == example.label,
                "probabilities": p[number].tolist(),
                "confidence": float(p[number, at]),
                "p_gold": float(p[number, task.label_names.index(example.label)]),
                "text": None,
                "n_input_tokens": scored.n_input_tokens[number],
                "n_output_tokens": 1,
            }


def generate_records(
    model: LocalModel,
    task: Task,
    entry: Entry,
    examples: Sequence[Example],
    plan: Plan,
    progress: Progress | None = None,
) -> Iterator[Record]:
    """Write an answer for every example, temperature and seed, and parse it.

    A text that names no label, or several, is invalid: an outcome of its own, not a guess.
    """
    prompts = [render(entry.prompt, example.inputs[task.input_field]) for example in examples]
    cells = [
        (temperature, seed, number)
        for temperature in plan.temperatures
        for seed in plan.seeds
        for number in range(len(examples))
    ]
    requests = [
        GenerateRequest(
            prompt=prompts[number],
            sampling=Sampling(temperature=temperature, max_tokens=plan.max_tokens),
            key=("generate", seed, examples[number].id, temperature),
        )
        for temperature, seed, number in cells
    ]
    done = model.generate(requests, progress)
    for (temperature, seed, number), completion in zip(cells, done, strict=True):
        example = examples[number]
        answer = parse_answer(entry.prompt, completion.text)
        yield {
            **_common(model, task, entry, example, "generate", temperature, seed),
            "answer": answer,
            "outcome": "invalid" if answer is None else "ok",
            "correct": answer == example.label,
            "probabilities": None,
            "confidence": float("nan"),
            "p_gold": float("nan"),
            "text": completion.text,
            "n_input_tokens": completion.n_input_tokens,
            "n_output_tokens": completion.n_output_tokens,
        }


def _picked(
    scored: Choices,
    bias: Array,
    temperature: float,
    seed: int,
    examples: Sequence[Example],
    p: Array,
) -> list[int]:
    """Pick a label index per example: the most probable, or a draw from its own random stream."""
    if temperature == 0:
        return [int(at) for at in p.argmax(axis=1)]
    logp = np.maximum(scored.log_probabilities(temperature), -1e3)
    hot = np.exp(apply_bias(logp, bias, temperature))
    return [
        draw_index(row, float(stream("choose", seed, example.id, temperature).random()))
        for row, example in zip(hot, examples, strict=True)
    ]


def _common(
    model: LocalModel,
    task: Task,
    entry: Entry,
    example: Example,
    decoding: str,
    temperature: float,
    seed: int,
) -> Record:
    return {
        "task": task.name,
        "model": model.identity.name,
        "prompt": entry.name,
        "prompt_id": entry.prompt.identity(),
        "decoding": decoding,
        "temperature": temperature,
        "seed": seed,
        "example_id": example.id,
        "gold": example.label,
    }
