"""Tasks: labelled examples, their splits, signatures and metrics.

    from modules.tasks import TaskSpec, load_task

    task, report = load_task(TaskSpec(name="snippets"), seed=0)
    print("\\n".join(report.lines()))
    print(task.splits.train[0].inputs, task.splits.train[0].label)

This is the public surface; everything else under `modules.tasks` may change.
"""

from modules.tasks.example import Example, Label, SealedSplit, Splits, Task
from modules.tasks.metrics import METRICS, dspy_metric, get_metric
from modules.tasks.registry import load_task
from modules.tasks.spec import FILE_TASK, TASK_NAMES, TaskSpec
from modules.tasks.split_report import SplitReport, half_width
from modules.tasks.splits import SPLIT_NAMES, SplitSizes, digest, make_splits

__all__ = [
    "FILE_TASK",
    "METRICS",
    "SPLIT_NAMES",
    "TASK_NAMES",
    "Example",
    "Label",
    "SealedSplit",
    "SplitReport",
    "SplitSizes",
    "Splits",
    "Task",
    "TaskSpec",
    "digest",
    "dspy_metric",
    "get_metric",
    "half_width",
    "load_task",
    "make_splits",
]
