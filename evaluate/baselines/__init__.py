"""What a prompt has to beat: a majority class, a lexicon, and a linear model over word counts.

    from evaluate.baselines import baseline_records

    seen = (*task.splits.train, *task.splits.dev, *task.splits.confirm)
    records = baseline_records(task, seen, test, seed=0, pool=pool)

This is the public surface. `modules.tasks.pool` gives the pool for the second linear model.
"""

from evaluate.baselines.lexicon import LEXICON
from evaluate.baselines.linear import LINEAR, WHOLE
from evaluate.baselines.majority import MAJORITY
from evaluate.baselines.records import baseline_records

__all__ = ["LEXICON", "LINEAR", "MAJORITY", "WHOLE", "baseline_records"]
