"""The writer's instructions in the study: written once, then read, with what they cost."""

import time
from dataclasses import asdict, replace

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState

from modules.lm import Ledger, LocalModel
from modules.tasks.example import Task
from optimize.config import SearchConfig
from optimize.propose.proposal import Proposal
from optimize.propose.writer import open_writer, write_instructions
from optimize.race.record import Cost
from optimize.space.preparation import Prepared, cost_of
from optimize.study.claims import Claims

_WRITTEN = "written"
_COST = "written_cost"
_SLOT = -1  # no slot of the search: it is claimed as one, so that one process writes
_MAX_TOKENS = 8_000
_POLL_SECONDS = 0.2


def with_written(
    study: optuna.Study, prepared: Prepared, task: Task, model: LocalModel, config: SearchConfig
) -> Prepared:
    """Give the space with the writer's instructions in it, and what both cost.

    One process writes, and others that share the study wait for it; a study that has the texts is
    not written to again, for a server may answer otherwise the next time. What the task's own model
    may spend on it does not depend on the budget.

    Raises:
        UserError: there is no such writer, or it does not answer.
    """
    claims = Claims(study)
    nothing = {_SLOT: Proposal(point={}, dimensions={}, by="writer")}
    while _WRITTEN not in study.user_attrs:
        claim = claims.take([_SLOT], nothing)
        if claim is None:
            time.sleep(_POLL_SECONDS)
            continue
        try:
            with claims.beating(claim.trial):
                _write(study, task, model, config)
            claims.close(claim.trial, state=TrialState.PRUNED)
        except UpdateFinishedTrialError:
            continue  # another process took this one for dead, and writes
        except BaseException:
            claims.give_up(claim.trial)
            raise
    written = {f"written-{n}": text for n, text in enumerate(study.user_attrs[_WRITTEN], start=1)}
    return replace(
        prepared,
        space=replace(prepared.space, written=written),
        cost=prepared.cost + Cost(**study.user_attrs[_COST]),
    )


def _write(study: optuna.Study, task: Task, model: LocalModel, config: SearchConfig) -> None:
    assert config.writer is not None
    writer = open_writer(config.writer, model, config.seed)
    model.ledger = Ledger(_MAX_TOKENS)
    texts = write_instructions(writer, task, model)
    cost = cost_of(model.ledger) if model.ledger.account.n_prompts else Cost()
    if _WRITTEN in study.user_attrs:
        return  # this process was taken for dead, and another one has written
    study.set_user_attr(_COST, asdict(cost))
    study.set_user_attr(_WRITTEN, list(texts))
