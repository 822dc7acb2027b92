"""A found program: what of a DSPy program can be frozen, as a value that can be compared."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modules.prompts import Demo, Part, Prompt
from modules.tasks.example import Task


@dataclass(frozen=True, kw_only=True)
class Found:
    """What an optimizer changed in a program of one predictor.

    `demos` are (text, label) pairs in order. `weights` are the factors, in label order, by which
    ReAnchor multiplies the labels' probabilities; None elsewhere. Equal programs are equal values.
    """

    instructions: str
    demos: tuple[tuple[str, str], ...] = ()
    weights: tuple[float, ...] | None = None

    def prompt(self, naive: Prompt, own_instructions: str) -> Prompt:
        """Freeze the program: the prompt that reads as `PromptAdapter` renders the program.

        Args:
            naive: the prompt that the program was run through; gives layout and label words.
            own_instructions: the task's, for which the naive instruction stands as it is.

        Raises:
            ValidationError: an instruction or a demo is longer than a prompt may hold.
        """
        instruction = naive.instruction
        if self.instructions != own_instructions:
            instruction = (Part(role="task", text=self.instructions),)
        return Prompt(
            layout=naive.layout,
            instruction=instruction,
            demos=tuple(Demo(text=text, label=label) for text, label in self.demos),
            words=naive.words,
            bias=naive.bias if self.weights is None else log_bias(self.weights),
        )


def log_bias(weights: tuple[float, ...]) -> tuple[float, ...]:
    """Give factors on probabilities as a bias on log-probabilities, with mean zero, in nats.

    Every factor must be above 0. Multiplying by w and renormalising is adding log w.
    """
    logs = [math.log(weight) for weight in weights]
    mean = math.fsum(logs) / len(logs)
    return tuple(log - mean for log in logs)


def is_task_program(module: Any, task: Task) -> bool:
    """Say whether a DSPy module is a predictor of the task, and no proposer's."""
    signature = getattr(module, "signature", None)
    return (
        signature is not None
        and list(signature.input_fields) == [task.input_field]
        and list(signature.output_fields) == [task.output_field]
    )


def found_in(predictor: Any, task: Task) -> Found:
    """Read a predictor of the task. Demos without the input or with no valid label are left out."""
    demos = tuple(
        (str(demo[task.input_field]), str(demo[task.output_field]))
        for demo in predictor.demos
        if task.input_field in demo and str(demo.get(task.output_field)) in task.label_names
    )
    return Found(
        instructions=predictor.signature.instructions,
        demos=demos,
        weights=_weights(getattr(predictor, "fields", {}), task),
    )


def _weights(fields: Mapping[str, Any], task: Task) -> tuple[float, ...] | None:
    weights = fields.get(task.output_field, {}).get("weights")
    if weights is None:
        return None
    return tuple(float(weights.get(label, 1.0)) for label in task.label_names)
