"""The job: which table is labelled and where it goes, with every mistake found before the work."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from burnish.tables import Survey, Table, check_target, ending_of, open_table
from modules.errors import UserError
from modules.files import make_folder


class Job(NamedTuple):
    """A table to label and where it goes; `stat` is the file's size and time when it was read."""

    table: Table
    survey: Survey
    data: Path
    out: Path
    new: tuple[str, ...]
    stat: tuple[int, int]

    @property
    def endings(self) -> tuple[str, str]:
        """The data's ending and the target's."""
        return ending_of(self.data), ending_of(self.out)

    @property
    def journal(self) -> Path:
        """Where the answers are kept until all are there."""
        return self.out.with_name(f"{self.out.name}.partial")

    def check_unchanged(self) -> None:
        """Check that the data are still what they were.

        Raises:
            UserError: they are not.
        """
        if _stat(self.data) != self.stat:
            raise UserError(f"{self.data} changed while it was read; nothing was written")


def plan_job(data: Path, out: Path | None, column: str, new: Sequence[str], *, force: bool) -> Job:
    """Read the data once, and look at the place where the labelled table goes.

    Args:
        data: the table.
        out: the labelled table; None puts it beside the data.
        column: the column with the texts.
        new: the names of the columns that are added.
        force: replace what is there.

    Raises:
        UserError: the data are broken somewhere, the target exists or cannot be written, or its
            format lacks what the data hold.
    """
    ending = ending_of(data)
    out = out or data.with_name(f"{data.stem}.labelled{data.suffix}")
    target = ending_of(out)
    table = open_table(data, column, new)
    if out.exists() and os.path.samefile(out, data):
        raise UserError(f"{out} is the data; give another --out")
    stat, survey = _stat(data), table.survey()
    check_target(survey, ending, target)
    make_folder(out.parent)
    job = Job(table, survey, data, out, tuple(new), stat)
    if out.exists() and not force and not job.journal.exists():
        raise UserError(exists(out))
    return job


def exists(out: Path) -> str:
    """Say that a target is there already."""
    return f"{out} exists; give another --out, or --force to replace it"


def _stat(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns
