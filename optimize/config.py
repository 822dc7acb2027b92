"""What a search may spend, where it writes, and who is told of it: the same for every optimizer."""

from dataclasses import dataclass
from pathlib import Path

from modules.prompts.artifact import OWN_OPTIMIZER


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What trials and finalists may spend together; whichever ends first ends the search.

    `tokens` are forward tokens, `calls` answered prompts, `seconds` time on the clock; None is
    without limit. Seconds make the outcome depend on the machine's speed, the others do not.
    """

    tokens: int
    calls: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class SearchConfig:
    """How a search is run.

    `out` is the artifacts folder, `runs` keeps the study, `command` goes into the artifact.
    `optimizer` is a name of `optimize.optimizers`.
    """

    budget: Budget
    seed: int
    out: Path
    runs: Path
    command: str
    optimizer: str = OWN_OPTIMIZER
