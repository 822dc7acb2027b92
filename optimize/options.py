"""The search's command-line options, and what they mean together."""

import argparse
import math
import re
from pathlib import Path

from modules.errors import UserError
from modules.lm import DEFAULT_MODELS
from modules.prompts import OWN_OPTIMIZER
from modules.tasks.options import add_task_options
from optimize.config import Budget, SearchConfig
from optimize.dspy_optimizers import OPTIMIZERS
from optimize.finish.ensemble import MAX_MEMBERS
from optimize.propose.samplers import SAMPLERS

DEFAULT_BUDGET = 120_000
ALL = "all"
MAX_AT_ONCE = 256

_OWN_ONLY = ("sampler", "storage", "ensemble", "racing", "evidence", "at_once")
_HUGE = 2**63
_WRITER = re.compile(r"[^\r\n]{1,200}")
_FLAGS = {"racing": "no-racing", "evidence": "no-evidence"}


def parser() -> argparse.ArgumentParser:
    """Make the parser of `python -m optimize`."""
    parser = argparse.ArgumentParser(
        prog="python -m optimize",
        description="Find the best prompt for a task and a small local model, and freeze it.",
        epilog="optimizers: "
        + f"{OWN_OPTIMIZER} (our own search); "
        + "; ".join(f"{name} ({one.help})" for name, one in OPTIMIZERS.items()),
    )
    add_task_options(parser)
    _add_search(parser)
    _add_budget(parser)
    _add_own(parser)
    return parser


def names(options: argparse.Namespace) -> list[str]:
    """Give the optimizers that were asked for, our own first."""
    everything = [OWN_OPTIMIZER, *OPTIMIZERS]
    return everything if options.optimizer == ALL else [options.optimizer]


def scored_on(optimizer: str) -> str:
    """Give the split that an optimizer scores its candidates on."""
    return OPTIMIZERS[optimizer].scored if optimizer in OPTIMIZERS else "dev"


def search_config(options: argparse.Namespace, optimizer: str, command: str) -> SearchConfig:
    """Give the configuration of one search.

    Raises:
        UserError: a number out of its range, or options that do not go together.
    """
    _check(options)
    return SearchConfig(
        budget=Budget(
            tokens=options.budget_tokens,
            calls=options.budget_calls,
            seconds=options.budget_seconds,
        ),
        seed=options.seed,
        out=options.out,
        runs=options.runs,
        command=command,
        optimizer=optimizer,
        sampler=options.sampler,
        storage=options.storage,
        writer=options.writer,
        ensemble=options.ensemble,
        racing=options.racing,
        evidence=options.evidence,
        at_once=options.at_once,
    )


def _check(options: argparse.Namespace) -> None:
    for name in ("budget_tokens", "budget_calls", "budget_seconds"):
        value, flag = getattr(options, name), f"--{name.replace('_', '-')}"
        if name == "budget_seconds":
            if value is not None and not 0 < value < math.inf:
                raise UserError(f"{flag} must be more than 0, got {value:g}")
        elif value is not None and not 1 <= value < _HUGE:
            raise UserError(f"{flag} must be at least 1 and below 2^63, got {value}")
    if abs(options.seed) >= _HUGE:
        raise UserError("--seed must lie between -2^63 and 2^63")
    if options.storage is not None and "://" not in options.storage:
        raise UserError(f"--storage is a URL, as sqlite:///studies.db; got {options.storage!r}")
    if options.writer is not None and not _WRITER.fullmatch(options.writer):
        raise UserError(
            "--writer is a name or PROVIDER/NAME@URL, one line of at most 200 characters"
        )
    if not 1 <= options.ensemble <= MAX_MEMBERS:
        raise UserError(f"--ensemble must be from 1 to {MAX_MEMBERS}, got {options.ensemble}")
    if not 1 <= options.at_once <= MAX_AT_ONCE:
        raise UserError(f"--at-once must be from 1 to {MAX_AT_ONCE}, got {options.at_once}")
    if options.optimizer in OPTIMIZERS:
        default = parser()
        changed = [o for o in _OWN_ONLY if getattr(options, o) != default.get_default(o)]
        if changed:
            flag = _FLAGS.get(changed[0], changed[0].replace("_", "-"))
            raise UserError(
                f"--{flag} belongs to our own search, --optimizer {OWN_OPTIMIZER}; "
                f"{options.optimizer} has no such option"
            )


def _add_search(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("search")
    group.add_argument(
        "--model",
        nargs="+",
        help="short names, hub ids or folders (default: " + " ".join(DEFAULT_MODELS) + ")",
    )
    group.add_argument(
        "--optimizer",
        choices=(OWN_OPTIMIZER, *OPTIMIZERS, ALL),
        default=OWN_OPTIMIZER,
        metavar="NAME",
        help=f"{', '.join((OWN_OPTIMIZER, *OPTIMIZERS))}, or {ALL} for a leaderboard "
        f"(default: {OWN_OPTIMIZER})",
    )
    group.add_argument(
        "--writer",
        metavar="LM",
        help="who else writes instructions: self (the task's model), a local model, or "
        "openai/NAME@http://HOST:PORT/v1 (default: nobody)",
    )
    group.add_argument("--seed", type=int, default=0, help="splits and search (default: 0)")
    group.add_argument(
        "--out", type=Path, default=Path("artifacts"), help="frozen prompts (default: artifacts)"
    )
    group.add_argument(
        "--runs", type=Path, default=Path("runs/search"), help="studies (default: runs/search)"
    )
    group.add_argument(
        "--dtype", help="bfloat16, float32 or float64 (default: the machine's faster one)"
    )
    group.add_argument(
        "--no-cache",
        dest="cache",
        action="store_false",
        help="run everything, even what the answer cache has from an earlier run",
    )


def _add_budget(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("budget of each model's search, whichever ends first")
    group.add_argument(
        "--budget-tokens",
        type=int,
        default=DEFAULT_BUDGET,
        metavar="N",
        help=f"forward tokens (default: {DEFAULT_BUDGET:,})",
    )
    group.add_argument("--budget-calls", type=int, metavar="N", help="answered prompts")
    group.add_argument(
        "--budget-seconds",
        type=float,
        metavar="S",
        help="seconds of trials; makes the outcome depend on the machine's speed",
    )


def _add_own(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group(f"our own search (--optimizer {OWN_OPTIMIZER})")
    group.add_argument(
        "--sampler",
        choices=tuple(SAMPLERS),
        default="tpe",
        help="Optuna's sampler: tpe and gp learn from the 12th trial on and draw blindly before; "
        "nsga2 weighs the loss against the prompt's length (default: tpe)",
    )
    group.add_argument(
        "--storage",
        metavar="URL",
        help="an Optuna storage, as sqlite:///studies.db (default: a journal file below --runs)",
    )
    group.add_argument(
        "--ensemble",
        type=int,
        default=1,
        metavar="K",
        help="freeze K prompts that answer together (default: 1)",
    )
    group.add_argument(
        "--at-once",
        type=int,
        default=SearchConfig.at_once,
        metavar="N",
        help="how many trials may run at once, in as many processes with the same command; the "
        f"result depends on N, not on the processes (default: {SearchConfig.at_once})",
    )
    group.add_argument(
        "--no-racing",
        dest="racing",
        action="store_false",
        help="run every trial to its end",
    )
    group.add_argument(
        "--no-evidence",
        dest="evidence",
        action="store_false",
        help="read the label words alone, as other programs can; without this, other words that "
        "the model is about to say are weighed too",
    )
