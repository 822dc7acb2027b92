"""The search from end to end: propose and race, confirm, freeze."""

import importlib.metadata
from pathlib import Path
from typing import Protocol

from modules.errors import UserError
from modules.files import canonical_json, sha256_text
from modules.lm import Ledger, LocalModel
from modules.prompts import OWN_OPTIMIZER, Artifact, artifact_path, file_name, save_artifact
from modules.prompts.records import SearchRecord
from modules.tasks.example import Task
from optimize.config import SearchConfig
from optimize.finish.finalists import N_FINALISTS, Finalist, confirm, confirm_tokens, pick_finalists
from optimize.finish.freeze import build_artifact
from optimize.space.space import Space, build_space
from optimize.study.study import Search, TrialRecord


class Watcher(Protocol):
    """Who is told how the search goes; a command line draws it."""

    def trial_ended(self, trial: TrialRecord, space: Space, spent_tokens: int) -> None: ...

    def finalist_ended(self, finalist: Finalist) -> None: ...


def run_search(
    task: Task, model: LocalModel, config: SearchConfig, watcher: Watcher
) -> tuple[Artifact, Path]:
    """Search a task's best prompt for a model, and freeze it.

    A search that was stopped goes on from its journal. The same task, model, configuration and
    library versions give the same artifact, byte for byte.

    Returns:
        The sealed artifact and its path.

    Raises:
        UserError: the budget is too small for one whole trial and one finalist, no prompt fits into
            the model's context, or a folder cannot be written to.
    """
    space = build_space(task, config.seed, has_chat=model.has_chat_template)
    reserve = confirm_tokens(model, task, space)
    study_budget = config.budget.tokens - reserve
    name = f"{file_name(task.name)}-{file_name(model.identity.name)}"
    journal = config.runs / name / f"{_fingerprint(task, model, space, config)}.journal"
    search = Search(journal, name, config.seed)

    def told(trial: TrialRecord) -> None:
        watcher.trial_ended(trial, space, search.spent()["forward_tokens"])

    search.run(model, task, space, study_budget, told)
    if search.nothing_fits():
        raise UserError(
            f"no prompt fits into the context of {model.identity.name} with every dev example of "
            f"{task.name}; shorten its longest texts, or take another model"
        )
    trials = search.finished(study_budget)
    entrants = pick_finalists(trials, space)
    if not entrants:
        raise UserError(
            f"the budget of {config.budget.tokens:,} forward tokens is too small: {reserve:,} are "
            f"set aside for the {N_FINALISTS} finalists and no trial could be finished with the "
            f"rest; give at least {3 * reserve:,}"
        )
    spent = search.spent(study_budget)
    model.ledger = Ledger(config.budget.tokens - spent["forward_tokens"])
    finalists = confirm(model, task, entrants, watcher.finalist_ended)
    if not finalists:
        raise UserError(
            f"no finalist could be scored on confirm: each of the {len(entrants)} passes the "
            f"budget of {config.budget.tokens:,} forward tokens or the context of "
            f"{model.identity.name}; give a larger budget, or shorten the longest texts"
        )
    for key, count in model.ledger.account.to_json().items():
        spent[key] = spent.get(key, 0) + count
    record = SearchRecord(
        optimizer=OWN_OPTIMIZER,
        seed=config.seed,
        budget_tokens=config.budget.tokens,
        spent=spent,
        n_trials=len(trials),
        n_pruned=sum(trial.pruned for trial in trials),
        n_finalists=len(finalists),
    )
    artifact = build_artifact(task, model, finalists[0], record, config.command)
    path = artifact_path(config.out, task.name, model.identity.name, config.seed)
    return save_artifact(artifact, path), path


def _fingerprint(task: Task, model: LocalModel, space: Space, config: SearchConfig) -> str:
    """Name what a study depends on, so that no other search goes on in its journal.

    The budget is left out: a larger one carries the same study further.
    """
    parts = {
        "version": importlib.metadata.version("burnish"),
        "data": task.data_hash,
        "test": task.splits.test.digest,
        "sizes": task.splits.sizes(),
        "labels": [[label.name, label.meaning] for label in task.labels],
        "space": space.dimensions,
        "model": [model.identity.digest, model.identity.dtype],
        "seed": config.seed,
    }
    return f"seed-{config.seed}-{sha256_text(canonical_json(parts))[:12]}"
