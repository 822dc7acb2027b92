"""`burnish predict`: label a table of any size with a frozen prompt; a killed run is gone on with.

A file is read three times, in a stream: for its mistakes and its length, before any work is spent
on it; for its texts, whose answers go into a journal beside the target; and to be written with
them. The target appears whole, by a rename. All of that is little beside the model's work.
"""

import argparse
import importlib.metadata
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tqdm.auto import tqdm

from burnish.journal import Journal
from burnish.labelling import Tally, answer_stream, fill, write
from burnish.tables import (
    ENDINGS,
    STREAMED,
    Survey,
    Table,
    check_target,
    ending_of,
    open_stream,
    open_table,
)
from burnish.terminal import harmless
from modules.errors import INTERRUPTED, UserError
from modules.files import make_folder, sha256_file
from modules.prompts import Artifact, load_artifact

if TYPE_CHECKING:
    from burnish.classifier import Classifier

NEW_COLUMNS = ("label", "confidence", "outcome")

_STANDARD = "-"
_NO_READER = 141  # as a shell says it of a process that SIGPIPE ended
_LIBRARIES = ("burnish", "tokenizers", "torch", "transformers")


class Job(NamedTuple):
    """A table to label and where it goes; `stat` is the file's size and time when it was read."""

    table: Table
    survey: Survey
    data: Path
    out: Path
    new: tuple[str, ...]
    stat: tuple[int, int]

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


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("artifact", type=Path, help="the frozen prompt")
    parser.add_argument(
        "--data",
        type=Path,
        required=True,
        help=f"the table, a {', '.join(ENDINGS)} file of any size; - is standard input, which is "
        "answered on standard output",
    )
    parser.add_argument(
        "--text-column", help="its column with the text (default: the frozen prompt's, or text)"
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="the labelled table; its ending is its format (default: DATA.labelled.ENDING)",
    )
    parser.add_argument("--force", action="store_true", help="replace what is there; begin anew")
    parser.add_argument(
        "--prefix", default="", help=f"stands before the names of {', '.join(NEW_COLUMNS)}"
    )
    parser.add_argument(
        "--batch", type=int, default=128, help="rows at once; a kill loses one batch (default: 128)"
    )
    parser.add_argument("--dtype", help="(default: the one that the prompt was frozen in)")
    parser.add_argument(
        "--cache",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="keep what is computed in the answer cache; many rows push a search's entries out",
    )
    parser.add_argument(
        "--format",
        choices=[ending[1:] for ending in STREAMED],
        default="csv",
        help="of standard input (default: csv)",
    )


def run(options: argparse.Namespace) -> int | None:
    """Label the table, and say what came out and where it is."""
    if options.batch < 1:
        raise UserError(f"--batch must be at least 1, got {options.batch}")
    artifact = load_artifact(options.artifact)
    new = tuple(options.prefix + name for name in NEW_COLUMNS)
    column = options.text_column or artifact.task.source.get("text_column") or "text"
    if str(options.data) == _STANDARD:
        return _label_input(options, artifact, str(column), new)
    job = _job(options, str(column), new)
    print(f"{job.data}: {job.survey.n_rows:,} rows", flush=True)
    classifier = _classifier(artifact, options)
    identity = _identity(classifier, job.data, str(column))
    with Journal(job.journal, identity, options.batch, anew=options.force) as journal:
        if job.out.exists() and not options.force:
            _check_ours(journal, job.out)
            return None
        _label_file(job, classifier, journal, options.batch)
    return None


def _job(options: argparse.Namespace, column: str, new: tuple[str, ...]) -> Job:
    """Find every mistake that can be found before the model is loaded."""
    data: Path = options.data
    ending = ending_of(data)
    out = options.out or data.with_name(f"{data.stem}.labelled{data.suffix}")
    target = ending_of(out)
    table = open_table(data, column, new)
    if out.exists() and os.path.samefile(out, data):
        raise UserError(f"{out} is the data; give another --out")
    stat, survey = _stat(data), table.survey()
    check_target(survey, ending, target)
    make_folder(out.parent)
    job = Job(table, survey, data, out, new, stat)
    if out.exists() and not options.force and not job.journal.exists():
        raise UserError(_exists(out))
    return job


def _classifier(artifact: Artifact, options: argparse.Namespace) -> "Classifier":
    # imported here: it brings the model library, and a mistake in the options needs none
    from burnish.classifier import Classifier
    from modules.lm import load_recorded

    model = load_recorded(artifact.model, options.dtype, cache=options.cache)
    return Classifier(artifact, model)


def _identity(classifier: "Classifier", data: Path, column: str) -> dict[str, str]:
    """Give all that the answers depend on, in words that a message can use."""
    model = classifier.model.identity
    versions = [f"{name} {importlib.metadata.version(name)}" for name in _LIBRARIES]
    return {
        "frozen prompt": classifier.artifact.sha256,
        "data": sha256_file(data),
        "text column": column,
        "dtype": model.dtype,
        "processor": model.processor,
        "library version": ", ".join(versions),
    }


def _label_file(job: Job, classifier: "Classifier", journal: Journal, batch: int) -> None:
    n_before = journal.n_rows
    if n_before:
        print(f"going on behind row {n_before:,}", flush=True)
    start = time.perf_counter()
    with _bar(job.survey.n_rows, n_before) as bar:
        fill(journal, job.table, classifier, batch, bar.update)
    seconds = time.perf_counter() - start
    job.check_unchanged()
    endings = ending_of(job.data), ending_of(job.out)
    tally = write(journal, job.table, job.survey, endings, job.new, job.out)
    print("\n".join(_summary(tally, job.survey.n_rows - n_before, seconds)))
    print(f"  {job.out}")


def _label_input(
    options: argparse.Namespace, artifact: Artifact, column: str, new: tuple[str, ...]
) -> int | None:
    """Answer standard input on standard output; what is to be read goes to standard error."""
    if options.out is not None:
        raise UserError("--data - writes to standard output; --out cannot go with it")
    table = open_stream(f".{options.format}", column, new)
    classifier = _classifier(artifact, options)
    start = time.perf_counter()
    try:
        with _bar(None, 0) as bar:
            out = sys.stdout.buffer
            tally = answer_stream(table, classifier, options.batch, out, bar.update)
    except KeyboardInterrupt:
        print("stopped; standard input cannot be gone on with", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # the reader has what it wants; Python would say so again at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _NO_READER
    n_rows = tally.outcomes.total()
    for line in _summary(tally, n_rows, time.perf_counter() - start):
        print(line, file=sys.stderr)
    return None


def _bar(total: int | None, initial: int) -> Any:
    return tqdm(
        total=total,
        initial=initial,
        unit="row",
        dynamic_ncols=True,
        leave=False,
        disable=None,  # where nobody watches, only errors go to stderr
    )


def _summary(tally: Tally, n_new: int, seconds: float) -> list[str]:
    """Say how many rows got which label and outcome, and how fast it went."""
    total = tally.outcomes.total()
    counts = [*sorted(tally.labels.items()), *sorted(tally.outcomes.items())]
    counts = [(name, n) for name, n in counts if name != "ok"]
    names = [harmless(name).replace("\n", "\\n") for name, _ in counts]
    widest = max(map(len, names), default=0)
    rate = n_new / max(seconds, 1e-9)
    speed = f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"
    lines = [f"{total:,} rows; {n_new:,} labelled in {seconds:,.1f} s, {speed} rows/s"]
    for name, (_, n) in zip(names, counts, strict=True):
        lines.append(f"  {name:<{widest}}  {n:>{len(f'{total:,}')},}  {n / total:6.1%}")
    return lines


def _check_ours(journal: Journal, out: Path) -> None:
    """Take a file that exists for the finished one, if the journal says that it is.

    Raises:
        UserError: it does not.
    """
    if journal.seal_found is None or journal.seal_found != sha256_file(out):
        raise UserError(_exists(out))
    journal.remove()
    print(f"  {out} (it was finished)")


def _exists(out: Path) -> str:
    return f"{out} exists; give another --out, or --force to replace it"


def _stat(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_size, found.st_mtime_ns
