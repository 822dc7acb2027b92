"""The majority class: the answer of someone who knows the labels' shares and reads nothing."""

from collections.abc import Sequence

import numpy as np

from modules.tasks.example import Example, Task

MAJORITY = "majority class"


def majority_label(task: Task, seen: Sequence[Example]) -> str:
    """Give the label that most of `seen` have, the first of equals in the task's order.

    Args:
        task: gives the order of the labels.
        seen: at least one example, each with a label of the task.
    """
    counts = np.bincount(task.gold(seen), minlength=len(task.label_names))
    return task.label_names[int(counts.argmax())]
