"""Ensembles: several prompts answer together, by the mean of their calibrated log-probabilities.

Different layouts and demos err on different examples, so their mean is worth more than the best of
them. The members are chosen on dev, one by one, each for what it adds to those before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from modules.prompts import Prompt
from modules.prompts.ensemble import combine, recorded
from modules.tasks.example import Task
from optimize.finish.finalists import Entrant, Finalist
from optimize.race.scoring import information_loss, score_of

Array = NDArray[np.float64]

MAX_MEMBERS = 16
_CANDIDATES = 24


@dataclass(frozen=True, kw_only=True)
class Ensemble:
    """What is frozen: the first member with the scores of all, and the other members' prompts.

    `recorded` [n_confirm, k] is what all say on confirm, in the form of an artifact's probes.
    """

    finalist: Finalist
    recorded: Array
    members: tuple[Prompt, ...] = ()


def pick_members(entrants: Sequence[Entrant], task: Task, size: int) -> list[Entrant]:
    """Give the members of an ensemble, the best single prompt first.

    Each further one is the entrant that lowers the mean information loss on dev most when it joins;
    where none lowers it, the one that raises it least: the size is the caller's to choose.

    Args:
        entrants: complete trials with their prompts, the best first; the first 24 are considered.
        task: gives the dev split.
        size: how many members; fewer come where there are fewer entrants.
    """
    gold = np.array(task.gold(task.splits.dev))
    pool = list(entrants[:_CANDIDATES])

    def loss(members: Sequence[int]) -> float:
        together = combine([pool[m][0].logp for m in members])
        return float(information_loss(together, gold).mean())

    chosen: list[int] = [0] if pool else []
    while len(chosen) < min(size, len(pool)):
        losses = {n: loss([*chosen, n]) for n in range(len(pool)) if n not in chosen}
        chosen.append(min(losses, key=lambda n: (losses[n], n)))
    return [pool[n] for n in chosen]


def build_ensemble(members: Sequence[Finalist], task: Task) -> Ensemble:
    """Put confirmed finalists, at least one, together, in the order given.

    The scores on dev and confirm are those of the calibrations that were settled on dev alone; the
    prompts carry those that were settled on both.
    """
    first = members[0]
    if len(members) == 1:
        return Ensemble(finalist=first, recorded=first.recorded)
    dev = combine([member.dev_logp for member in members])
    confirm = combine([member.confirm_logp for member in members])
    return Ensemble(
        finalist=replace(
            first,
            dev=score_of(dev, np.array(task.gold(task.splits.dev))),
            confirm=score_of(confirm, np.array(task.gold(task.splits.confirm))),
            dev_logp=dev,
            confirm_logp=confirm,
        ),
        recorded=recorded(
            [member.prompt for member in members],
            [member.confirm_said.logp for member in members],
            [member.confirm_said.words for member in members],
        ),
        members=tuple(member.prompt for member in members[1:]),
    )
