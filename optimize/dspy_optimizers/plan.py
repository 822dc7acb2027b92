"""The plan: what a run of one of DSPy's optimizers starts from, and how its budget is shared."""

from collections.abc import Sequence
from dataclasses import dataclass

from modules.errors import UserError
from modules.lm import LocalModel
from modules.programs.naive import naive_prompt
from modules.prompts import Prompt, answers, render
from modules.tasks.example import Example, Task
from optimize.config import Budget
from optimize.dspy_optimizers.price import ROOM_TOKENS, choose_tokens, largest_prompt, short_enough
from optimize.space.label_words import label_words

_N_BOOTSTRAPPED = 4  # DSPy's own number of bootstrapped demos
_N_LABELED = 16  # its own number of labelled ones, bootstrapped ones among them


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a run starts from.

    Programs run through the prompt `naive` and take their demos from `demos`, at most `n_demos` at
    once, of which `n_bootstrapped` may be bootstrapped. `reserve` forward tokens are set aside for
    the last scoring; what is left pays for `n_calls` answers, by forecast.
    """

    naive: Prompt
    demos: Sequence[Example]
    n_demos: int
    n_bootstrapped: int
    reserve: int
    n_calls: int


def make_plan(task: Task, model: LocalModel, budget: Budget) -> Plan:
    """Check what can be checked before a token is spent, and share the budget out.

    Raises:
        UserError: texts that do not fit into the context, or a budget too small for the last
            scoring of one program.
    """
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
    if budget.tokens < reserve:
        raise UserError(
            f"the budget of {budget.tokens:,} forward tokens is too small: {reserve:,} are "
            f"set aside for the last scoring; give at least {3 * reserve:,}"
        )
    if budget.calls is not None and budget.calls < n_last:
        raise UserError(
            f"the budget of {budget.calls:,} calls is too small: {n_last:,} are set aside "
            f"for the last scoring; give at least {3 * n_last:,}"
        )
    price = choose_tokens(model, largest, dev, apart=True) / len(dev)
    n_calls = int((budget.tokens - reserve) / price)
    if budget.calls is not None:
        n_calls = min(n_calls, budget.calls - n_last)
    return Plan(
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


def _texts(task: Task, examples: Sequence[Example]) -> list[str]:
    return [example.inputs[task.input_field] for example in examples]
