"""The writer's instructions in the study: written once, then read, with what they cost."""

from dataclasses import replace

import optuna

from modules.lm import BudgetExceeded, Ledger, LocalModel
from modules.tasks.example import Task
from optimize.config import SearchConfig
from optimize.propose.writer import open_writer, write_instructions
from optimize.race.record import Cost
from optimize.space.preparation import Prepared, cost_of

_WRITTEN = "written"
_COST = "written_cost"


def with_written(
    study: optuna.Study, prepared: Prepared, task: Task, model: LocalModel, config: SearchConfig
) -> Prepared:
    """Give the space with the writer's instructions in it, and what both cost.

    A study that has them is not written to again: a server may answer otherwise the next time. If
    several processes share a study, let the first one write before the others start.

    Raises:
        UserError: there is no such writer, or it does not answer.
    """
    assert config.writer is not None
    if _WRITTEN not in study.user_attrs:
        model.ledger = Ledger(config.budget.tokens - prepared.cost.tokens, config.budget.calls)
        writer = open_writer(config.writer, model, config.seed)
        try:
            texts = write_instructions(writer, task, model)
        except BudgetExceeded:
            texts = ()
        cost = cost_of(model.ledger)
        study.set_user_attr(_COST, [cost.tokens, cost.calls, cost.seconds])
        study.set_user_attr(_WRITTEN, list(texts))
    written = {f"written-{n}": text for n, text in enumerate(study.user_attrs[_WRITTEN], start=1)}
    tokens, calls, seconds = study.user_attrs[_COST]
    return replace(
        prepared,
        space=replace(prepared.space, written=written),
        cost=prepared.cost + Cost(tokens=tokens, calls=calls, seconds=seconds),
    )
