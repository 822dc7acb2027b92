"""Which finished cells are compared: those of the same seeds."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from benchmarks.search.journal import Result


def on_equal_seeds(results: Sequence[Result], seeds: Collection[int], ours: str) -> list[Result]:
    """Keep, of each task, model and budget, the contestants that finished every seed of ours.

    Args:
        results: finished cells.
        seeds: those that are wanted; a pair where ours finished fewer keeps these.
        ours: the contestant whose seeds the others need.

    Returns:
        Cells of these seeds in the order of `results`. A contestant that lacks one of them, or
        ended in an error there, keeps only its errors, so that a report names it as missing.
    """
    finished: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for one in results:
        if one.ok and one.cell.seed in seeds:
            finished[_contestant(one, one.cell.optimizer)].add(one.cell.seed)
    return [
        one
        for one in results
        if one.cell.seed in (wanted := finished[_contestant(one, ours)])
        and (not one.ok or finished[_contestant(one, one.cell.optimizer)] >= wanted)
    ]


def _contestant(result: Result, optimizer: str) -> tuple[str, ...]:
    return result.cell.task, result.cell.model, result.cell.budget, optimizer
