"""Ensembles: several prompts answer together, by the mean of their calibrated log-probabilities.

Different layouts and demos err on different examples, so their mean is worth more than the best of
them. The members are chosen on dev, one by one, each for what it adds to those before it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modules.prompts import Prompt
from modules.prompts.ensemble import combine
from modules.tasks.example import Task
from optimize.finish.finalists import Entrant, Finalist
from optimize.race.scoring import calibrate, information_loss, split_score

MAX_MEMBERS = 16
_CANDIDATES = 24


@dataclass(frozen=True, kw_only=True)
class Ensemble:
    """What is frozen: the first member with the scores of all, and the other members' prompts."""

    finalist: Finalist
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
    logps = [trial.logp for trial, _ in pool]
    biases = [calibrate(logp, gold)[1] for logp in logps]

    def loss(members: Sequence[int]) -> float:
        together = combine([logps[m] for m in members], [biases[m] for m in members])
        return float(information_loss(together, gold).mean())

    chosen: list[int] = [0] if pool else []
    while len(chosen) < min(size, len(pool)):
        losses = {n: loss([*chosen, n]) for n in range(len(pool)) if n not in chosen}
        chosen.append(min(losses, key=lambda n: (losses[n], n)))
    return [pool[n] for n in chosen]


def build_ensemble(members: Sequence[Finalist], task: Task) -> Ensemble:
    """Put confirmed finalists, at least one, together, in the order given.

    The scores on dev and confirm are those of the biases that were settled on dev alone; the
    prompts carry the biases that were settled on both.
    """
    if len(members) == 1:
        return Ensemble(finalist=members[0])
    dev_gold = np.array(task.gold(task.splits.dev))
    confirm_gold = np.array(task.gold(task.splits.confirm))
    settled = [calibrate(member.dev_logp, dev_gold)[1] for member in members]
    dev = combine([member.dev_logp for member in members], settled)
    confirm = combine([member.confirm_logp for member in members], settled)
    final = [np.array(member.prompt.bias) for member in members]
    none = np.zeros(dev.shape[1])
    first = members[0]
    return Ensemble(
        finalist=Finalist(
            trial=first.trial,
            prompt=first.prompt,
            calibration=first.calibration,
            dev=split_score(dev, dev_gold, none),
            confirm=split_score(confirm, confirm_gold, none),
            confirm_logp=combine([member.confirm_logp for member in members], final),
            dev_logp=dev,
        ),
        members=tuple(member.prompt for member in members[1:]),
    )
