"""`python -m optimize`: search, confirm and freeze, for one task and one or more models."""

import argparse
import logging
import shlex
import sys
from pathlib import Path

from modules.errors import UserError, exit_code
from modules.files import make_folder
from modules.lm import DEFAULT_MODELS, load_model
from modules.prompts import artifact_path, cut, load_artifact
from modules.tasks import load_task
from modules.tasks.example import Task
from modules.tasks.options import add_task_options, task_spec
from optimize.config import Budget, SearchConfig
from optimize.finish.finalists import shown
from optimize.search import run_search
from optimize.views.display import Display

DEFAULT_BUDGET = 120_000


def main(arguments: list[str]) -> None:
    """Parse the command line, run the searches, say where the artifacts are."""
    options = _parser().parse_args(arguments)
    if options.budget_tokens < 1:
        raise UserError(f"--budget-tokens must be at least 1, got {options.budget_tokens}")
    make_folder(options.out)
    make_folder(options.runs)
    task, report = load_task(task_spec(options), options.seed)
    print(f"task {task.name}: {task.signature.instructions}")
    print("\n".join(f"  {line}" for line in report.lines()))
    for name in options.model or DEFAULT_MODELS:
        _search(task, name, options, shlex.join(["python", "-m", "optimize", *arguments]))


def _search(task: Task, name: str, options: argparse.Namespace, command: str) -> None:
    print(f"\nmodel {name}", flush=True)
    model = load_model(name, dtype=options.dtype, cache=options.cache)
    config = SearchConfig(
        budget=Budget(tokens=options.budget_tokens),
        seed=options.seed,
        out=options.out,
        runs=options.runs,
        command=command,
    )
    path = artifact_path(options.out, task.name, model.identity.name, options.seed)
    before = load_artifact(path).sha256 if path.is_file() else None
    with Display(task, options.budget_tokens) as display:
        artifact, path = run_search(task, model, config, display)
    search, score = artifact.search, artifact.scores["confirm"]
    print(
        f"  {search.n_trials} trials, {search.n_pruned} stopped early, "
        f"{search.spent['forward_tokens']:,} forward tokens"
    )
    print(
        f"  frozen: {score.accuracy:.1%} on confirm "
        f"[{score.low:.1%}, {score.high:.1%}], n = {score.n}"
    )
    sample = cut(task.splits.dev[0].inputs[task.input_field], artifact.prompt.cap)
    print("  " + shown(artifact.prompt, sample, model).replace("\n", "\n  "))
    same = {None: "", artifact.sha256: " (the same bytes as before)"}.get(before, " (replaced)")
    print(f"  {path}{same}", flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m optimize",
        description="Find the best prompt for a task and a small local model, and freeze it.",
    )
    add_task_options(parser)
    group = parser.add_argument_group("search")
    group.add_argument(
        "--model",
        nargs="+",
        help="short names, hub ids or folders (default: " + " ".join(DEFAULT_MODELS) + ")",
    )
    group.add_argument(
        "--budget-tokens",
        type=int,
        default=DEFAULT_BUDGET,
        help=f"forward tokens for each model's search (default: {DEFAULT_BUDGET:,})",
    )
    group.add_argument("--seed", type=int, default=0, help="splits and search (default: 0)")
    group.add_argument(
        "--out", type=Path, default=Path("artifacts"), help="frozen prompts (default: artifacts)"
    )
    group.add_argument(
        "--runs", type=Path, default=Path("runs/search"), help="journals (default: runs/search)"
    )
    group.add_argument("--dtype", help="bfloat16 or float32 (default: the machine's faster one)")
    group.add_argument(
        "--no-cache",
        dest="cache",
        action="store_false",
        help="run everything, even what the answer cache has from an earlier run",
    )
    return parser


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    sys.exit(exit_code(lambda: main(sys.argv[1:])))
