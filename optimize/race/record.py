"""A finished trial as the rest of the search sees it, and how it stands in the study."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from optuna.trial import FrozenTrial, TrialState

Array = NDArray[np.float64]

SLOT = "slot"
BY = "by"
LOGP = "logp"
LOOKS = "look_losses"
LOSS = "loss"
TOKENS = "forward_tokens"
PROMPTS = "n_prompts"
SECONDS = "seconds"
REUSED = "reused_tokens"
SAVED = "saved_tokens"
PROMPT_TOKENS = "prompt_tokens"
SKIPPED = "skipped"

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
"""The states of a trial that has a result."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What something cost: forward tokens, answered prompts, seconds on the clock.

    `reused` of the tokens were read from the answer cache and took no run. They count like the
    others, or a search would find something else the second time.
    """

    tokens: int = 0
    calls: int = 0
    seconds: float = 0.0
    reused: int = 0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(
            tokens=self.tokens + other.tokens,
            calls=self.calls + other.calls,
            seconds=self.seconds + other.seconds,
            reused=self.reused + other.reused,
        )


@dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """A finished trial, read back from the study.

    `slot` is its place in the search, whatever number the study gave it; `by` says who proposed it.
    `loss` is nats on the examples it saw, `logp` [n_seen, k] their cross-fitted log-probabilities,
    in dev order, empty for a prompt that was skipped as too long; `look_losses` are the losses of
    the examples that were seen at each look of the race. `saved_tokens` are the forward tokens that
    stopping it early saved, `prompt_tokens` the mean length of its prompts.
    """

    slot: int
    by: str
    point: dict[str, Any]
    loss: float
    pruned: bool
    logp: Array
    look_losses: tuple[Array, ...]
    cost: Cost
    saved_tokens: int
    prompt_tokens: float
    frozen: FrozenTrial

    @property
    def skipped(self) -> bool:
        """Whether the prompt did not fit into the model's context, or got no numbers."""
        return SKIPPED in self.frozen.user_attrs


def read_record(trial: FrozenTrial) -> TrialRecord:
    """Read a finished trial."""
    told = trial.user_attrs
    return TrialRecord(
        slot=int(told[SLOT]),
        by=str(told.get(BY, "")),
        point=dict(trial.params),
        loss=float(told.get(LOSS, "inf")),
        pruned=trial.state == TrialState.PRUNED,
        logp=np.array(json.loads(told.get(LOGP, "[]"))),
        look_losses=tuple(np.array(losses) for losses in json.loads(told.get(LOOKS, "[]"))),
        cost=Cost(
            tokens=int(told.get(TOKENS, 0)),
            calls=int(told.get(PROMPTS, 0)),
            seconds=float(told.get(SECONDS, 0.0)),
            reused=int(told.get(REUSED, 0)),
        ),
        saved_tokens=int(told.get(SAVED, 0)),
        prompt_tokens=float(told.get(PROMPT_TOKENS, 0.0)),
        frozen=trial,
    )


def by_loss(trials: Iterable[TrialRecord]) -> list[TrialRecord]:
    """Give the complete trials, the smallest loss first; the earlier one of two equals."""
    whole = [trial for trial in trials if not trial.pruned]
    return sorted(whole, key=lambda trial: (trial.loss, trial.slot))
