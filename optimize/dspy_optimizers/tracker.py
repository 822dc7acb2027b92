"""The tracker: which programs an optimizer has run, and how they did, whatever becomes of it.

It listens to the program's own calls, so it sees every optimizer alike, also those that score
programs without `dspy.Evaluate`.
"""

from collections.abc import Callable, Sequence
from typing import Any

from dspy.utils.callback import BaseCallback

from modules.tasks.example import Task
from modules.tasks.metrics import DspyMetric
from modules.wilson import wilson
from optimize.dspy_optimizers.found import Found, found_in, is_task_program

Told = Callable[[int, float], None]


class Tracker(BaseCallback):  # type: ignore[misc]
    """Scores every program by the metric on the examples that rank programs.

    An example counts once for a program, by the last answer: a drawn one gives way to the plain
    one. A call that ended in an error is a wrong answer; one that the budget refused is none.

    Args:
        task: whose programs are tracked.
        scored: the examples (`dspy.Example`) of the split that the optimizer scores programs on.
        metric: says whether one prediction is right.
        told: called with a number (0, 1, ...) and the accuracy of every program, when it has
            answered all of them for the first time.
    """

    def __init__(self, task: Task, scored: Sequence[Any], metric: DspyMetric, told: Told) -> None:
        self._task = task
        self._metric = metric
        self._told = told
        self._examples = {example[task.input_field]: example for example in scored}
        self._answers: dict[Found, dict[str, bool]] = {}
        self._open: dict[str, tuple[Found, Any]] = {}
        self._n_whole = 0

    @property
    def n_programs(self) -> int:
        """The number of different programs that answered at least one of the examples."""
        return len(self._answers)

    def whole(self) -> list[Found]:
        """Give the programs that answered every example, best first."""
        return [p for p in self.ranked() if len(self._answers[p]) == len(self._examples)]

    def ranked(self) -> list[Found]:
        """Give the programs, best first: those that answered every example, by accuracy.

        Those that answered at least half follow, by the lower end of their Wilson interval, and
        the earlier of two equals comes first.
        """
        n = len(self._examples)
        order = {program: number for number, program in enumerate(self._answers)}

        def key(program: Found) -> tuple[bool, float, int]:
            right = list(self._answers[program].values())
            return len(right) < n, -wilson(sum(right), len(right)).low, order[program]

        return sorted((p for p, right in self._answers.items() if 2 * len(right) >= n), key=key)

    def on_module_start(self, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        """Note which program is asked about which example."""
        if not is_task_program(instance, self._task):
            return
        text = inputs.get("kwargs", {}).get(self._task.input_field)
        example = self._examples.get(text)
        if example is not None:
            self._open[call_id] = found_in(instance, self._task), example

    def on_module_end(
        self, call_id: str, outputs: Any | None, exception: BaseException | None = None
    ) -> None:
        """Score the answer."""
        asked = self._open.pop(call_id, None)
        if asked is None or (exception is not None and not isinstance(exception, Exception)):
            return
        program, example = asked
        prediction = outputs[0] if isinstance(outputs, tuple) else outputs  # GEPA adds its trace
        right = exception is None and self._metric(example, prediction)
        answers = self._answers.setdefault(program, {})
        is_new = example[self._task.input_field] not in answers
        answers[example[self._task.input_field]] = right
        if is_new and len(answers) == len(self._examples):
            self._told(self._n_whole, sum(answers.values()) / len(answers))
            self._n_whole += 1
