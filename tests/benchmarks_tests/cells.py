"""Hand-made cells and results of the matrix."""

from benchmarks.search import protocol
from benchmarks.search.journal import Result
from benchmarks.search.protocol import Cell


def cell(**changes: object) -> Cell:
    """A cell, changed where need be."""
    plain = {"task": "t", "model": "m", "seed": 0, "optimizer": "optuna", "budget": "large"}
    return Cell(**(plain | changes))


def result(correct: str, *, guided: str = "", **changes: object) -> Result:
    """A finished cell with these answers; the other changes are the cell's, or the costs."""
    costs = {
        name: changes.pop(name)
        for name in (
            "forward_tokens",
            "seconds",
            "test_seconds",
            "dev",
            "confirm",
            "error",
            "notes",
        )
        if name in changes
    }
    where = cell(**changes)
    return Result(
        cell=where,
        budget_tokens=protocol.budget_tokens(where.task, where.budget),
        n_test=len(correct),
        test_hash=f"test-{where.task}-{where.seed}",
        correct=correct,
        guided=guided,
        **costs,
    )
