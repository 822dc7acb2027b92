"""`burnish predict`: label a table of any size with a frozen prompt; a killed run is gone on with.

A file is read three times, in a stream: for its mistakes and its length, before any work is spent
on it; for its texts, whose answers go into a journal beside the target; and to be written with
them. The target appears whole, by a rename. All of that is little beside the model's work.
"""

import argparse
import importlib.metadata
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm.auto import tqdm

from burnish.job import Job, exists, plan_job
from burnish.journal import Journal
from burnish.labelling import answer_stream, fill, write
from burnish.tables import ENDINGS, STREAMED, open_stream
from modules.errors import INTERRUPTED, UserError, no_reader
from modules.files import sha256_file
from modules.prompts import Artifact, load_artifact

if TYPE_CHECKING:
    from burnish.classifier import Classifier

NEW_COLUMNS = ("label", "confidence", "outcome")

_STANDARD = "-"
_LIBRARIES = ("burnish", "tokenizers", "torch", "transformers")


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
    job = plan_job(options.data, options.out, str(column), new, force=options.force)
    print(f"{job.data}: {job.survey.n_rows:,} rows", flush=True)
    classifier = _classifier(artifact, options)
    identity = _identity(classifier, job.data, str(column))
    with Journal(job.journal, identity, options.batch, anew=options.force) as journal:
        if job.out.exists() and not options.force:
            _check_ours(journal, job.out)
            return None
        _label_file(job, classifier, journal, options.batch)
    return None


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
    tally = write(journal, job)
    print("\n".join(tally.lines(job.survey.n_rows - n_before, seconds)))
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
    except BrokenPipeError:
        return no_reader()
    for line in tally.lines(tally.outcomes.total(), time.perf_counter() - start):
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


def _check_ours(journal: Journal, out: Path) -> None:
    """Take a file that exists for the finished one, if the journal says that it is.

    Raises:
        UserError: it does not.
    """
    if journal.seal_found is None or journal.seal_found != sha256_file(out):
        raise UserError(exists(out))
    journal.remove()
    print(f"  {out} (it was finished)")
