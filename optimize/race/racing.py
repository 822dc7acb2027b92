"""Racing: a candidate that is clearly behind the best one is stopped before it costs a whole split.

Both are compared on the very same examples, by what decides in the end: the mean of their losses.
Optuna's WilcoxonPruner ranks the differences instead, and a candidate that is a little worse on
most examples and far better on a few is behind by rank and ahead by mean. It also wants every
example's value fixed once, and here the losses of both are fitted anew on the examples seen so far.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

Array = NDArray[np.float64]

ALPHA = 0.1
"""How often a candidate that is as good as the best may be stopped, over all looks together.

Where the differences are near normal and the best is not the best by luck; with rare large gains,
which the first examples may lack, it is more often.
"""

MIN_EXAMPLES = 20


def is_behind(candidate: Array, best: Array, n_looks: int = 1) -> bool:
    """Whether the mean of a candidate's losses is larger than that of the best one's.

    One-sided paired t-test at `ALPHA / n_looks` (Bonferroni's bound); below `MIN_EXAMPLES`, or when
    all pairs tie, the answer is no.

    Args:
        candidate: losses, [n], smaller is better.
        best: losses of the best so far on the same examples, [n].
        n_looks: how many times the question may be asked of one candidate.
    """
    difference = candidate - best
    n = len(difference)
    if n < MIN_EXAMPLES or not difference.any():
        return False
    mean, error = difference.mean(), difference.std(ddof=1) / np.sqrt(n)
    return bool(mean > error * student.isf(ALPHA / n_looks, n - 1))
