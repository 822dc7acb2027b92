"""Labelling: a table's texts go through a classifier, batch by batch, and the answers beside them.

A file is labelled into a journal first and written when all answers are there; standard input is
answered as it comes.
"""

import math
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, BinaryIO, TypeVar

from burnish.job import Job
from burnish.journal import Journal
from burnish.tables import Added, Table, write_labelled
from burnish.tables.csv_table import CsvTable
from burnish.tables.jsonl_table import JsonlTable
from burnish.tally import Tally
from modules.errors import UserError
from modules.files import sha256_file

if TYPE_CHECKING:
    from burnish.classifier import Answer

Item = TypeVar("Item")
Progress = Callable[[int], None]
Classify = Callable[[Sequence[str], Progress], "Sequence[Answer]"]


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


def write(journal: Journal, job: Job) -> Tally:
    """Write the labelled table whole, under its name, and remove the journal.

    Raises:
        UserError: the disk refuses, or the data have changed; the journal stays.
    """
    tally = Tally()
    temporary = job.out.with_name(f"{job.out.name}.writing")  # one name: kills leave one file
    job.check_unchanged()
    try:
        added = tally.counted(journal.answers())
        write_labelled(job.table, job.survey, job.endings, job.new, temporary, added)
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        job.check_unchanged()
        journal.seal(sha256_file(temporary))
        temporary.replace(job.out)
    except ValueError:  # other rows than before
        job.check_unchanged()
        raise
    except OSError as error:
        raise UserError(f"cannot write {job.out}: {error.strerror or error}") from error
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
