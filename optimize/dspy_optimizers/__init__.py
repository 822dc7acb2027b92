"""DSPy's optimizers as choices of the search: same budget, same splits, same seed, same artifact.

Example:

    config = SearchConfig(budget=Budget(tokens=2_000_000), optimizer="mipro", ...)
    artifact, path = run_dspy_optimizer(task, model, config, watcher)
"""

from optimize.dspy_optimizers.registry import OPTIMIZERS, Optimizer
from optimize.dspy_optimizers.run import run_dspy_optimizer

__all__ = ["OPTIMIZERS", "Optimizer", "run_dspy_optimizer"]
