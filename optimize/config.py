"""What a search may spend, where it writes, and who is told of it: the same for every optimizer."""

from dataclasses import dataclass
from pathlib import Path

from modules.prompts.artifact import OWN_OPTIMIZER


@dataclass(frozen=True, kw_only=True)
class Budget:
    """What trials and finalists may spend together; whichever ends first ends the search.

    `tokens` are forward tokens, `calls` answered prompts, `seconds` the time that trials take; None
    is without limit. Seconds make the outcome depend on the machine's speed, the others do not.
    """

    tokens: int
    calls: int | None = None
    seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class SearchConfig:
    """How a search is run.

    `out` is the artifacts folder, `runs` keeps the study, `command` goes into the artifact.
    `optimizer` is "optuna", our own search, or a name of `optimize.dspy_optimizers`; what follows
    is for our own. `sampler` is a key of `optimize.propose.samplers.SAMPLERS`, `storage` the URL of
    an Optuna storage (None: a journal file in `runs`), `writer` names who writes instructions
    (`optimize.propose.writer.open_writer`; None: nobody), `ensemble` is how many prompts are frozen
    together, `racing` says whether a trial that is behind is stopped, `evidence` whether words
    other than the label words are weighed, and `at_once` is how many trials may run at once, in as
    many processes: what is proposed knows of no other one of them.
    """

    budget: Budget
    seed: int
    out: Path
    runs: Path
    command: str
    optimizer: str = OWN_OPTIMIZER
    sampler: str = "tpe"
    storage: str | None = None
    writer: str | None = None
    ensemble: int = 1
    racing: bool = True
    evidence: bool = True
    at_once: int = 2
