"""The protocol: splits, budgets, the cells of the matrix and their order."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from modules.tasks import TaskSpec
from modules.tasks.splits import SplitSizes

N_TRAIN, N_DEV, N_CONFIRM, N_TEST = 60, 90, 50, 500
"""200 labelled examples in all for the search; the test split is for the proof alone."""

LARGE_TOKENS = 200_000
"""Forward tokens of the large budget, for a task of short texts."""

BUDGETS = {
    "small": Fraction(1, 5),  # 40,000 tokens
    "large": Fraction(1),
}
CURVE_BUDGETS = {
    "1/100": Fraction(1, 100),
    "1/50": Fraction(1, 50),
    "1/20": Fraction(1, 20),
    "1/10": Fraction(1, 10),
    "1/2": Fraction(1, 2),
}
"""Further budgets of our own search, as parts of the large one; `curves` runs them."""

FEW_LABELLED = {"1/100": (32, 13), "1/50": (70, 30)}
"""Dev and confirm examples where a budget does not pay for one prompt on all of them."""

SHARES = BUDGETS | CURVE_BUDGETS
"""Every budget as a part of the large one."""

LENGTH_FACTORS = {"imdb": 5}
"""Times the budget where texts are longer. An IMDB review has 12 to 16 times the words of the other
texts, but a prompt may cap it, and instructions, answers and chat marks do not grow with it."""

OURS = ("optuna", "optuna-ensemble")
"""Our own contestants; all others are peers."""

CONTROLS = ("naive", "optuna-random")
"""What tells where a lead comes from: the prompt that searches start from, without one, and our
search with trials that are drawn blindly. No peers."""

PROMPTOLUTION = ("capo", "evoprompt", "opro")

OPTIMIZERS = (
    "optuna",
    "naive",
    "mipro",
    "simba",
    "bootstrap-rs",
    "labeled",
    "bootstrap",
    "bootstrap-optuna",
    "knn",
    "copro",
    "gepa",
    "infer-rules",
    "reanchor",
    *PROMPTOLUTION,
    "optuna-random",
    "optuna-ensemble",
)
"""Who takes part by default."""

PEERS = tuple(name for name in OPTIMIZERS if name not in (*OURS, *CONTROLS))
"""Whom our search is compared with."""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One search: a task, a model, a seed (of splits and search), an optimizer and a budget."""

    task: str
    model: str
    seed: int
    optimizer: str
    budget: str

    @property
    def key(self) -> str:
        """The cell's name, in the journal and as a folder below the output."""
        budget = self.budget.replace("/", "-of-")
        return f"{self.task}/{self.model}/seed-{self.seed}/{budget}/{self.optimizer}"

    def to_json(self) -> dict[str, Any]:
        """Give the cell as a plain dict."""
        return asdict(self)


def cells(
    *,
    tasks: Sequence[str],
    models: Sequence[str],
    seeds: Sequence[int],
    budgets: Sequence[str],
    optimizers: Sequence[str],
) -> list[Cell]:
    """Give all cells in the order of the run.

    The first seed of all tasks comes before the second, and all budgets and optimizers of one
    (task, model, seed) before the next: whenever the run is stopped, what is finished is a
    balanced comparison but for its last group.
    """
    return [
        Cell(task=task, model=model, seed=seed, optimizer=optimizer, budget=budget)
        for seed in seeds
        for task in tasks
        for model in models
        for budget in budgets
        for optimizer in optimizers
    ]


def budget_tokens(task: str, budget: str) -> int:
    """Give a budget's forward tokens for a task."""
    share = SHARES[budget]
    return int(LARGE_TOKENS * share * LENGTH_FACTORS.get(task, 1))


def task_spec(
    task: str, *, n_test: int, data_folder: Path | None, budget: str = "large"
) -> TaskSpec:
    """Give a task's specification; the folder is the local copy of the IMDB data set."""
    dev, confirm = FEW_LABELLED.get(budget, (N_DEV, N_CONFIRM))
    sizes = SplitSizes(train=N_TRAIN, dev=dev, confirm=confirm, test=n_test)
    spec = TaskSpec(name=task, sizes=sizes)
    return replace(spec, data_folder=data_folder) if task == "imdb" else spec
