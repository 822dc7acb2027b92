"""Stratified samples: how a split is cut to its upper bound.

Owns the strata (label, then length) and their quotas; the random numbers come from `splits`.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import TypeVar

from modules.tasks.duplicates import text_of
from modules.tasks.example import Example

LENGTH_EDGES = (8, 16, 32, 64, 128, 256, 512)
"""Upper ends of the length bins, in words. Fixed, so that no row's bin depends on other rows."""

Key = TypeVar("Key", str, int)


def length_bin(example: Example) -> int:
    """Give the number of the length bin: 0 for up to 8 words, 1 for 9 to 16, 7 for over 512."""
    return bisect_left(LENGTH_EDGES, len(text_of(example).split()))


def quotas(sizes: Mapping[Key, int], n: int) -> dict[Key, int]:
    """Share out n places in proportion to the sizes, by largest remainder.

    Each quota is the exact share rounded up or down, so it is within 1 of it and never more than
    the size; the quotas sum to `min(n, sum of sizes)`. Equal remainders: the larger size first,
    then the smaller key.
    """
    total = sum(sizes.values())
    n = min(n, total)
    if total == 0:
        return dict.fromkeys(sizes, 0)
    result = {key: n * size // total for key, size in sizes.items()}
    by_remainder = sorted(sizes, key=lambda key: (-(n * sizes[key] % total), -sizes[key], key))
    for key in by_remainder[: n - sum(result.values())]:
        result[key] += 1
    return result


def stratified(pool: Sequence[Example], n: int) -> list[Example]:
    """Take n examples (all, if there are no more): the first of each stratum up to its quota.

    Places are shared out among the labels, then those of a label among its length bins. So every
    label's count is within 1 of its exact share, every bin's within 1 of its share of the label's
    count, and what is taken of a stratum is always its beginning in the order of `pool`.

    Args:
        pool: the examples, in random order.
        n: how many to take.
    """
    by_label = Counter(example.label for example in pool)
    bins: dict[str, Counter[int]] = defaultdict(Counter)
    for example in pool:
        bins[example.label][length_bin(example)] += 1
    left = {
        (label, length): quota
        for label, places in quotas(by_label, n).items()
        for length, quota in quotas(bins[label], places).items()
    }
    taken: list[Example] = []
    for example in pool:
        stratum = (example.label, length_bin(example))
        if left[stratum] > 0:
            left[stratum] -= 1
            taken.append(example)
    return taken
