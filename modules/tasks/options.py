"""The command-line options that name a task, the same for every command."""

import argparse
from pathlib import Path

from modules.errors import UserError
from modules.tasks.spec import FILE_TASK, TASK_NAMES, TaskSpec
from modules.tasks.splits import SplitSizes


def add_task_options(parser: argparse.ArgumentParser) -> None:
    """Add `--task` and what belongs to it."""
    group = parser.add_argument_group("task")
    group.add_argument(
        "--task",
        help=f"one of {', '.join(TASK_NAMES)} (default: snippets, or your own table with --data)",
    )
    group.add_argument("--data", type=Path, help="your own .csv, .jsonl or .parquet table")
    group.add_argument("--text-column", help="its column with the text (default: text)")
    group.add_argument("--label-column", help="its column with the label (default: label)")
    group.add_argument(
        "--meaning",
        action="append",
        default=[],
        metavar="LABEL=MEANING",
        help="what a label of your table means, in a few words; may be given once per label",
    )
    group.add_argument("--data-folder", type=Path, help="imdb only: a local copy of the data set")
    group.add_argument("--data-revision", help="imdb only: the data set's commit on the hub")
    sizes = SplitSizes()
    for split in ("train", "dev", "confirm", "test"):
        default = getattr(sizes, split)
        group.add_argument(
            f"--n-{split}",
            type=int,
            default=default,
            help=f"at most this many {split} examples (default: {default})",
        )


def task_spec(options: argparse.Namespace) -> TaskSpec:
    """Read the options back.

    Raises:
        UserError: they do not go together.
    """
    own = options.data is not None
    return TaskSpec(
        name=options.task or (FILE_TASK if own else TASK_NAMES[0]),
        data=options.data,
        data_folder=options.data_folder,
        text_column=options.text_column,
        label_column=options.label_column,
        meanings=_meanings(options.meaning) or None,
        revision=options.data_revision,
        sizes=SplitSizes(
            train=options.n_train, dev=options.n_dev, confirm=options.n_confirm, test=options.n_test
        ),
    )


def _meanings(given: list[str]) -> dict[str, str]:
    meanings = {}
    for entry in given:
        label, equals, meaning = entry.partition("=")
        if not (label and equals and meaning.strip()):
            raise UserError(f"--meaning takes LABEL=MEANING, got {entry!r}")
        meanings[label] = meaning.strip()
    return meanings
