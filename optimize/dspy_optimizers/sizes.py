"""Sizes: how many programs, trials and steps a number of answers pays for.

Pure arithmetic on DSPy's call counts. Notation: `n_calls` answers that the budget pays, `n_dev`
and `n_train` examples. Each size has a smallest real setting, which the ledger may cut short, and a
largest one beyond which more programs only overfit dev. An answer that was given before costs no
tokens.
"""

import math
from typing import NamedTuple

MAX_PROGRAMS = 64
FULL_EVAL_STEPS = 5  # MIPROv2's own
_MINIBATCH = 35  # MIPROv2's own
_MAX_CANDIDATES = 16
_MAX_BREADTH = 10
_BATCH = 32
_MAX_STEPS = 8


def n_programs(n_calls: int, n_dev: int, n_before: int, least: int = 1) -> int:
    """Give how many programs can be scored on all of dev, after `n_before` answers."""
    return min(max(least, (n_calls - n_before) // n_dev), MAX_PROGRAMS)


class Copro(NamedTuple):
    """COPRO scores `breadth` instructions in each of `depth` rounds."""

    breadth: int
    depth: int


def copro_size(n_calls: int, n_dev: int) -> Copro:
    """Spread the programs over up to three rounds (DSPy's depth), at least four to a round.

    Breadth is at least 2, which DSPy demands, and at most its own default of 10; what pays for more
    programs than that gives more rounds.
    """
    programs = max(2, min(MAX_PROGRAMS, n_calls // n_dev))
    depth = max(1, min(3, programs // 4), programs // _MAX_BREADTH)
    return Copro(breadth=max(2, min(_MAX_BREADTH, programs // depth)), depth=depth)


class Mipro(NamedTuple):
    """MIPROv2 draws `trials` pairs out of `candidates` instructions and demo sets.

    Each is scored on `minibatch` examples, and after every five trials the best pair on all of dev.
    """

    candidates: int
    trials: int
    minibatch: int


def mipro_size(n_calls: int, n_dev: int, n_before: int) -> Mipro:
    """Give as many candidates as the trials can tell apart, by DSPy's own rule.

    The rule for one predictor with demos: max(4 log2 n, 1.5 n) trials for n candidates. One more
    pass over dev is for the program as it was. At least 3 candidates (none, labelled and
    bootstrapped demos) and 4 trials.
    """
    minibatch = min(_MINIBATCH, n_dev)
    last = 0 if minibatch == n_dev else n_dev
    rounds, rest = divmod(n_calls - n_before - n_dev, FULL_EVAL_STEPS * minibatch + last)
    paid = FULL_EVAL_STEPS * max(0, rounds) + max(0, rest - last) // minibatch
    trials = max(4, min(MAX_PROGRAMS, paid))
    numbers = range(3, _MAX_CANDIDATES + 1)
    fitting = [n for n in numbers if max(4 * math.log2(n), 1.5 * n) <= trials]
    return Mipro(candidates=max(fitting, default=3), trials=trials, minibatch=minibatch)


def gepa_calls(n_calls: int, n_dev: int, n_minibatch: int) -> int:
    """Give GEPA's metric calls: one pass over dev and one mutation at least, 64 passes at most.

    A mutation is tried on two minibatches before it meets dev, and is more likely to be rejected
    there than not.
    """
    least = n_dev + 2 * n_minibatch
    return max(least, min(n_calls, MAX_PROGRAMS * n_dev))


class Simba(NamedTuple):
    """SIMBA takes `steps` steps with batches of `batch` examples and `candidates` programs."""

    batch: int
    candidates: int
    steps: int


def simba_size(n_calls: int, n_train: int) -> Simba:
    """Give SIMBA's sizes: its defaults (32, 6, 8) where they are paid, smaller ones elsewhere.

    A step asks C programs, drawn with replacement, about a batch, and then C + 1 new ones. Of C
    draws about two thirds are different, and in the first step all are the program as it was. The
    closing pass asks C + 1 programs about the rest of train. Candidates and batch shrink together
    until two steps are paid.
    """
    for candidates, batch in ((6, _BATCH), (4, _BATCH), (4, 16), (3, 16), (2, 8)):
        batch = min(batch, n_train)
        new = (candidates + 1) * (batch + 1)
        closing = (candidates + 1) * (n_train - batch)
        later = 2 * candidates * batch // 3 + new
        steps = 1 + (n_calls - closing - batch - new) // later
        if steps >= 2:
            break
    return Simba(batch=batch, candidates=candidates, steps=max(1, min(_MAX_STEPS, steps)))
