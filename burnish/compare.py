"""`burnish compare`: search a prompt for every model that has none, then prove them all and report.

It joins the two stages and owns nothing of either: the frozen prompts, as files, are all that
passes from one to the other.
"""

import argparse
import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from evaluate.options import add_options as add_evaluation_options
from evaluate.options import settings
from modules.command import recorded
from modules.errors import UserError
from modules.prompts import artifact_path
from modules.tasks.options import add_task_options, task_spec
from modules.tasks.registry import task_name

_PASSED_ON = (
    "data",
    "text_column",
    "label_column",
    "data_folder",
    "data_revision",
    "n_train",
    "n_dev",
    "n_confirm",
    "n_test",
    "budget_tokens",
    "dtype",
)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the task, of the search and of the evaluation."""
    add_task_options(parser)
    group = parser.add_argument_group("search, for a model without a frozen prompt")
    group.add_argument("--budget-tokens", type=int, help="forward tokens for each model's search")
    add_evaluation_options(parser.add_argument_group("evaluation"))


def run(options: argparse.Namespace) -> None:
    """Search where it is needed, then evaluate.

    Raises:
        UserError: weights or data that are not here, and whatever the stages refuse.
    """
    command = recorded("burnish", *options.arguments)
    asked = settings(options)
    if options.task is None and options.data is None:
        options.task = asked.task
    name = task_name(task_spec(options))
    models = asked.models or _default_models()
    for model in models:
        _check_weights(model)
    folder = options.artifacts[0]
    if len(options.artifacts) > 1 or folder.is_file():
        raise UserError("burnish compare takes one folder as --artifacts: it may write there")
    missing = [
        model
        for model in models
        if not artifact_path(folder, name, model, options.search_seed).is_file()
    ]
    if missing and not options.report_only:
        importlib.import_module("optimize.__main__").main(_search(options, missing, folder))
    options.task, options.models = name, list(models)
    importlib.import_module("evaluate.__main__").run(options, command)


def _default_models() -> Sequence[str]:
    from modules.lm import DEFAULT_MODELS  # imports torch, which a wrong option need not wait for

    return DEFAULT_MODELS


def _check_weights(model: str) -> None:
    """Get a model's weights before any work is spent on another one."""
    from modules.lm.weights import find_weights

    find_weights(model)


def _search(options: argparse.Namespace, models: Sequence[str], folder: Path) -> list[str]:
    """Give the arguments of the search."""
    arguments = ["--model", *models, "--seed", str(options.search_seed), "--out", str(folder)]
    if options.task is not None:
        arguments += ["--task", options.task]
    if not options.cache:
        arguments.append("--no-cache")
    return [*arguments, *_passed_on(options)]


def _passed_on(options: argparse.Namespace) -> Iterator[str]:
    """Give the options that the search takes as they are."""
    for name in _PASSED_ON:
        value = getattr(options, name)
        if value is not None:
            yield from (f"--{name.replace('_', '-')}", str(value))
    for meaning in options.meaning:
        yield from ("--meaning", meaning)
