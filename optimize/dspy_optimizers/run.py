"""A run of one of DSPy's optimizers from end to end: forecast, compile, score, freeze."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import dspy
import numpy as np
from pydantic import ValidationError

from modules.errors import UserError
from modules.lm import BudgetExceeded, Ledger, LocalModel, PromptTooLong
from modules.programs.naive import naive_prompt
from modules.prompts import Artifact, Prompt, answers, artifact_path, render, save_artifact
from modules.prompts.records import SearchRecord
from modules.tasks.example import Example, Task
from optimize.config import SearchConfig
from optimize.dspy_optimizers.compiling import FAILED, Compiled, compile_program
from optimize.dspy_optimizers.found import Found
from optimize.dspy_optimizers.price import ROOM_TOKENS, choose_tokens, largest_prompt, short_enough
from optimize.dspy_optimizers.registry import get_optimizer
from optimize.finish.finalists import N_FINALISTS, Finalist
from optimize.finish.freeze import build_artifact
from optimize.race.scoring import split_score
from optimize.race.trial import label_log_probabilities
from optimize.space.label_words import label_words
from optimize.watcher import Watcher

_N_BOOTSTRAPPED = 4  # DSPy's own number of bootstrapped demos
_N_LABELED = 16  # its own number of labelled ones, bootstrapped ones among them


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What a run starts from: prompt, demo pool, and how the budget is shared out."""

    naive: Prompt
    demos: Sequence[Example]
    n_demos: int
    n_bootstrapped: int
    reserve: int
    n_calls: int


def run_dspy_optimizer(
    task: Task,
    model: LocalModel,
    config: SearchConfig,
    watcher: Watcher,
    writer: dspy.LM | None = None,
) -> tuple[Artifact, Path]:
    """Run the optimizer `config.optimizer`, and freeze what it found.

    The program runs through the naive prompt. What it was asked before is free, as with DSPy's own
    cache. Tokens and calls for the last scoring of one program, on dev and confirm, are set aside
    first; seconds bound the optimizer alone. The finalists are the optimizer's own choice and the
    next best of what it scored whole, as many of three as are paid for; the one with the most right
    answers on dev and confirm together is frozen. At the end of a budget they are the best so far,
    or the program as it was where none was scored. The same task, model, configuration and library
    versions give the same artifact, byte for byte, unless seconds or a remote writer come between.

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
    plan = _plan(task, model, config)
    model.ledger = ledger = _first_ledger(task, config, plan)

    def told(number: int, score: float) -> None:
        watcher.program_ended(number, score, ledger.account.forward_tokens)

    with model.remembering():
        compiled = compile_program(
            optimizer,
            task,
            model,
            plan.naive,
            plan.demos,
            seed=config.seed,
            n_demos=plan.n_demos,
            n_bootstrapped=plan.n_bootstrapped,
            n_calls=plan.n_calls,
            writer=writer,
            told=told,
        )
        if compiled.stopped is not None:
            _tell_stopped(config.optimizer, compiled, watcher)
        ledger.go_on(config.budget.tokens, config.budget.calls)
        finalists = _finalists(task, model, plan.naive, compiled)
    for finalist in finalists:
        watcher.finalist_ended(finalist)
    winner = max(finalists, key=lambda one: _n_right(task, one))  # of equals the first
    record = _record(config, compiled, ledger, len(finalists))
    artifact = build_artifact(task, model, winner, record, config.command)
    path = artifact_path(config.out, task.name, model.identity.name, config.seed, config.optimizer)
    return save_artifact(artifact, path), path


def _first_ledger(task: Task, config: SearchConfig, plan: _Plan) -> Ledger:
    """Open the optimizer's ledger: the budget less what is set aside for the last scoring."""
    budget, n_last = config.budget, len(task.splits.dev) + len(task.splits.confirm)
    return Ledger(
        budget_tokens=budget.tokens - plan.reserve,
        budget_calls=None if budget.calls is None else budget.calls - n_last,
        budget_seconds=budget.seconds,
        rows_once=True,
    )


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


def _plan(task: Task, model: LocalModel, config: SearchConfig) -> _Plan:
    """Check what can be checked before a token is spent, and share the budget out."""
    label_words(task.label_names)  # refuses names that cannot be words
    naive = naive_prompt(task, is_chat=model.has_chat_template)
    dev, confirm = _texts(task, task.splits.dev), _texts(task, task.splits.confirm)
    if not all(model.fits(render(naive, t), answers=answers(naive)) for t in [*dev, *confirm]):
        raise UserError(
            f"no prompt fits into the context of {model.identity.name} with every dev example of "
            f"{task.name}; shorten its longest texts, or take another model"
        )
    n_bootstrapped = min(_N_LABELED, max(_N_BOOTSTRAPPED, len(task.labels)))
    demos, n_demos = _demo_pool(task, model, naive, n_bootstrapped)
    largest = largest_prompt(model, task, naive, demos, n_demos)
    reserve = sum(choose_tokens(model, largest, texts) + ROOM_TOKENS for texts in (dev, confirm))
    n_last = len(dev) + len(confirm)
    if config.budget.tokens < reserve:
        raise UserError(
            f"the budget of {config.budget.tokens:,} forward tokens is too small: {reserve:,} are "
            f"set aside for the last scoring; give at least {3 * reserve:,}"
        )
    if config.budget.calls is not None and config.budget.calls < n_last:
        raise UserError(
            f"the budget of {config.budget.calls:,} calls is too small: {n_last:,} are set aside "
            f"for the last scoring; give at least {3 * n_last:,}"
        )
    price = choose_tokens(model, largest, dev, apart=True) / len(dev)
    n_calls = int((config.budget.tokens - reserve) / price)
    if config.budget.calls is not None:
        n_calls = min(n_calls, config.budget.calls - n_last)
    return _Plan(
        naive=naive,
        demos=demos,
        n_demos=n_demos,
        n_bootstrapped=min(n_bootstrapped, n_demos),
        reserve=reserve,
        n_calls=n_calls,
    )


def _demo_pool(
    task: Task, model: LocalModel, naive: Prompt, least: int
) -> tuple[list[Example], int]:
    """Give the train examples that may be demos, and how many of them at once.

    The more demos share the context, the shorter each must be: from DSPy's own number down, until
    half of train is short enough, but not below `least`.

    Raises:
        UserError: no train example is short enough for that.
    """
    train = task.splits.train
    for n_demos in sorted({_N_LABELED, max(_N_LABELED // 2, least), least}, reverse=True):
        demos = short_enough(model, task, naive, train, n_demos)
        if 2 * len(demos) >= len(train):
            break
    if not demos:
        raise UserError(
            f"no train example of {task.name} is short enough to be one of {least} demos in the "
            f"context of {model.identity.name}; shorten the texts, or take another model"
        )
    return demos, min(n_demos, len(demos))


def _tell_stopped(name: str, compiled: Compiled, watcher: Watcher) -> None:
    """Pass the reason on; a failure that left nothing but the program as it was is an error.

    Raises:
        UserError: such a failure.
    """
    reason = compiled.stopped or ""
    if len(compiled.programs) == 1 and reason.startswith(FAILED):
        raise UserError(f"{name}: {reason}; nothing was found, take another optimizer or a writer")
    watcher.stopped_early(reason)


def _finalists(task: Task, model: LocalModel, naive: Prompt, compiled: Compiled) -> list[Finalist]:
    """Score the contenders that can be frozen and are paid for; if none can, the first that can.

    Raises:
        UserError: no program can.
    """
    found: list[Finalist] = []
    for number, program in enumerate(compiled.programs):
        if len(found) == N_FINALISTS or (found and number >= compiled.n_contenders):
            break
        finalist = _scored(task, model, naive, number, program)
        if finalist is not None:
            found.append(finalist)
    if not found:
        raise UserError(
            f"no program fits into the context of {model.identity.name} and into the budget with "
            f"every dev and confirm example of {task.name}; give a larger budget or shorten the "
            "longest texts"
        )
    return found


def _scored(
    task: Task, model: LocalModel, naive: Prompt, number: int, program: Found
) -> Finalist | None:
    """Score a program on dev and confirm; None where it does not fit or is not paid for."""
    splits = (task.splits.dev, task.splits.confirm)
    try:
        prompt = program.prompt(naive, task.signature.instructions)
        logp = [label_log_probabilities(model, task, prompt, split) for split in splits]
    except (ValidationError, PromptTooLong, BudgetExceeded):
        return None
    bias = np.array(prompt.bias)
    scores = [
        split_score(of_split, np.array(task.gold(split)), bias)
        for of_split, split in zip(logp, splits, strict=True)
    ]
    return Finalist(
        trial=number,
        prompt=prompt,
        calibration="none" if program.weights is None else "weights",
        dev=scores[0],
        confirm=scores[1],
        confirm_logp=logp[1],
        dev_logp=logp[0],
    )


def _n_right(task: Task, finalist: Finalist) -> int:
    """Give how many dev and confirm examples it answers rightly."""
    n_dev, n_confirm = len(task.splits.dev), len(task.splits.confirm)
    return round(finalist.dev.accuracy * n_dev) + round(finalist.confirm.accuracy * n_confirm)


def _texts(task: Task, examples: Sequence[Example]) -> list[str]:
    return [example.inputs[task.input_field] for example in examples]
