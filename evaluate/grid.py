"""The grid: every prompt of a model on the sample, in blocks that a killed run need not repeat."""

import importlib.metadata
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from tqdm.auto import tqdm

from evaluate.draws import (
    Entry,
    Plan,
    Record,
    choose_records,
    generate_records,
    thinking_records,
)
from evaluate.row_journal import Block, RowJournal
from evaluate.rows import SCHEMA_VERSION
from evaluate.run_record import TimingRecord
from modules.files import canonical_json, sha256_text
from modules.lm import LocalModel
from modules.tasks.example import Example, Task

Way = Literal["choose", "generate", "think"]

_DRAWS = 1  # raised when the same block would get other rows
_RECORDS = {"choose": choose_records, "generate": generate_records, "think": thinking_records}
_BLOCK = {"choose": 128, "generate": 32, "think": 16}
_LIBRARIES = ("torch", "transformers", "tokenizers")


@dataclass(frozen=True, kw_only=True)
class Grid:
    """What every prompt is asked: the sample, how many of it in writing, and the draws.

    The first `n_generated` examples of the sample are also answered in writing, which costs far
    more than choosing; a prompt with reasons answers those alone. The sample's order is random, so
    they are a random sample too.
    """

    task: Task
    sample: tuple[Example, ...]
    n_generated: int
    plan: Plan

    def ways(self, entry: Entry) -> list[tuple[Way, tuple[Example, ...]]]:
        """Give the ways in which a prompt is asked, and the examples of each."""
        some = self.sample[: self.n_generated]
        if entry.thinks:
            ways: list[tuple[Way, tuple[Example, ...]]] = [("think", some)]
        else:
            ways = [("choose", self.sample), ("generate", some)]
        return [(way, examples) for way, examples in ways if examples and self._is_asked(way)]

    def _is_asked(self, way: Way) -> bool:
        return way != "generate" or bool(self.plan.writing)


def prompt_records(
    grid: Grid, model: LocalModel, entry: Entry, journal: RowJournal
) -> tuple[list[Record], list[TimingRecord]]:
    """Give all rows of a prompt, and what each way of asking took.

    Blocks that the journal has are read, others are run and added to it.

    Raises:
        UserError: the model cannot read the prompt, or the disk refuses.
    """
    records: list[Record] = []
    timings = []
    for way, examples in grid.ways(entry):
        blocks = list(_blocks(grid, model, entry, way, examples, journal))
        found = [record for block in blocks for record in block.records]
        records += found
        timings.append(
            TimingRecord(
                model=model.identity.name,
                prompt=entry.name,
                decoding=way,
                n_answers=len(found),
                n_tokens=sum(block.n_tokens for block in blocks),
                n_reused_tokens=sum(block.n_reused_tokens for block in blocks),
                seconds=round(sum(block.seconds for block in blocks), 3),
            )
        )
    return records, timings


def _blocks(
    grid: Grid,
    model: LocalModel,
    entry: Entry,
    way: Way,
    examples: Sequence[Example],
    journal: RowJournal,
) -> Iterator[Block]:
    """Give the blocks of one way of asking, in the order of the examples."""
    size = _BLOCK[way]
    label = f"  {model.identity.name}, {entry.name}, {way}"
    with tqdm(total=len(examples), desc=label, unit="ex", leave=False, disable=None) as bar:
        for start in range(0, len(examples), size):
            some = examples[start : start + size]
            key = _key(grid, model, entry, way, some)
            block = journal.get(key)
            if block is None:
                block = _run(grid, model, entry, way, some)
                journal.put(key, block)
            bar.update(len(some))
            yield block


def _run(
    grid: Grid, model: LocalModel, entry: Entry, way: Way, examples: Sequence[Example]
) -> Block:
    """Run a block."""
    start, before = time.perf_counter(), model.ledger.account
    records = list(_RECORDS[way](model, grid.task, entry, examples, grid.plan))
    after = model.ledger.account
    return Block(
        records,
        time.perf_counter() - start,
        after.forward_tokens - before.forward_tokens,
        after.reused_tokens - before.reused_tokens,
    )


def _key(grid: Grid, model: LocalModel, entry: Entry, way: Way, examples: Sequence[Example]) -> str:
    """Give a block's key: the digest of everything that its rows depend on."""
    identity, plan = model.identity, grid.plan
    parts = [
        [_DRAWS, SCHEMA_VERSION, *map(importlib.metadata.version, _LIBRARIES)],
        [identity.name, identity.digest, identity.dtype, identity.processor],
        [grid.task.name, grid.task.input_field, grid.task.label_names, entry.name, entry.id, way],
        [plan.temperatures, plan.seeds, plan.max_tokens, plan.max_reason_tokens],
        [[example.id, example.label] for example in examples],
    ]
    return sha256_text(canonical_json(parts))
