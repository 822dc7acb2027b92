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
from optimize.finish.finalists import Finalist, last_ledger
from optimize.finish.freeze import build_artifact
from optimize.race.scoring import split_score
from optimize.race.trial import label_log_probabilities
from optimize.space.label_words import label_words
from optimize.space.preparation import cost_of
from optimize.watcher import Watcher

_N_DEMOS = 4  # DSPy's own number of bootstrapped demos
_MAX_DEMOS = 16  # its own number of labelled ones


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What a run starts from: prompt, demo pool, and how the budget is shared out."""

    naive: Prompt
    demos: Sequence[Example]
    n_demos: int
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

    The program runs through the naive prompt. Tokens and calls for the last scoring, on dev and
    confirm, are set aside first; seconds bound the optimizer alone. At the end of a budget the best
    program so far is frozen, or the program as it was where none was scored. The same task, model,
    configuration and library versions give the same artifact, byte for byte, unless seconds or a
    remote writer come between.

    Args:
        task: train feeds the demos, dev ranks the programs, confirm gives the score.
        model: what the prompt is for; it writes too where there is no writer.
        config: `budget.seconds` aside, the ledger never passes the budget.
        watcher: told of every program.
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

    compiled = compile_program(
        optimizer,
        task,
        model,
        plan.naive,
        plan.demos,
        seed=config.seed,
        n_demos=plan.n_demos,
        n_calls=plan.n_calls,
        writer=writer,
        told=told,
    )
    if compiled.stopped is not None:
        _tell_stopped(config.optimizer, compiled, watcher)
    model.ledger = last_ledger(config.budget, cost_of(ledger))
    finalist = _score(task, model, plan.naive, compiled.programs)
    watcher.finalist_ended(finalist)
    record = _record(config, compiled, (ledger, model.ledger))
    artifact = build_artifact(task, model, finalist, record, config.command)
    path = artifact_path(config.out, task.name, model.identity.name, config.seed, config.optimizer)
    return save_artifact(artifact, path), path


def _first_ledger(task: Task, config: SearchConfig, plan: _Plan) -> Ledger:
    """Open the optimizer's ledger: the budget less what is set aside for the last scoring."""
    budget, n_last = config.budget, len(task.splits.dev) + len(task.splits.confirm)
    return Ledger(
        budget_tokens=budget.tokens - plan.reserve,
        budget_calls=None if budget.calls is None else budget.calls - n_last,
        budget_seconds=budget.seconds,
    )


def _record(config: SearchConfig, compiled: Compiled, ledgers: Sequence[Ledger]) -> SearchRecord:
    accounts = [ledger.account.to_json() for ledger in ledgers]
    return SearchRecord(
        optimizer=config.optimizer,
        seed=config.seed,
        budget_tokens=config.budget.tokens,
        budget_calls=config.budget.calls,
        budget_seconds=config.budget.seconds,
        spent={key: sum(account[key] for account in accounts) for key in accounts[0]},
        n_trials=compiled.n_programs,
        n_pruned=0,
        n_finalists=1,
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
    n_demos = min(_MAX_DEMOS, max(_N_DEMOS, len(task.labels)))
    demos = short_enough(model, task, naive, task.splits.train, n_demos)
    if not demos:
        raise UserError(
            f"no train example of {task.name} is short enough to be one of {n_demos} demos in the "
            f"context of {model.identity.name}; shorten the texts, or take another model"
        )
    n_demos = min(n_demos, len(demos))
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
    return _Plan(naive=naive, demos=demos, n_demos=n_demos, reserve=reserve, n_calls=n_calls)


def _tell_stopped(name: str, compiled: Compiled, watcher: Watcher) -> None:
    """Pass the reason on; a failure that left nothing but the program as it was is an error.

    Raises:
        UserError: such a failure.
    """
    reason = compiled.stopped or ""
    if len(compiled.programs) == 1 and reason.startswith(FAILED):
        raise UserError(f"{name}: {reason}; nothing was found, take another optimizer or a writer")
    watcher.stopped_early(reason)


def _score(task: Task, model: LocalModel, naive: Prompt, programs: Sequence[Found]) -> Finalist:
    """Score the first program that can be frozen, fits into the context and into what is left.

    Raises:
        UserError: none does.
    """
    gold = [np.array(task.gold(split)) for split in (task.splits.dev, task.splits.confirm)]
    own_instructions = task.signature.instructions
    for number, program in enumerate(programs):
        try:
            prompt = program.prompt(naive, own_instructions)
            logp = [
                label_log_probabilities(model, task, prompt, split)
                for split in (task.splits.dev, task.splits.confirm)
            ]
        except (ValidationError, PromptTooLong, BudgetExceeded):
            continue
        bias = np.array(prompt.bias)
        return Finalist(
            trial=number,
            prompt=prompt,
            calibration="none" if program.weights is None else "weights",
            dev=split_score(logp[0], gold[0], bias),
            confirm=split_score(logp[1], gold[1], bias),
            confirm_logp=logp[1],
            dev_logp=logp[0],
        )
    raise UserError(
        f"no program fits into the context of {model.identity.name} and into the budget with every "
        f"dev and confirm example of {task.name}; give a larger budget or shorten the longest texts"
    )


def _texts(task: Task, examples: Sequence[Example]) -> list[str]:
    return [example.inputs[task.input_field] for example in examples]
