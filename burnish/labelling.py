"""Labelling: a table's texts go through a classifier, batch by batch, and the answers beside them.

A file is labelled into a journal first and written when all answers are there; standard input is
answered as it comes.
"""

import math
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from burnish.journal import Journal
from burnish.tables import Added, Survey, Table, write_labelled
from burnish.tables.csv_table import CsvTable
from burnish.tables.jsonl_table import JsonlTable
from modules.errors import UserError
from modules.files import sha256_file

if TYPE_CHECKING:
    from burnish.classifier import Answer

Item = TypeVar("Item")
Progress = Callable[[int], None]
Classify = Callable[[Sequence[str], Progress], "Sequence[Answer]"]


@dataclass(kw_only=True)
class Tally:
    """How many rows got which label and which outcome."""

    labels: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def counted(self, added: Iterable[Added]) -> Iterator[Added]:
        """Count what passes."""
        for one in added:
            self.outcomes[one.outcome] += 1
            if one.label is not None:
                self.labels[one.label] += 1
            yield one


def fill(
    journal: Journal, table: Table, classify: Classify, batch: int, progress: Progress
) -> None:
    """Answer the rows of a table that a journal lacks.

    Args:
        journal: where the answers go, a batch at a time.
        table: the table.
        classify: gives one answer a text, and tells the progress inside a batch.
        batch: how many rows go at once.
        progress: called with numbers of rows that add up to those that were answered.
    """
    for texts in batches(islice(table.texts(), journal.n_rows, None), batch):
        journal.append(_answered(texts, classify, progress))


def write(
    journal: Journal,
    table: Table,
    survey: Survey,
    endings: tuple[str, str],
    new: Sequence[str],
    out: Path,
) -> Tally:
    """Write the labelled table whole, under its name, and remove the journal.

    Raises:
        UserError: the disk refuses; the journal stays.
    """
    tally = Tally()
    temporary = out.with_name(f"{out.name}.writing")  # one name, so that kills leave one file
    try:
        write_labelled(table, survey, endings, new, temporary, tally.counted(journal.answers()))
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        journal.seal(sha256_file(temporary))
        temporary.replace(out)
    except OSError as error:
        raise UserError(f"cannot write {out}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
    journal.remove()
    return tally


def answer_stream(
    table: CsvTable | JsonlTable, classify: Classify, batch: int, out: BinaryIO, progress: Progress
) -> Tally:
    """Write a table's rows with their answers as they come, a batch at a time."""
    tally = Tally()
    header, records = table.open()
    out.write(table.head(header).encode())
    for some in batches(records, batch):
        texts = [table.text(record, header) for record in some]
        added = tally.counted(_answered(texts, classify, progress))
        lines = [table.line(record, one) for record, one in zip(some, added, strict=True)]
        out.write("".join(lines).encode())
        out.flush()
    return tally


def batches(items: Iterable[Item], n: int) -> Iterator[list[Item]]:
    """Give the items n at a time; the last batch may be shorter."""
    left = iter(items)
    while some := list(islice(left, n)):
        yield some


def _answered(texts: Sequence[str], classify: Classify, progress: Progress) -> list[Added]:
    n_told = 0

    def told(n: int) -> None:
        nonlocal n_told
        n_told += n
        progress(n)

    answers = classify(texts, told)
    progress(len(texts) - n_told)
    return [
        Added(a.label, None if math.isnan(a.confidence) else a.confidence, a.outcome)
        for a in answers
    ]
