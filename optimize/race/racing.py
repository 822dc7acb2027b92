"""Racing: a candidate that is clearly behind the best one is stopped before it costs a whole split.

Both are compared on the very same examples. Optuna's WilcoxonPruner does the same test but wants
every example's value reported as a step of its own, and those values fixed once; here the losses
of both are fitted anew on the examples seen so far, so the test is ours and the study records the
mean.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wilcoxon

Array = NDArray[np.float64]

ALPHA = 0.1
MIN_EXAMPLES = 20


def is_behind(candidate: Array, best: Array) -> bool:
    """Whether the candidate's per-example losses are larger than the best one's.

    One-sided Wilcoxon signed-rank test at `ALPHA`; below `MIN_EXAMPLES`, or when all pairs tie, the
    answer is no. It is asked after every block, so a candidate that is as good as the best is
    stopped more often than `ALPHA`: that loses nothing but an equal.

    Args:
        candidate: losses, [n], smaller is better.
        best: losses of the best so far on the same examples, [n].
    """
    difference = candidate - best
    if len(difference) < MIN_EXAMPLES or not difference.any():
        return False
    return bool(wilcoxon(difference, alternative="greater").pvalue < ALPHA)
