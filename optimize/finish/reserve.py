"""The reserve: what trials leave to the finalists, and what is said where that is too much."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from modules.errors import UserError
from modules.lm import Ledger, LocalModel
from modules.prompts import answers, render
from modules.tasks.example import Example, Task
from optimize.config import Budget
from optimize.race.record import Cost
from optimize.space.preparation import EVIDENCE_SHARE, SURVEY_SHARE
from optimize.space.space import Space


@dataclass(frozen=True, kw_only=True)
class Reserve:
    """What trials leave to the finalists: forward tokens and calls for `n` of them on confirm.

    `wanted` is how many there shall be: more than `n` where what trials leave over pays for them.
    """

    n: int
    tokens: int
    calls: int
    wanted: int


def set_aside(
    model: LocalModel, task: Task, space: Space, budget: Budget, least: int, most: int
) -> Reserve:
    """Give what is set aside: for every finalist that is wanted, or for those half a budget pays.

    For one at least: without confirm no score is told.

    Args:
        model: says what a finalist costs.
        task: gives the confirm split.
        space: gives the prompt whose cost is taken for all.
        budget: of the whole search.
        least: how many finalists are wanted, whatever the budget.
        most: how many where a tenth of the budget pays for them.
    """
    tokens = scoring_tokens(model, task, space, task.splits.confirm)
    calls = len(task.splits.confirm)
    wanted = n_wanted(budget.tokens, tokens, least, most)
    n = n_paid(budget.tokens, tokens, wanted)
    if budget.calls is not None:
        n = n_paid(budget.calls, calls, n)
    return Reserve(n=n, tokens=n * tokens, calls=n * calls, wanted=wanted)


def n_wanted(budget: int, each: int, least: int, most: int) -> int:
    """Give how many finalists at `each` a tenth of a budget pays for, from `least` to `most`."""
    return max(least, min(most, budget // 10 // each))


def n_paid(budget: int, each: int, n_entrants: int) -> int:
    """Give how many finalists at `each` half a budget pays for, of those wanted; one at least."""
    return max(1, min(n_entrants, budget // 2 // each))


def scoring_tokens(model: LocalModel, task: Task, space: Space, examples: Sequence[Example]) -> int:
    """Estimate what one prompt costs on examples: the plainest few-shot prompt's and a quarter."""
    prompt = space.prompt(space.starting_points()[0])
    texts = [example.inputs[task.input_field] for example in examples]
    return model.cost([render(prompt, text) for text in texts], answers(prompt)) * 5 // 4


def last_ledger(budget: Budget, spent: Cost) -> Ledger:
    """Open the ledger of the last scoring: the budget's tokens and calls that are not spent.

    What was set aside for it is among them, and what came before left over; seconds do not stop it.
    """
    calls = None if budget.calls is None else budget.calls - spent.calls
    return Ledger(budget.tokens - spent.tokens, calls)


def enough(first_trial: int, each: int, least: int, most: int) -> int:
    """Give forward tokens that pay for one trial, whatever `set_aside` keeps of them.

    Args:
        first_trial: the trial's tokens, and those of a writer before it.
        each: what is set aside for one finalist.
        least: how many of them are wanted; half a budget is kept for them at most.
        most: how many where a tenth of the tokens pays for them.
    """
    n, tokens = least, _enough_for(first_trial, each, least)
    while (wanted := n_wanted(tokens, each, least, most)) > n:
        n, tokens = wanted, _enough_for(first_trial, each, wanted)
    return tokens


def _enough_for(first_trial: int, each: int, n_entrants: int) -> int:
    for n in range(1, n_entrants):
        tokens = _with_preparation(first_trial + n * each)
        if n > 1:
            tokens = max(tokens, 2 * n * each)
        if tokens < 2 * (n + 1) * each:
            return tokens
    return _with_preparation(first_trial + n_entrants * each)


def _with_preparation(tokens: int) -> int:
    """Add the shares that the survey and the search for evidence may take of a budget."""
    whole = SURVEY_SHARE * EVIDENCE_SHARE
    return tokens * whole // (whole - SURVEY_SHARE - EVIDENCE_SHARE) + 1


def too_small(
    budget: Budget, reserve: Reserve, first_trial: int, least: int, most: int
) -> UserError:
    """Say that no trial could be finished, and what would be enough; see `enough`."""
    needed = enough(first_trial, reserve.tokens // reserve.n, least, most)
    kept = (
        f"{reserve.tokens:,} are set aside for {reserve.n} "
        f"{'finalist' if reserve.n == 1 else 'finalists'}"
    )
    others = [] if budget.seconds is None else [f"{budget.seconds:g} s"]
    others += [] if budget.calls is None else [f"{budget.calls:,} calls"]
    if others and budget.tokens >= needed:
        return UserError(
            f"no trial could be finished within {', '.join(others)}, and {budget.tokens:,} forward "
            f"tokens of which {kept}; give more"
        )
    return UserError(
        f"the budget of {budget.tokens:,} forward tokens is too small: {kept} and no trial "
        "could be finished with the rest; take fewer dev and confirm examples, or give at least "
        f"{needed:,}"
    )


def without(budget: Budget, reserve: Reserve) -> Budget:
    """Give a budget less what is set aside."""
    calls = None if budget.calls is None else budget.calls - reserve.calls
    return replace(budget, tokens=budget.tokens - reserve.tokens, calls=calls)
