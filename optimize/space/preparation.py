"""The survey before the first trial, and the space that it makes. It is part of the account."""

from dataclasses import dataclass, replace

from modules.lm import Ledger, LocalModel
from modules.tasks.example import Task
from optimize.config import Budget
from optimize.race.record import Cost
from optimize.space.evidence import likely_answers, openings
from optimize.space.space import Space, build_space
from optimize.space.survey import Survey, size_within, survey

_MAX_TOKENS = 12_000
SURVEY_SHARE = 20
"""The survey is at most one part in so many of the budget. It costs about as much as one trial, and
its words want trials of their own, so it is for budgets that pay for many."""
EVIDENCE_SHARE = 12
"""And the pass for the words of evidence at most one in so many."""


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """The space of a search and what it cost to make it."""

    space: Space
    cost: Cost


def prepare(
    model: LocalModel, task: Task, seed: int, budget: Budget, *, n_words: int = 0
) -> Prepared:
    """Survey the train split and make the space.

    Args:
        model: what the prompts are for; its ledger is replaced.
        task: train feeds all of it.
        seed: of the demo sets.
        budget: of the whole search.
        n_words: how many other words than the label words may be weighed; 0 is none.
    """
    model.ledger = Ledger(budget.tokens, budget.calls)
    surveyed = _survey(model, task, budget)
    space = build_space(
        task,
        seed,
        has_chat=model.has_chat_template,
        words=surveyed.words,
        rankings=surveyed.demo_orders,
    )
    if n_words:
        space = replace(space, evidence=_evidence(model, space, budget, n_words))
    return Prepared(space=space, cost=cost_of(model.ledger))


def cost_of(ledger: Ledger) -> Cost:
    """Give what was spent on a ledger."""
    account = ledger.account
    return Cost(
        tokens=account.forward_tokens,
        calls=account.n_prompts,
        seconds=round(ledger.seconds, 3),
        reused=account.reused_tokens,
    )


def _survey(model: LocalModel, task: Task, budget: Budget) -> Survey:
    """Survey as many train examples as `_MAX_TOKENS` pay for, whatever the budget.

    So a larger budget carries the same study on, but for the first that has a survey.
    """
    size = size_within(model, task, _MAX_TOKENS)
    if not _affords(budget, SURVEY_SHARE, size.tokens, size.calls):
        return Survey()
    return survey(model, task, n_examples=size.n_examples)


def _evidence(model: LocalModel, space: Space, budget: Budget, n: int) -> tuple[str, ...]:
    """Find at most n words of evidence, none where a budget does not hold the pass."""
    asked = openings(space)
    tokens = sum(map(model.count_tokens, asked))
    if not _affords(budget, EVIDENCE_SHARE, tokens, len(asked)):
        return ()
    return likely_answers(model, space, n)


def _affords(budget: Budget, share: int, tokens: int, calls: int) -> bool:
    """Whether tokens and calls are a small part of a budget, one in `share` at most."""
    enough_calls = budget.calls is None or share * calls <= budget.calls
    return enough_calls and share * tokens <= budget.tokens
