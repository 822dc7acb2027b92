"""`burnish COMMAND`: the front door to everything; each command's file parses and does its part.

A command's module is imported only when it is asked for: looking at a file needs no model library.
"""

import argparse
import difflib
import importlib
import importlib.metadata
import logging
import sys
from collections.abc import Sequence
from typing import NamedTuple, Protocol, cast

from modules.errors import USER_MISTAKE, UserError, leave


class Command(NamedTuple):
    """A command: its name, the module that does it, and what it is for in a line."""

    name: str
    module: str
    help: str


class Doer(Protocol):
    """What a command's module has."""

    def add_options(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, options: argparse.Namespace) -> int | None: ...


COMMANDS = (
    Command("list", "burnish.listing", "the frozen prompts below a folder, with their scores"),
    Command("show", "burnish.show", "a frozen prompt as the model reads it, and where it is from"),
    Command("diff", "burnish.diff", "two frozen prompts, part by part, and their scores"),
    Command("verify", "burnish.verify", "run a frozen prompt's examples again: the same bits?"),
    Command("reproduce", "burnish.reproduce", "run the search again: the same bytes?"),
    Command("export", "burnish.export", "a frozen prompt in the form of another program"),
    Command("predict", "burnish.predict", "label a table with a frozen prompt"),
    Command("compare", "burnish.compare", "search what is missing, then prove and report it all"),
    Command("completion", "burnish.completion", "a script that completes commands in your shell"),
)
STAGES = {
    "optimize": "search a prompt and freeze it (python -m optimize)",
    "evaluate": "prove frozen prompts on held-out examples (python -m evaluate)",
}


def main(arguments: Sequence[str]) -> int | None:
    """Do a command; a stage's arguments go to the stage as they are.

    Raises:
        UserError: there is no such command.
    """
    asked = arguments[0] if arguments else None
    if asked is None:
        parser(None).print_help(sys.stderr)
        return USER_MISTAKE
    if asked in STAGES:
        stage = importlib.import_module(f"{asked}.__main__")
        stage.main(list(arguments[1:]))
        return None
    if not asked.startswith("-"):
        _check_name(asked)
    options = parser(asked).parse_args(arguments)
    options.arguments = tuple(arguments)
    return doer(next(c for c in COMMANDS if c.name == options.command)).run(options)


def parser(asked: str | None = None, *, everything: bool = False) -> argparse.ArgumentParser:
    """Make the parser, with the options of the command that was asked for, or with everybody's."""
    top = argparse.ArgumentParser(
        prog="burnish",
        description="Find, freeze and prove the best prompt for a small local language model.",
        formatter_class=lambda prog: argparse.HelpFormatter(prog, max_help_position=16),
    )
    version = f"burnish {importlib.metadata.version('burnish')}"
    top.add_argument("--version", action="version", version=version)
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, told in STAGES.items():
        own = [_stage_parser(name)] if everything else []
        commands.add_parser(name, help=told, add_help=False, parents=own)
    for command in COMMANDS:
        own_parser = commands.add_parser(command.name, help=command.help, description=command.help)
        if everything or command.name == asked:
            doer(command).add_options(own_parser)
    return top


def _stage_parser(stage: str) -> argparse.ArgumentParser:
    return cast(argparse.ArgumentParser, importlib.import_module(f"{stage}.__main__").parser())


def doer(command: Command) -> Doer:
    """Import a command's module."""
    return cast(Doer, importlib.import_module(command.module))


def run() -> None:
    """Be the program `burnish`."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    leave(lambda: main(sys.argv[1:]))


def _check_name(asked: str) -> None:
    names = [*STAGES, *(command.name for command in COMMANDS)]
    if asked not in names:
        near = difflib.get_close_matches(asked, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
        raise UserError(f"burnish has no command {asked!r}: {hint}")


if __name__ == "__main__":
    run()
