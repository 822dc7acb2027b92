"""The tasks by name: from a specification to a task with its splits.

Owns which loader, nouns, labels and fields belong to which name; the parts do the work.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from modules.errors import UserError
from modules.tasks.example import Label, Task
from modules.tasks.imdb import load_imdb
from modules.tasks.loaded import Loaded
from modules.tasks.signature import build_signature, field_name
from modules.tasks.spec import FILE_TASK, TaskSpec
from modules.tasks.split_report import SplitReport
from modules.tasks.splits import make_splits
from modules.tasks.table import label_names, load_table
from modules.tasks.vader import load_vader


class _Parts(NamedTuple):
    """What a task is made of besides its splits."""

    loaded: Loaded
    noun: str
    input_field: str
    output_field: str
    labels: tuple[Label, ...]
    aspect: str | None


class _Kind(NamedTuple):
    noun: str
    input_field: str


_SENTIMENT = {
    "snippets": _Kind("movie review", "review"),
    "products": _Kind("product review", "review"),
    "tweets": _Kind("tweet", "tweet"),
    "editorials": _Kind("newspaper editorial sentence", "sentence"),
    "imdb": _Kind("movie review", "review"),
}


def load_task(spec: TaskSpec, seed: int) -> tuple[Task, SplitReport]:
    """Load a task, split it, and give it with the account of the splitting.

    The same specification, seed and data give the same task. `Task.source` is the specification
    as JSON, with the hub's commit filled in: `TaskSpec.from_json(task.source)` loads it again.

    Raises:
        UserError: the data cannot be had, or not be made a task (see the loaders and
            `make_splits`).
    """
    parts = _file_parts(spec) if spec.name == FILE_TASK else _sentiment_parts(spec)
    loaded = parts.loaded
    names = tuple(label.name for label in parts.labels)
    splits, report = make_splits(loaded.examples, names, seed, spec.sizes)
    task = Task(
        name=task_name(spec),
        noun=parts.noun,
        signature=build_signature(
            input_field=parts.input_field,
            output_field=parts.output_field,
            noun=parts.noun,
            labels=parts.labels,
            aspect=parts.aspect,
        ),
        labels=parts.labels,
        metric="accuracy",
        splits=splits,
        data_hash=report.data_hash,
        source=replace(spec, revision=loaded.revision).to_json(),
    )
    return task, replace(report, n_read=loaded.n_read, left_out=loaded.left_out)


def task_name(spec: TaskSpec) -> str:
    """Name the task; two tables of the user's are two tasks: `file-` and the file's own name."""
    return spec.name if spec.data is None else f"{FILE_TASK}-{spec.data.name.partition('.')[0]}"


def _sentiment_parts(spec: TaskSpec) -> _Parts:
    noun, input_field = _SENTIMENT[spec.name]
    if spec.name == "imdb":
        loaded = load_imdb(input_field, spec.data_folder, spec.revision)
    else:
        loaded = load_vader(spec.name, input_field)
    labels = (
        Label(name="negative", meaning=f"the {noun} expresses an unfavourable feeling or opinion"),
        Label(name="positive", meaning=f"the {noun} expresses a favourable feeling or opinion"),
    )
    return _Parts(loaded, noun, input_field, "sentiment", labels, "sentiment")


def _file_parts(spec: TaskSpec) -> _Parts:
    text_column = "text" if spec.text_column is None else spec.text_column
    label_column = "label" if spec.label_column is None else spec.label_column
    path = Path() if spec.data is None else spec.data
    input_field = field_name(text_column, taken="label")
    loaded = load_table(path, text_column, label_column, input_field)
    labels = _with_meanings(label_names(loaded.examples), spec.meanings or {})
    return _Parts(loaded, "text", input_field, "label", labels, None)


def _with_meanings(names: Sequence[str], meanings: Mapping[str, str]) -> tuple[Label, ...]:
    unknown = sorted(set(meanings) - set(names))
    if unknown:
        raise UserError(
            f"a meaning must belong to a label of the data, which has {', '.join(names)}; got one "
            f"for {unknown[0]!r}"
        )
    return tuple(Label(name=name, meaning=meanings.get(name, "")) for name in names)
