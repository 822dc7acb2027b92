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


def hand_made() -> list[Result]:
    """Two seeds of 10 examples: ours 18 of 20, capo 12 (16 by choose), labeled 10, mipro failed."""
    return [
        result("1111111110", dev=1.0, confirm=0.9, forward_tokens=100, seconds=10.0),
        result("1111111110", seed=1, dev=0.9, confirm=1.0, forward_tokens=100, seconds=10.0),
        result("1111111100", seed=0, budget="small", forward_tokens=20, seconds=3.0),
        result("1111111100", seed=1, budget="small", forward_tokens=20, seconds=3.0),
        result(
            "1111110000", guided="1111111100", optimizer="capo", forward_tokens=80, seconds=30.0
        ),
        result(
            *("1111110000",),
            guided="1111111100",
            optimizer="capo",
            seed=1,
            forward_tokens=120,
            seconds=30.0,
        ),
        result("1111100000", optimizer="labeled"),
        result("1111100000", optimizer="labeled", seed=1),
        result("", optimizer="mipro", error="ValueError: no"),
    ]
