"""A proposal: the point of a slot, who made it, and what its maker wants to find again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Proposal:
    """A point to try.

    `dimensions` are the values that each of its names could have taken, `by` names the proposer,
    `marks` are Optuna's system attributes that go with the trial.
    """

    point: dict[str, Any]
    dimensions: Mapping[str, Sequence[Any]]
    by: str
    marks: dict[str, Any] = field(default_factory=dict)
