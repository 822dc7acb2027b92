"""A run of one of DSPy's optimizers from end to end: forecast, compile, score, freeze."""

from pathlib import Path

import dspy

from modules.errors import UserError
from modules.lm import Ledger, LocalModel
from modules.prompts import Artifact, artifact_path, save_artifact
from modules.prompts.records import SearchRecord
from modules.tasks.example import Task
from optimize.config import SearchConfig
from optimize.dspy_optimizers.compiling import FAILED, Compiled, compile_program
from optimize.dspy_optimizers.contenders import score_contenders
from optimize.dspy_optimizers.plan import make_plan
from optimize.dspy_optimizers.registry import get_optimizer
from optimize.finish.ensemble import build_ensemble
from optimize.finish.freeze import build_artifact
from optimize.finish.reserve import Reserve, without
from optimize.space.preparation import cost_of
from optimize.watcher import Watcher


def run_dspy_optimizer(
    task: Task,
    model: LocalModel,
    config: SearchConfig,
    watcher: Watcher,
    writer: dspy.LM | None = None,
) -> tuple[Artifact, Path]:
    """Run the optimizer `config.optimizer`, and freeze what it found.

    The program runs through the naive prompt. What it was asked before costs no tokens, as with
    DSPy's own cache. Tokens and calls for the last scoring of one program, on dev and confirm, are
    set aside first; seconds bound the optimizer alone. The finalists are the optimizer's own choice
    and the next best of what it scored whole, as many of three as are paid for; the one with the
    most right answers on dev and confirm together is frozen. At the end of a budget they are the
    best so far, or the program as it was where none was scored. The same task, model,
    configuration and library versions give the same artifact, byte for byte, unless seconds or a
    remote writer come between.

    Args:
        task: train feeds the demos, dev ranks the programs, confirm the finalists.
        model: what the prompt is for; it writes too where there is no writer.
        config: `budget.seconds` aside, the ledger never passes the budget.
        watcher: told of every program and of every finalist.
        writer: proposes instructions and teaches; what it spends is not counted.

    Returns:
        The sealed artifact and its path.

    Raises:
        UserError: an unknown optimizer, a budget too small for the last scoring, texts that do not
            fit into the context, an optimizer that fails before it has scored a program, or a
            folder that cannot be written to.
    """
    optimizer = get_optimizer(config.optimizer)
    plan = make_plan(task, model, config.budget)
    n_last = len(task.splits.dev) + len(task.splits.confirm)
    allowed = without(config.budget, Reserve(n=1, tokens=plan.reserve, calls=n_last, wanted=1))
    model.ledger = ledger = Ledger(
        budget_tokens=allowed.tokens,
        budget_calls=allowed.calls,
        budget_seconds=allowed.seconds,
        rows_once=True,
    )
    watcher.optimizer_began(allowed, plan.n_calls)

    def told(number: int, score: float) -> None:
        watcher.program_ended(number, score, ledger.account.forward_tokens)

    with model.remembering():
        compiled = compile_program(
            optimizer,
            task,
            model,
            plan,
            seed=config.seed,
            writer=writer,
            told=told,
        )
        if compiled.stopped is not None:
            _tell_stopped(config.optimizer, compiled, watcher)
        ledger.go_on(config.budget.tokens, config.budget.calls)
        finalists = score_contenders(task, model, plan.naive, compiled)
    for finalist in finalists:
        watcher.finalist_ended(finalist)
    watcher.ended(cost_of(ledger))
    winner = max(finalists, key=lambda one: one.dev.n_correct + one.confirm.n_correct)
    record = _record(config, compiled, ledger, len(finalists))
    artifact = build_artifact(task, model, build_ensemble([winner], task), record, config.command)
    path = artifact_path(config.out, task.name, model.identity.name, config.seed, config.optimizer)
    return save_artifact(artifact, path), path


def _record(
    config: SearchConfig, compiled: Compiled, ledger: Ledger, n_finalists: int
) -> SearchRecord:
    return SearchRecord(
        optimizer=config.optimizer,
        seed=config.seed,
        budget_tokens=config.budget.tokens,
        budget_calls=config.budget.calls,
        budget_seconds=config.budget.seconds,
        spent=ledger.account.to_json(),
        n_trials=compiled.n_programs,
        n_pruned=0,
        n_finalists=n_finalists,
    )


def _tell_stopped(name: str, compiled: Compiled, watcher: Watcher) -> None:
    """Pass the reason on; a failure that left nothing but the program as it was is an error.

    Raises:
        UserError: such a failure.
    """
    reason = compiled.stopped or ""
    if len(compiled.programs) == 1 and reason.startswith(FAILED):
        raise UserError(f"{name}: {reason}; nothing was found, take another optimizer or a writer")
    watcher.stopped_early(reason)
