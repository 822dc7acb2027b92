"""The Pareto front of a study with two objectives: the loss, and the tokens of a prompt."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from optimize.race.record import TrialRecord
from optimize.race.scoring import score_of


def pareto_front(trials: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Give the complete trials that no other one beats in both loss and length, shortest first."""
    whole = [trial for trial in trials if not trial.pruned]
    found: list[TrialRecord] = []
    for trial in sorted(whole, key=lambda t: (t.prompt_tokens, t.loss, t.slot)):
        if not found or trial.loss < found[-1].loss:
            found.append(trial)
    return found


def front_lines(trials: Sequence[TrialRecord], gold: NDArray[np.int64]) -> Iterator[str]:
    """Say the front, a line a trial: its prompt's mean length, its accuracy and its loss on dev."""
    yield "Pareto front: prompt tokens, accuracy and loss on dev"
    for trial in pareto_front(trials):
        accuracy = score_of(trial.logp, gold).accuracy
        yield f"  {trial.prompt_tokens:6.0f}  {accuracy:6.1%}  {trial.loss:.3f}  trial {trial.slot}"
