"""The search from end to end: survey, propose and race, confirm, freeze."""

import importlib.metadata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from optuna.exceptions import StorageInternalError

from modules.errors import UserError
from modules.files import canonical_json, sha256_text
from modules.lm import LocalModel
from modules.prompts import OWN_OPTIMIZER, Artifact, artifact_path, file_name, save_artifact
from modules.prompts.evidence import STRENGTH
from modules.prompts.records import SearchRecord, SearchSettings
from modules.tasks.example import Task
from optimize.config import Budget, SearchConfig
from optimize.finish.ensemble import Ensemble, build_ensemble, pick_members
from optimize.finish.finalists import (
    MAX_FINALISTS,
    N_FINALISTS,
    Entrant,
    Finalist,
    confirm,
    ranked,
    spread,
)
from optimize.finish.freeze import build_artifact
from optimize.finish.reserve import (
    last_ledger,
    scoring_tokens,
    set_aside,
    too_small,
    without,
)
from optimize.propose.proposer import Proposer
from optimize.propose.samplers import directions
from optimize.race.racing import ALPHA, MIN_EXAMPLES
from optimize.race.record import Cost, TrialRecord
from optimize.race.trial import Race
from optimize.space.evidence import n_words
from optimize.space.preparation import Prepared, cost_of, prepare
from optimize.space.space import Space
from optimize.study.storage import open_study
from optimize.study.study import Search
from optimize.study.written import with_written
from optimize.watcher import Watcher

_LIBRARIES = ("numpy", "optuna", "scipy", "tokenizers", "torch", "transformers")


@dataclass(frozen=True, kw_only=True)
class _Finished:
    """What the study gave within its budget."""

    trials: Sequence[TrialRecord]
    spent: Cost
    space: Space


def run_search(
    task: Task, model: LocalModel, config: SearchConfig, watcher: Watcher
) -> tuple[Artifact, Path]:
    """Search a task's best prompt for a model, and freeze it.

    A search that was stopped goes on from its study, and several processes may share one. The same
    task, model, configuration and library versions give the same artifact, byte for byte, unless
    the budget is in seconds.

    Returns:
        The sealed artifact and its path.

    Raises:
        UserError: the budget is too small for one whole trial and one finalist, no prompt fits into
            the model's context, or a folder or a storage cannot be used.
    """
    with model.remembering():  # the finalists' dev answers are asked for again
        return _search(task, model, config, watcher)


def _search(
    task: Task, model: LocalModel, config: SearchConfig, watcher: Watcher
) -> tuple[Artifact, Path]:
    words = n_words(len(task.labels), config.ensemble) if config.evidence else 0
    prepared = prepare(model, task, config.seed, config.budget, n_words=words)
    least, most = (N_FINALISTS, MAX_FINALISTS) if config.ensemble == 1 else (config.ensemble,) * 2
    reserve = set_aside(model, task, prepared.space, config.budget, least, most)
    finished = _study(task, model, config, prepared, without(config.budget, reserve), watcher)
    entrants, n_apart = _entrants(finished, task, config.ensemble)
    if not entrants:
        first_trial = scoring_tokens(model, task, prepared.space, task.splits.dev)
        written = finished.spent.tokens - prepared.cost.tokens
        raise too_small(config.budget, reserve, first_trial + written, least, most)
    model.ledger = last_ledger(config.budget, finished.spent)
    finalists = confirm(
        model,
        task,
        entrants,
        min(reserve.wanted, max(least, n_apart)),
        prepared.space.evidence,
        watcher.finalist_ended,
        watcher.finalist_left_out,
    )
    if not finalists:
        raise UserError(
            "no finalist could be scored on confirm: each of the best passes the "
            f"budget of {config.budget.tokens:,} forward tokens or the context of "
            f"{model.identity.name}; give a larger budget, or shorten the longest texts"
        )
    frozen = _frozen(finalists, entrants if config.ensemble > 1 else [], task)
    spent = finished.spent + cost_of(model.ledger)
    watcher.ended(spent)
    record = _record(config, finished, spent, len(finalists))
    artifact = build_artifact(task, model, frozen, record, config.command)
    path = artifact_path(config.out, task.name, model.identity.name, config.seed)
    return save_artifact(artifact, path), path


def _study(
    task: Task,
    model: LocalModel,
    config: SearchConfig,
    prepared: Prepared,
    budget: Budget,
    watcher: Watcher,
) -> _Finished:
    """Run the study, or go on with it."""
    name = f"{file_name(task.name)}-{file_name(model.identity.name)}"
    mark = f"seed-{config.seed}-{_fingerprint(task, model, prepared.space, config)}"
    where: Path | str = config.storage or config.runs / name / f"{mark}.journal"
    study = open_study(where, f"{name}-{mark}", directions(config.sampler))
    if config.writer is not None:
        prepared = with_written(study, prepared, task, model, config)
    space = prepared.space
    proposer = Proposer(space, config.seed, config.sampler, config.at_once)
    search = Search(study, proposer, prepared.cost, n_wanted=min(config.ensemble, N_FINALISTS))
    watcher.began(search, space, budget)
    finished = _finished(search, space, budget)
    race = Race(model, task, space.evidence, stops=config.racing)
    for now in _carried_on(search, space, model, race, budget):
        for trial in now.trials[len(finished.trials) :]:
            watcher.trial_ended(trial, space, now.spent)
        finished = now
    if search.nothing_fits():
        raise UserError(
            f"no prompt fits into the context of {model.identity.name} with every dev example of "
            f"{task.name}; shorten its longest texts, or take another model"
        )
    watcher.study_ended(finished.trials, space, finished.spent)
    return finished


def _carried_on(
    search: Search, space: Space, model: LocalModel, race: Race, budget: Budget
) -> Iterator[_Finished]:
    """Run the study to the end of the budget; give what is finished after each trial and then.

    Raises:
        UserError: the study cannot be written or read any more.
    """
    try:
        for _ in search.run(model, race, budget):
            yield _finished(search, space, budget)
        yield _finished(search, space, budget)
    except (OSError, StorageInternalError) as error:
        raise UserError(
            f"the study cannot be written any more ({error}); what it has is kept, and the same "
            "command goes on"
        ) from error


def _finished(search: Search, space: Space, budget: Budget) -> _Finished:
    return _Finished(trials=search.finished(budget), spent=search.spent(budget), space=space)


def _entrants(finished: _Finished, task: Task, size: int) -> tuple[list[Entrant], int]:
    """Give who may meet confirm, in order: the best, or an ensemble's members; and their number.

    Behind those come the next best, for the places of prompts that a confirm text makes too long.
    """
    best = ranked(finished.trials, finished.space)
    if size == 1:
        return spread(best)
    members = pick_members(best, task, size)
    taken = {trial.slot for trial, _ in members}
    return [*members, *(one for one in best if one[0].slot not in taken)], len(members)


def _frozen(finalists: Sequence[Finalist], members: Sequence[Entrant], task: Task) -> Ensemble:
    """Give what is frozen: the winner, or the members that could be confirmed, together."""
    by_slot = {finalist.trial: finalist for finalist in finalists}
    confirmed = [by_slot[trial.slot] for trial, _ in members if trial.slot in by_slot]
    return build_ensemble(confirmed or finalists[:1], task)


def _record(
    config: SearchConfig, finished: _Finished, spent: Cost, n_finalists: int
) -> SearchRecord:
    trials = finished.trials
    return SearchRecord(
        optimizer=OWN_OPTIMIZER,
        seed=config.seed,
        budget_tokens=config.budget.tokens,
        budget_calls=config.budget.calls,
        budget_seconds=config.budget.seconds,
        settings=SearchSettings(
            sampler=config.sampler,
            at_once=config.at_once,
            ensemble=config.ensemble,
            racing=config.racing,
            evidence=config.evidence,
            writer=config.writer,
        ),
        spent={
            "n_prompts": spent.calls,
            "forward_tokens": spent.tokens,
            "saved_tokens": sum(trial.saved_tokens for trial in trials),
        },
        n_trials=len(trials),
        n_pruned=sum(trial.pruned and not trial.skipped for trial in trials),
        n_finalists=n_finalists,
    )


def _fingerprint(task: Task, model: LocalModel, space: Space, config: SearchConfig) -> str:
    """Name what a study depends on, so that no other search goes on in it.

    The budget is left out: a larger one carries the same study further.
    """
    parts = {
        "version": importlib.metadata.version("burnish"),
        "data": task.data_hash,
        "test": task.splits.test.digest,
        "sizes": task.splits.sizes(),
        "labels": [[label.name, label.meaning] for label in task.labels],
        "space": space.dimensions,
        "texts": space.texts(),
        "evidence": [list(space.evidence), STRENGTH],
        "rankings": {name: list(ids) for name, ids in space.rankings.items()},
        "model": [model.identity.digest, model.identity.dtype, model.identity.processor],
        "libraries": [importlib.metadata.version(name) for name in _LIBRARIES],
        "seed": config.seed,
        "sampler": [config.sampler, config.at_once],
        "racing": [config.racing, config.ensemble, "paired t", ALPHA, MIN_EXAMPLES],
        "writer": config.writer,
    }
    return sha256_text(canonical_json(parts))[:12]
