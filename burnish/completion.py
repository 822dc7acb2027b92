"""`burnish completion`: a script with which a shell completes commands, options and paths."""

import argparse
from pathlib import Path

import shtab

from burnish.__main__ import parser

SHELLS = ("bash", "zsh", "tcsh")

_PLACES = """where it belongs:
  bash  burnish completion bash > ~/.local/share/bash-completion/completions/burnish
  zsh   burnish completion zsh > FOLDER/_burnish, with FOLDER in $fpath
  tcsh  burnish completion tcsh > ~/.burnish.tcsh, with "source ~/.burnish.tcsh" in ~/.tcshrc
"""
_FOLDERS = {"folder", "out", "runs", "data_folder"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `burnish completion`."""
    parser.add_argument("shell", choices=SHELLS, help="whose script to print")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _PLACES


def run(options: argparse.Namespace) -> None:
    """Print the script for a shell."""
    print(script(options.shell))


def script(shell: str) -> str:
    """Give the script: all commands, those of both stages too, with all their options."""
    whole = parser(everything=True)
    for own in _parsers(whole):
        for action in own._actions:
            if action.type is Path:
                paths = shtab.DIRECTORY if action.dest in _FOLDERS else shtab.FILE
                action.complete = paths  # type: ignore[attr-defined]
    return str(shtab.complete(whole, shell=shell))


def _parsers(whole: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    (commands,) = (a for a in whole._actions if isinstance(a, argparse._SubParsersAction))
    return [whole, *commands.choices.values()]
