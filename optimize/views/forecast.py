"""The forecast: what a search will take, said before its first trial."""

from collections.abc import Iterator

import numpy as np

from optimize.config import Budget
from optimize.race.record import Cost
from optimize.space.space import Space
from optimize.study.study import Search

_MIN_TOKENS = 1_000


def forecast(search: Search, space: Space, budget: Budget) -> Iterator[str]:
    """Give the size of the space, what is left to spend, and how long that takes at this speed.

    The speed is that of what was run so far, the survey or an earlier run's trials; where the
    answer cache gave most of it, no time is said.
    """
    spent = search.spent(budget)
    sizes = [len(values) for values in space.dimensions.values()]
    digits = np.log10(np.array(sizes, dtype=np.float64)).sum()
    surveyed = "" if space.rankings else "; no survey of train: a larger budget has one"
    yield f"space: {len(sizes)} dimensions, about 10^{digits:.0f} points{surveyed}"
    left = search.left(budget)
    speed = _speed(spent)
    takes = (
        ""
        if speed is None
        else f"; at {speed:,.0f} tokens/s they take {duration(left.tokens / speed)}"
    )
    yield f"left for trials: {in_words(left)}{takes}"


def in_words(budget: Budget) -> str:
    """Give a budget in words, with each of its limits; whichever ends first counts."""
    limits = [f"{budget.tokens:,} forward tokens"]
    if budget.calls is not None:
        limits.append(f"{budget.calls:,} calls")
    if budget.seconds is not None:
        limits.append(f"{budget.seconds:.0f} s")
    return " or ".join(limits)


def duration(seconds: float) -> str:
    """Give a time in words: seconds below two minutes, then minutes."""
    whole = max(1, round(seconds))
    return f"{whole} s" if whole < 120 else f"{round(whole / 60)} min"


def _speed(spent: Cost) -> float | None:
    """Give the tokens that were run in a second; None where too few were."""
    run = spent.tokens - spent.reused
    return run / spent.seconds if run >= _MIN_TOKENS and spent.seconds > 0 else None
