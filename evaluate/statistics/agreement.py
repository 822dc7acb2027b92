"""Agreement of two sequences of answers to the same examples, and the answers that flipped.

It owns the counts: between two temperatures, two prompts or two models. An answer is a label's
name, or None where nothing readable was answered; calls that failed are the caller's to leave out.
"""

import math
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from modules.wilson import Interval, wilson


class Agreement(NamedTuple):
    """How two sequences of answers compare.

    n: the examples.
    n_both_invalid: examples that neither answers readably. Two unreadable answers say nothing about
        whether the answers agree: they are counted here, and neither as equal nor as different.
    n_one_invalid: examples that exactly one answers readably; they count as different.
    n_equal: examples with the same label from both.
    share: n_equal / (n - n_both_invalid), in [0, 1]; NaN where nothing is left to compare.
    interval: the 95 % Wilson interval of `share`; NaN with it.
    kappa: Cohen's kappa of the labels, over the examples that both answer readably. At most 1, 0
        at the agreement of chance; NaN where chance agreement is 1 (both give one and the same
        label throughout) or no example is left.
    right_to_wrong: examples that the first answers correctly and the second does not.
    wrong_to_right: the other way round. No answer is a wrong one, so that
        accuracy of the second - accuracy of the first = (wrong_to_right - right_to_wrong) / n.
    """

    n: int
    n_both_invalid: int
    n_one_invalid: int
    n_equal: int
    share: float
    interval: Interval
    kappa: float
    right_to_wrong: int
    wrong_to_right: int


def agreement(
    first: Sequence[str | None], second: Sequence[str | None], gold: Sequence[str]
) -> Agreement:
    """Compare two sequences of answers, example by example.

    Args:
        first: n answers.
        second: n answers, in the same order of examples.
        gold: n gold labels, in that order. None of them is None.

    Raises:
        ValueError: lengths that differ.
    """
    if not len(first) == len(second) == len(gold):
        raise ValueError(
            "answers are compared example by example: need equal lengths, not "
            f"{len(first)}, {len(second)} and {len(gold)}"
        )
    pairs = list(zip(first, second, strict=True))
    valid = [(a, b) for a, b in pairs if a is not None and b is not None]
    n_both_invalid = sum(a is None and b is None for a, b in pairs)
    n_equal = sum(a == b for a, b in valid)
    n_compared = len(pairs) - n_both_invalid
    right = [(a == label, b == label) for (a, b), label in zip(pairs, gold, strict=True)]
    return Agreement(
        n=len(pairs),
        n_both_invalid=n_both_invalid,
        n_one_invalid=n_compared - len(valid),
        n_equal=n_equal,
        share=n_equal / n_compared if n_compared > 0 else math.nan,
        interval=wilson(n_equal, n_compared) if n_compared > 0 else Interval(math.nan, math.nan),
        kappa=_kappa(valid),
        right_to_wrong=right.count((True, False)),
        wrong_to_right=right.count((False, True)),
    )


def _kappa(pairs: Sequence[tuple[str, str]]) -> float:
    """Give (observed - chance) / (1 - chance) (J. Cohen, 1960, Educ. Psychol. Meas. 20, 37-46).

    In whole numbers up to the last division, so that a chance agreement of 1 is met exactly.
    """
    n = len(pairs)
    of_first = Counter(a for a, _ in pairs)
    of_second = Counter(b for _, b in pairs)
    observed = n * sum(a == b for a, b in pairs)
    chance = sum(count * of_second[label] for label, count in of_first.items())
    return (observed - chance) / (n * n - chance) if n * n > chance else math.nan
