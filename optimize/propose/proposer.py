"""The proposer: which points are tried next, as a function of what is known.

Slots come in generations. What a generation proposes follows from the seed and from the trials of
the generations before it, so it is the same after a kill and with any number of processes.
"""

import random
from collections.abc import Hashable, Sequence
from typing import Any

from modules.programs.instructions import OFF
from modules.prompts import what_is_read
from optimize.propose.moves import crossing, deletion, neighbour
from optimize.propose.proposal import Proposal
from optimize.propose.samplers import PARETO, sample
from optimize.race.record import TrialRecord, by_loss
from optimize.space.space import Space

_TURNS = 4
_N_PARENTS = 2
_N_CROSSED = 4
_PURE = ("random", *PARETO)

Point = dict[str, Any]


class Proposer:
    """Proposes points of a space.

    The starting points come first. After that they take turns: a point of the sampler's (drawn at
    random as long as it has too few trials to go by), one between two of the best, one with a part
    left out or near the best, and one near the best. With "random" and "nsga2" the sampler has all.

    Args:
        space: where the points lie.
        seed: fixes all chance.
        sampler: a key of `optimize.propose.samplers.SAMPLERS`.
        generation_size: how many slots a generation has: so many trials may run at once.
    """

    def __init__(self, space: Space, seed: int, sampler: str, generation_size: int) -> None:
        self.space = space
        self.seed = seed
        self.sampler = sampler
        self.generation_size = generation_size
        self._identities: dict[str, Hashable] = {}

    def generation(self, trials: Sequence[TrialRecord], number: int) -> dict[int, Proposal]:
        """Give the proposals of a generation, by slot.

        Args:
            trials: the finished trials of all generations before it, in the order of their slots.
            number: the generation's, from 0.
        """
        seen = {self._identity(trial.point) for trial in trials}
        found: dict[int, Proposal] = {}
        first = number * self.generation_size
        for slot in range(first, first + self.generation_size):
            found[slot] = self._propose(trials, slot, seen)
            seen.add(self._identity(found[slot].point))
        return found

    def _propose(self, trials: Sequence[TrialRecord], slot: int, seen: set[Hashable]) -> Proposal:
        dimensions = self.space.dimensions
        frozen = [trial.frozen for trial in trials]
        point, marks = sample(self.sampler, dimensions, frozen, self.seed, slot)
        made = Proposal(point=point, dimensions=dimensions, by=self.sampler, marks=marks)
        start = self.space.starting_points()
        if slot < len(start):
            return Proposal(point=start[slot], dimensions=dimensions, by="start", marks=marks)
        rng = random.Random(f"{self.seed}:{slot}")
        moved = self._move(trials, slot, seen, rng)
        if moved is None and self._identity(point) in seen:
            near = neighbour([point], dimensions, lambda p: self._identity(p) not in seen, rng)
            moved = None if near is None else (near, "near")
        if moved is None:
            return made
        return Proposal(point=moved[0], dimensions=dimensions, by=moved[1], marks=marks)

    def _move(
        self, trials: Sequence[TrialRecord], slot: int, seen: set[Hashable], rng: random.Random
    ) -> tuple[Point, str] | None:
        """Give a point made from good ones; None where the sampler is to choose."""
        turn = slot % _TURNS
        if self.sampler in _PURE or turn == 0:
            return None
        best = [trial.point for trial in by_loss(trials)[:_N_CROSSED]]
        if not best:
            return None

        def is_new(point: Point) -> bool:
            return self._identity(point) not in seen

        parents = best[:_N_PARENTS]
        if turn == 1 and (crossed := crossing(best, is_new, rng)) is not None:
            return crossed, "crossed"
        if turn == 2 and slot // _TURNS % 2 == 0:
            shorter = deletion(parents, OFF, is_new, rng)
            if shorter is not None:
                return shorter, "left-out"
        near = neighbour(parents, self.space.dimensions, is_new, rng)
        return None if near is None else (near, "near")

    def _identity(self, point: Point) -> Hashable:
        """Give what is equal for points whose prompts read alike: many points may make one."""
        key = repr(sorted(point.items()))
        if key not in self._identities:
            self._identities[key] = what_is_read(self.space.prompt(point))
        return self._identities[key]
