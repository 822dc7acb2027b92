"""Demonstrations: numbered sets of train examples, balanced over the labels."""

import random
from collections.abc import Sequence

from modules.prompts import Demo
from modules.tasks.example import Example, Task

_MAX_CHARS = 100_000  # what a Demo holds, and more than a small model's context


POOLS = ("any", "short")
"""Where demos come from: the whole train split, or the shortest third of each label."""


def demo_set(task: Task, pool: str, number: int, n_demos: int, seed: int) -> tuple[Demo, ...]:
    """Give the first `n_demos` demos of a numbered set.

    A set is an order of the pool in which any stretch of as many demos as there are
    labels holds each label once (while they last), shuffled inside the stretch. Fewer demos are the
    beginning of more, so what a trial teaches of a set holds for its neighbours too. Texts beyond
    `_MAX_CHARS` are no demos.
    """
    rng = random.Random(f"{seed}:{pool}:{number}")
    by_label: dict[str, list[Example]] = {name: [] for name in task.label_names}
    for example in task.splits.train:
        if len(example.inputs[task.input_field]) <= _MAX_CHARS:
            by_label[example.label].append(example)
    if pool == "short":
        by_label = {name: _shortest_third(task, found) for name, found in by_label.items()}
    for found in by_label.values():
        rng.shuffle(found)
    ordered: list[Example] = []
    while any(by_label.values()) and len(ordered) < n_demos:
        stretch = [found.pop() for found in by_label.values() if found]
        rng.shuffle(stretch)
        ordered += stretch
    return tuple(_demo(task, example) for example in ordered[:n_demos])


def demo_counts(n_labels: int) -> Sequence[int]:
    """Give the numbers of demos worth trying: none, or a few for every label."""
    return tuple(n_labels * k for k in (0, 1, 2, 4, 8) if k <= 4 or n_labels * k <= 16)


def _shortest_third(task: Task, examples: Sequence[Example]) -> list[Example]:
    """Give the shortest third, rounded up, of some examples; ties go by id."""
    ordered = sorted(examples, key=lambda e: (len(e.inputs[task.input_field]), e.id))
    return ordered[: -(-len(ordered) // 3)]


def _demo(task: Task, example: Example) -> Demo:
    return Demo(text=example.inputs[task.input_field], label=example.label)
