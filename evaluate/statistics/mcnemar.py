"""McNemar's test: do two classifiers, measured on the same examples, differ in accuracy?

It owns the two p-values of one pair; many pairs are corrected by `holm`, and whether a test could
have found a difference at all is said by `power`.
"""

from typing import NamedTuple

from scipy.special import bdtr


class McNemar(NamedTuple):
    """Two-sided p-values of the hypothesis that both are right equally often, each in (0, 1].

    exact: the binomial test given the number of discordant examples; its size is at most the
        nominal level, and mostly well below it.
    mid_p: the exact value less the probability of the observed smaller count, which counts half in
        each tail. Over all numbers of discordant examples its size lies close to the nominal level
        and seldom exceeds it; at one given number it can, by a few points. Preferred for a
        comparison that is not to miss a difference.
    """

    exact: float
    mid_p: float


def mcnemar(n_only_a: int, n_only_b: int) -> McNemar:
    """Test equal accuracy from the examples that exactly one of the two answers correctly.

    With m = n_only_a + n_only_b discordant examples, the smaller count x is one tail of the
    binomial distribution (m, 1/2). With F its distribution function and f its probabilities,
    exact = min(1, 2 F(x)) and mid-p = 2 F(x) - f(x) = F(x) + F(x - 1) (Fagerland, Lydersen and
    Laake, 2013, BMC Medical Research Methodology 13:91).

    Args:
        n_only_a: examples that only the first answers correctly, at least 0.
        n_only_b: examples that only the second answers correctly, at least 0.

    Returns:
        Both p-values. Equal counts give exactly 1 twice, and so do no discordant examples at all.

    Raises:
        ValueError: a negative count.
    """
    if n_only_a < 0 or n_only_b < 0:
        raise ValueError(f"counts cannot be negative, not {n_only_a} and {n_only_b}")
    if n_only_a == n_only_b:
        return McNemar(1.0, 1.0)
    m, x = n_only_a + n_only_b, min(n_only_a, n_only_b)
    below = float(bdtr(x - 1, m, 0.5)) if x > 0 else 0.0
    up_to = float(bdtr(x, m, 0.5))
    return McNemar(min(1.0, 2 * up_to), min(1.0, up_to + below))
