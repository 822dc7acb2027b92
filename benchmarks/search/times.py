"""How long our search takes to the best peer's accuracy, beside that peer, one after the other.

Times of the matrix mean nothing where several processes share the cores. Here the smallest of our
budgets that reaches the best peer, and that peer's own, are searched anew in turn, in one process
and with nothing beside it. Loading and the test split are left out.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.common import interleaved, machine, save_result, spread
from benchmarks.search.analysis import analyse
from benchmarks.search.journal import Result
from benchmarks.search.protocol import Cell
from benchmarks.search.scores import Efficiency
from modules.errors import UserError

Search = Callable[[Cell], Result]
"""Searches a cell, and leaves the test split out."""


def reached(
    results: Sequence[Result], ours: str, *, tasks: Sequence[str], models: Sequence[str]
) -> list[Efficiency]:
    """Give what reaches the best peers of the small budget, of these tasks and models.

    Raises:
        UserError: no finished cell of ours reaches one.
    """
    found = [
        one
        for one in analyse(list(results), {}, ours).efficiencies
        if one.peer_budget == "small" and one.budget and one.task in tasks and one.model in models
    ]
    if not found:
        raise UserError(
            f"no finished cell of {ours} reaches a peer on these tasks and models: "
            "run python -m benchmarks.search run and curves first"
        )
    return found


def measure(
    one: Efficiency, ours: str, *, seed: int, rounds: int, search: Search
) -> dict[str, Any]:
    """Search both sides `rounds` times in turn, after one of ours that warms up."""

    def cell(optimizer: str, budget: str) -> Cell:
        return Cell(task=one.task, model=one.model, seed=seed, optimizer=optimizer, budget=budget)

    own, peer = cell(ours, str(one.budget)), cell(one.peer, one.peer_budget)
    search(own)
    seconds = interleaved(
        rounds, {"ours": lambda: search(own).seconds, "peer": lambda: search(peer).seconds}
    )
    told = {side: spread(values) for side, values in seconds.items()}
    return {
        "task": one.task,
        "model": one.model,
        "budget": one.budget,
        "peer": one.peer,
        "share_tokens": one.share_tokens,
        "share_seconds": round(told["ours"]["median"] / told["peer"]["median"], 4),
        "seconds": told,
    }


def save_times(pairs: Sequence[dict[str, Any]], command: str, *, seed: int, rounds: int) -> Path:
    """Write the dated result, and give its path."""
    found = {"command": command, "machine": machine(), "seed": seed, "rounds": rounds}
    return save_result("search-times", {**found, "pairs": pairs})


def line(pair: dict[str, Any]) -> str:
    """Say what a pair took."""
    ours, peer = (pair["seconds"][side]["median"] for side in ("ours", "peer"))
    return (
        f"{pair['task']} with {pair['model']}: {ours:.1f} s (budget {pair['budget']}) against "
        f"{peer:.1f} s of {pair['peer']}, {pair['share_seconds']:.1%}"
    )
