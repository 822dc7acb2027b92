"""Freezing: the winner becomes an artifact, with all that is needed to make it again."""

import importlib.metadata
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from modules.lm import LocalModel
from modules.lm.recorded import record_of
from modules.prompts import Artifact, reading
from modules.prompts.records import LabelRecord, Probe, SearchRecord, TaskRecord
from modules.tasks.example import Task
from optimize.finish.ensemble import Ensemble

Array = NDArray[np.float64]

N_PROBES = 8
_MAX_PROBE_CHARS = 20_000
_LIBRARIES = ("burnish", "dspy", "numpy", "optuna", "scipy", "tokenizers", "torch", "transformers")


def build_artifact(
    task: Task,
    model: LocalModel,
    frozen: Ensemble,
    search: SearchRecord,
    command: str,
) -> Artifact:
    """Put what is frozen and its provenance together; sealing and writing is `save_artifact`'s.

    Args:
        task: the task, with its splits.
        model: the model that was searched for.
        frozen: the winner, or the prompts that answer together.
        search: how it was found.
        command: the command line.
    """
    winner = frozen.finalist
    return Artifact(
        prompt=winner.prompt,
        members=frozen.members,
        prompt_id=winner.prompt.identity(),
        reading=reading(winner.prompt),
        scores={"dev": winner.dev, "confirm": winner.confirm},
        task=_task_record(task, search.seed),
        model=record_of(model),
        search=search,
        probes=_probes(task, frozen.recorded),
        versions={name: importlib.metadata.version(name) for name in _LIBRARIES},
        command=command,
    )


def _task_record(task: Task, split_seed: int) -> TaskRecord:
    return TaskRecord(
        name=task.name,
        source=dict(task.source),
        split_seed=split_seed,
        sizes=task.splits.sizes(),
        data_hash=task.data_hash,
        test_hash=task.splits.test.digest,
        metric=task.metric,
        input_field=task.input_field,
        output_field=task.output_field,
        labels=tuple(LabelRecord(name=label.name, meaning=label.meaning) for label in task.labels),
    )


def _probes(task: Task, recorded: Array) -> tuple[Probe, ...]:
    """Give the first confirm examples, whose order is random, with their log-probabilities.

    Very long texts are passed over: the file is meant to be read.
    """
    found = (
        Probe(
            example_id=example.id,
            text=example.inputs[task.input_field],
            label=example.label,
            log_probabilities=tuple(row),
        )
        for example, row in zip(task.splits.confirm, recorded.tolist(), strict=True)
        if len(example.inputs[task.input_field]) <= _MAX_PROBE_CHARS
    )
    return tuple(islice(found, N_PROBES))
