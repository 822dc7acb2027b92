"""The sealed test split: opened here, and only for prompts that were frozen without it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from modules.errors import UserError
from modules.prompts import Artifact
from modules.tasks import SplitReport, TaskSpec, load_task
from modules.tasks.example import Example, Task
from modules.tasks.leak import refuse_leak


def load_sealed_task(
    artifacts: Sequence[Artifact], data_folder: Path | None = None
) -> tuple[Task, SplitReport]:
    """Load the task that the artifacts were made for, with the very same splits.

    Args:
        artifacts: at least one.
        data_folder: where the data lie here, for a task that comes from a folder.

    Raises:
        UserError: they were made for different splits, or the data changed since.
    """
    records = [artifact.task for artifact in artifacts]
    first = records[0]
    if any(record.test_hash != first.test_hash for record in records):
        raise UserError("these artifacts have different test splits; evaluate them one by one")
    spec = TaskSpec.from_json(first.source)
    if data_folder is not None:
        spec = replace(spec, data_folder=data_folder, revision=None)
    task, report = load_task(spec, first.split_seed)
    if (task.data_hash, task.splits.test.digest) != (first.data_hash, first.test_hash):
        raise UserError(
            f"the data of the task {first.name} is not what the prompts were frozen on: its "
            f"digest is {task.data_hash[:12]}, theirs {first.data_hash[:12]}; search again"
        )
    return task, report


def open_test(task: Task, artifacts: Sequence[Artifact]) -> tuple[Example, ...]:
    """Open the test split, once it is certain that nothing of it leaked.

    Raises:
        UserError: a test example, or a near duplicate of one, stands in train, dev or confirm, or
            is a demo of a frozen prompt, of any in an ensemble, or one of its probes.
    """
    test = task.splits.test.unseal()
    for name in ("train", "dev", "confirm"):
        refuse_leak(getattr(task.splits, name), test, what=f"the {name} split")
    for artifact in artifacts:
        demos = [demo for prompt in artifact.prompts for demo in prompt.demos]
        shown = [(demo.text, demo.label) for demo in demos]
        shown += [(probe.text, probe.label) for probe in artifact.probes]
        examples = [Example(inputs={task.input_field: t}, label=label) for t, label in shown]
        refuse_leak(examples, test, what=f"the frozen prompt for {artifact.model.name}")
    return test
