"""`python -m optimize`: search, confirm and freeze, for one task and one or more models."""

import argparse
import logging
import sys
from pathlib import Path

from modules.command import recorded
from modules.errors import UserError, leave
from modules.files import make_folder
from modules.lm import DEFAULT_MODELS, LocalModel, load_model
from modules.prompts import OWN_OPTIMIZER, Artifact, artifact_path, cut, file_name, load_artifact
from modules.tasks import load_task
from modules.tasks.example import Task
from modules.tasks.options import task_spec
from optimize.config import SearchConfig
from optimize.dspy_optimizers import run_dspy_optimizer
from optimize.finish.finalists import shown
from optimize.options import names, parser, scored_on, search_config
from optimize.propose.writer import open_writer
from optimize.search import run_search
from optimize.study.storage import without_password
from optimize.views.display import Display
from optimize.views.leaderboard import Entry, save_leaderboard


def main(arguments: list[str]) -> None:
    """Parse the command line, run the searches, say where the artifacts are."""
    options = parser().parse_args(arguments)
    command = recorded("python", "-m", "optimize", *map(without_password, arguments))
    configs = [search_config(options, name, command) for name in names(options)]
    make_folder(options.out)
    make_folder(options.runs)
    task, report = load_task(task_spec(options), options.seed)
    print(f"task {task.name}: {task.signature.instructions}")
    print("\n".join(f"  {line}" for line in report.lines()))
    for name in options.model or DEFAULT_MODELS:
        print(f"\nmodel {name}", flush=True)
        model = load_model(name, dtype=options.dtype, cache=options.cache)
        _search_all(task, model, configs, options)


def _search_all(
    task: Task, model: LocalModel, configs: list[SearchConfig], options: argparse.Namespace
) -> None:
    """Run every optimizer; several give a leaderboard, and one's failure does not stop the rest."""
    entries = []
    for config in configs:
        if len(configs) > 1:
            print(f"\n  optimizer {config.optimizer}", flush=True)
        try:
            entries.append(_search(task, model, config))
        except UserError as error:
            if len(configs) == 1:
                raise
            print(f"  {config.optimizer}: {error}", flush=True)
    if not entries:
        raise UserError("no optimizer came to an end; the lines above say why")
    if len(configs) > 1:
        print()
        print(save_leaderboard(entries, options.runs, task.name, model.identity.name, options.seed))


def _search(task: Task, model: LocalModel, config: SearchConfig) -> Entry:
    path = artifact_path(config.out, task.name, model.identity.name, config.seed, config.optimizer)
    before = load_artifact(path).sha256 if path.is_file() else None
    scored = scored_on(config.optimizer)
    with Display(task, config.budget.tokens, _plots(task, model, config), scored) as display:
        if config.optimizer == OWN_OPTIMIZER:
            artifact, path = run_search(task, model, config, display)
        else:
            writer = None
            if config.writer is not None:
                writer = open_writer(config.writer, model, config.seed)
            artifact, path = run_dspy_optimizer(task, model, config, display, writer)
    print("\n".join(f"  {line}" for line in display.account(artifact)))
    _show(artifact, task, model)
    same = {None: "", artifact.sha256: " (the same bytes as before)"}.get(before, " (replaced)")
    print(f"  {path}{same}", flush=True)
    return Entry(artifact=artifact, path=path, seconds=display.seconds)


def _plots(task: Task, model: LocalModel, config: SearchConfig) -> Path:
    return config.runs / f"{file_name(task.name)}-{file_name(model.identity.name)}"


def _show(artifact: Artifact, task: Task, model: LocalModel) -> None:
    """Print the frozen prompt as the model reads it, and how it did on confirm."""
    score = artifact.scores["confirm"]
    together = f"{len(artifact.prompts)} prompts together, " if artifact.members else ""
    settings = artifact.search.settings
    if settings is not None and len(artifact.prompts) < settings.ensemble:
        n = len(artifact.prompts)
        few = artifact.search.n_trials - artifact.search.n_pruned
        why = f"only {n} could be confirmed" if n < few else f"only {n} were tried to the end"
        print(f"  of {settings.ensemble} prompts {why}")
    print(
        f"  frozen: {together}{score.accuracy:.1%} on confirm "
        f"[{score.low:.1%}, {score.high:.1%}], n = {score.n}"
    )
    for number, prompt in enumerate(artifact.prompts, 1):
        if artifact.members:
            print(f"  prompt {number} of {len(artifact.prompts)}:")
        sample = cut(task.splits.dev[0].inputs[task.input_field], prompt.cap)
        print("  " + shown(prompt, sample, model).replace("\n", "\n  "))


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    leave(lambda: main(sys.argv[1:]))
