"""`python -m benchmarks.search run | report | curves | times`."""

import argparse
import logging
import sys
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.search import protocol
from benchmarks.search.contestants import absent
from benchmarks.search.curves import draw_curves
from benchmarks.search.journal import read_results
from benchmarks.search.report import write_report
from benchmarks.search.running import Bench, Setting, check_journal, run_matrix
from benchmarks.search.times import line, measure, reached, save_times
from modules.command import recorded
from modules.errors import leave
from modules.files import make_folder
from modules.lm import DEFAULT_MODELS
from modules.tasks import TASK_NAMES


def main(arguments: Sequence[str]) -> None:
    """Run the sub-command."""
    options = _parser().parse_args(arguments)
    options.arguments = arguments
    make_folder(options.out)
    command = {"run": _run, "report": _report, "curves": _curves, "times": _times}[options.command]
    command(options)


def _run(options: argparse.Namespace) -> None:
    missing = absent(options.optimizers)
    for name, reason in missing.items():
        print(f"{name} is left out: {reason}")
    _run_cells(
        options,
        budgets=options.budgets,
        optimizers=[name for name in options.optimizers if name not in missing],
    )


def _report(options: argparse.Namespace) -> None:
    print(write_report(options.out, options.ours, _command(options), options.seeds))


def _curves(options: argparse.Namespace) -> None:
    if options.minutes > 0:
        _run_cells(options, budgets=options.budgets, optimizers=[options.ours])
    print(draw_curves(options.out, options.ours, options.tasks, options.models))


def _times(options: argparse.Namespace) -> None:
    _silence()
    seed, rounds = options.seed, options.rounds
    results = [result for result in read_results(options.out) if result.cell.seed == seed]
    wanted = reached(results, options.ours, tasks=options.tasks, models=options.models)
    search = Bench(_setting(options)).search
    pairs = []
    for one in wanted:
        pairs.append(measure(one, options.ours, seed=seed, rounds=rounds, search=search))
        print(line(pairs[-1]), flush=True)
    print(save_times(pairs, _command(options), seed=seed, rounds=rounds))


def _command(options: argparse.Namespace) -> str:
    return recorded("python", "-m", "benchmarks.search", *options.arguments)


def _silence() -> None:
    logging.disable(logging.WARNING)
    warnings.filterwarnings("ignore", module="optuna|dspy|numpy")


def _setting(options: argparse.Namespace) -> Setting:
    return Setting(
        out=options.out,
        n_test=options.n_test,
        data_folder=options.data_folder,
        dtype=options.dtype,
    )


def _run_cells(
    options: argparse.Namespace, *, budgets: Sequence[str], optimizers: Sequence[str]
) -> None:
    _silence()
    check_journal(options.out, options.n_test)
    wanted = protocol.cells(
        tasks=options.tasks,
        models=options.models,
        seeds=options.seeds,
        budgets=budgets,
        optimizers=optimizers,
    )
    left = run_matrix(
        wanted,
        options.out,
        options.minutes,
        Bench(_setting(options)),
        retry=options.retry_errors,
    )
    print(f"{len(wanted) - left} of {len(wanted)} cells are finished")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.search", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("run", help="run the cells that are not finished")
    _add_running(run, minutes=60.0, budgets=protocol.BUDGETS)
    run.add_argument(
        "--optimizers",
        nargs="+",
        default=list(protocol.OPTIMIZERS),
        choices=dict.fromkeys((*protocol.OURS, *protocol.OPTIMIZERS)),
    )
    report = commands.add_parser("report", help="read the journal and compare")
    report.add_argument(
        "--seeds",
        nargs="+",
        type=int,
        default=[],
        help="compare on these, contestants that finished them all (default: what is there)",
    )
    curves = commands.add_parser(
        "curves", help="run our search at smaller budgets, and draw accuracy against tokens"
    )
    _add_running(curves, minutes=0.0, budgets=protocol.SHARES)
    times = commands.add_parser(
        "times", help="time our search to the best peer's accuracy, and that peer, in turn"
    )
    _add_cells(times)
    times.add_argument("--seed", type=int, default=0)
    times.add_argument("--rounds", type=int, default=1, help="searches of each side")
    for one in (run, report, curves, times):
        one.add_argument("--out", type=Path, required=True, help="the folder of the journal")
    for one in (report, curves, times):
        one.add_argument("--ours", default="optuna", choices=protocol.OURS)
    return parser


def _add_running(
    parser: argparse.ArgumentParser, *, minutes: float, budgets: Iterable[str]
) -> None:
    _add_cells(parser)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--budgets", nargs="+", default=list(budgets), choices=protocol.SHARES)
    parser.add_argument("--minutes", type=float, default=minutes, help="start no cell after these")
    parser.add_argument(
        "--retry-errors", action="store_true", help="run cells again that had ended in an error"
    )


def _add_cells(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--tasks", nargs="+", default=list(TASK_NAMES), choices=TASK_NAMES)
    parser.add_argument("--models", nargs="+", default=list(DEFAULT_MODELS))
    parser.add_argument("--n-test", type=int, default=protocol.N_TEST)
    parser.add_argument("--data-folder", type=Path, help="a local copy of the IMDB data set")
    parser.add_argument(
        "--dtype", help="bfloat16, float32 or float64 (default: the machine's faster one)"
    )


if __name__ == "__main__":
    leave(lambda: main(sys.argv[1:]))
