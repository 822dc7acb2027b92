"""The setting of a run: everything that a compile function is given."""

from dataclasses import dataclass
from typing import Any

import dspy

from modules.programs import PromptAdapter
from modules.tasks.example import Task
from modules.tasks.metrics import DspyMetric

WRITER_TOKENS = 100
"""Tokens of one written field. Small models do not stop by themselves."""
OTHER_WRITER_TOKENS = 400
"""The same of a writer that is not the task's own model, and better."""
WRITER_TEMPERATURE = 0.8


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What an optimizer compiles with.

    `train` and `dev` are lists of `dspy.Example`, train shuffled by the seed, which is the one
    source of variety that every optimizer takes. `n_demos` demos fit into the context, and
    `n_bootstrapped` of them may be bootstrapped. `n_calls` is the number of answers that the budget
    pays, by forecast; the ledger is what stops.
    `writer` proposes instructions, and `teacher` is it where it is not the task's own model.
    """

    task: Task
    student: dspy.Predict
    adapter: PromptAdapter
    train: list[Any]
    dev: list[Any]
    metric: DspyMetric
    seed: int
    n_demos: int
    n_bootstrapped: int
    n_calls: int
    writer: dspy.LM
    teacher: dspy.LM | None

    @property
    def teacher_settings(self) -> dict[str, Any]:
        """What DSPy's bootstrapping optimizers take for their teacher."""
        return {} if self.teacher is None else {"lm": self.teacher}
