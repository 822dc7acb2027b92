"""Small labelled tables and the tasks made of them, for the tests of both stages."""

import random
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from modules.lm import LocalModel, load_model
from modules.tasks import SplitSizes, TaskSpec, load_task
from modules.tasks.example import Task
from tests import tiny

LABELS = ("negative", "positive")
SIZES = SplitSizes(train=24, dev=60, confirm=30, test=40)


def write_table(path: Path, labels: Sequence[str] = LABELS, n: int = 560) -> Path:
    """Write a CSV of `n` short texts, all different, the labels in turn."""
    rng = random.Random(7)
    rows = [
        {
            "text": " ".join("".join(rng.choices("abdegilmnorst", k=4)) for _ in range(3)),
            "label": labels[i % len(labels)],
        }
        for i in range(n)
    ]
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def file_task(
    folder: Path,
    labels: Sequence[str] = LABELS,
    *,
    sizes: SplitSizes = SIZES,
    seed: int = 0,
    meanings: dict[str, str] | None = None,
) -> Task:
    """Load the task of such a table, which is written into `folder`."""
    path = write_table(folder / "table.csv", labels)
    spec = TaskSpec(name="file", data=path, sizes=sizes, meanings=meanings)
    task, _ = load_task(spec, seed)
    return task


def model_folder(folder: Path, *, chat: bool = False) -> Path:
    """Write a tiny Llama, with or without a chat template, as a folder."""
    tokenizer = (
        tiny.byte_level_tokenizer() if chat else tiny.byte_level_tokenizer(None, adds_bos=True)
    )
    return tiny.save(folder, tiny.tiny_llama(len(tokenizer), seed=3), tokenizer)


def tiny_model(folder: Path) -> LocalModel:
    """Load a folder in float64, where equal arithmetic gives equal bits."""
    return load_model(str(folder), dtype="float64")
