"""The contenders: what an optimizer found is scored on dev and confirm while that is paid for."""

import numpy as np
from pydantic import ValidationError

from modules.errors import UserError
from modules.lm import BudgetExceeded, LocalModel, PromptTooLong
from modules.prompts import Prompt, calibrated
from modules.tasks.example import Task
from optimize.dspy_optimizers.compiling import Compiled
from optimize.dspy_optimizers.found import Found
from optimize.finish.finalists import N_FINALISTS, Finalist
from optimize.race.said import ask
from optimize.race.scoring import score_of


def score_contenders(
    task: Task, model: LocalModel, naive: Prompt, compiled: Compiled
) -> list[Finalist]:
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
        said = [ask(model, task, prompt, split) for split in splits]
    except (ValidationError, PromptTooLong, BudgetExceeded):
        return None
    logp = [calibrated(prompt, of_split.logp, of_split.words) for of_split in said]
    scores = [
        score_of(of_split, np.array(task.gold(split)))
        for of_split, split in zip(logp, splits, strict=True)
    ]
    return Finalist(
        trial=number,
        prompt=prompt,
        calibration="none" if program.weights is None else "weights",
        dev=scores[0],
        confirm=scores[1],
        dev_said=said[0],
        confirm_said=said[1],
        dev_logp=logp[0],
        confirm_logp=logp[1],
    )
