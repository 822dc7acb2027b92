"""The grid: models x prompts x temperatures x seeds on the sealed test split, in both decodings."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tqdm.auto import tqdm

from evaluate.draws import Entry, Plan, Record, choose_records, generate_records
from modules.errors import UserError
from modules.lm import LocalModel, PromptTooLong
from modules.programs.naive import naive_prompt
from modules.prompts import Artifact
from modules.tasks import SplitReport, TaskSpec, load_task
from modules.tasks.example import Example, Task


@dataclass(frozen=True, kw_only=True)
class Timing:
    """How long one cell took; kept apart from the rows, which hold no times.

    `n_reused_tokens` were not run: the answer cache, or another prompt of the cell, had them.
    """

    model: str
    prompt: str
    decoding: str
    n_answers: int
    n_reused_tokens: int
    seconds: float


def load_sealed_task(artifacts: Sequence[Artifact]) -> tuple[Task, SplitReport]:
    """Load the task that the artifacts were made for, with the very same splits.

    Raises:
        UserError: they were made for different splits, or the data changed since.
    """
    records = [artifact.task for artifact in artifacts]
    first = records[0]
    if any(record.test_hash != first.test_hash for record in records):
        raise UserError("these artifacts have different test splits; evaluate them one by one")
    task, report = load_task(TaskSpec.from_json(first.source), first.split_seed)
    if (task.data_hash, task.splits.test.digest) != (first.data_hash, first.test_hash):
        raise UserError(
            f"the data of the task {first.name} is not what the prompts were frozen on: its "
            f"digest is {task.data_hash[:12]}, theirs {first.data_hash[:12]}; search again"
        )
    return task, report


def model_records(
    model: LocalModel,
    task: Task,
    frozen: Artifact,
    plan: Plan,
    *,
    test: Sequence[Example],
    n_generated: int,
    timed: Callable[[Timing], None],
) -> Iterator[Record]:
    """Give all records of one model: the naive and the frozen prompt, in both decodings.

    Args:
        model: the model.
        task: its labels and fields.
        frozen: the artifact to prove.
        plan: temperatures, seeds, length.
        test: the unsealed test split.
        n_generated: how many of its first examples are also answered by generation, which costs
            far more than choosing; the split's order is random, so they are a random sample.
        timed: told how long each cell took.

    Raises:
        UserError: a prompt with one of the texts does not fit into the model's context.
    """
    entries = [
        Entry(name="naive", prompt=naive_prompt(task, is_chat=model.has_chat_template)),
        Entry(name="frozen", prompt=frozen.prompt),
    ]
    n_cells = len(plan.temperatures) * len(plan.seeds)
    for entry in entries:
        with _cell(model, entry, "choose", len(test), timed) as progress:
            yield from choose_records(model, task, entry, test, plan, progress)
        some = test[:n_generated]
        if some and plan.temperatures:
            with _cell(model, entry, "generate", len(some) * n_cells, timed) as progress:
                yield from generate_records(model, task, entry, some, plan, progress)


@contextmanager
def _cell(
    model: LocalModel,
    entry: Entry,
    decoding: str,
    n_answers: int,
    timed: Callable[[Timing], None],
) -> Iterator[Callable[[int], None]]:
    label = f"  {model.identity.name}, {entry.name}, {decoding}"
    start = time.perf_counter()
    reused = model.ledger.account.reused_tokens
    with tqdm(total=n_answers, desc=label, unit="answer", leave=False, disable=None) as bar:

        def progress(n: int) -> None:
            bar.update(n)

        try:
            yield progress
        except PromptTooLong as error:
            raise UserError(f"{label.strip()}: {error}") from error
    timed(
        Timing(
            model=model.identity.name,
            prompt=entry.name,
            decoding=decoding,
            n_answers=n_answers,
            n_reused_tokens=model.ledger.account.reused_tokens - reused,
            seconds=time.perf_counter() - start,
        )
    )


def timing_json(timings: Sequence[Timing]) -> list[dict[str, Any]]:
    """Give the timings as plain mappings, seconds rounded to milliseconds."""
    return [
        {
            "model": timing.model,
            "prompt": timing.prompt,
            "decoding": timing.decoding,
            "n_answers": timing.n_answers,
            "n_reused_tokens": timing.n_reused_tokens,
            "seconds": round(timing.seconds, 3),
        }
        for timing in timings
    ]
