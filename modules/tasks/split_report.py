"""The account of a split: how many rows there were, what went, what stays and what it can prove.

Owns the numbers and the sentences that say them; the splitting itself belongs to `splits`, and
printing to the command lines.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from modules.wilson import wilson

ASSUMED_ACCURACY = 0.9


def half_width(n: int, accuracy: float = ASSUMED_ACCURACY) -> float:
    """Give half the width of the 95 % Wilson interval around an accuracy over n, as a fraction.

    The accuracy is rounded to a whole number of examples.

    Raises:
        ValueError: n is below 1, or the accuracy outside [0, 1].
    """
    if n < 1 or not 0.0 <= accuracy <= 1.0:
        raise ValueError(f"need n >= 1 and an accuracy in [0, 1], got {n} and {accuracy}")
    interval = wilson(round(accuracy * n), n)
    return (interval.high - interval.low) / 2


@dataclass(frozen=True, kw_only=True)
class SplitReport:
    """What became of the rows.

    `n_examples` rows came in; of these `n_duplicates` repeated another one, `n_conflicting` had a
    text that also stood under another label, and `near[split]` were near duplicates of a row in a
    greater split. `pools[split]` is what was left to choose from, `counts[split][label]` what was
    chosen. `data_hash` is the digest of the rows without exact duplicates, for any seed the same.
    `n_read` and `left_out` are the loader's counts, where a loader was at work.
    """

    n_examples: int
    n_duplicates: int
    n_conflicting: int
    near: Mapping[str, int]
    pools: Mapping[str, int]
    counts: Mapping[str, Mapping[str, int]]
    data_hash: str
    n_read: int | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def sizes(self) -> dict[str, int]:
        """The number of chosen examples in each split."""
        return {split: sum(counts.values()) for split, counts in self.counts.items()}

    @property
    def half_widths(self) -> dict[str, float]:
        """Half the 95 % Wilson interval at an accuracy of 0.9, for each split, as a fraction."""
        return {split: half_width(n) for split, n in self.sizes.items()}

    def lines(self) -> list[str]:
        """Say it in sentences: one line on what was read, one on what went, one a split."""
        return [*self._read_line(), self._gone_line(), *map(self._split_line, self.counts)]

    def _read_line(self) -> list[str]:
        if self.n_read is None:
            return []
        reasons = [f"{n:,} {reason}" for reason, n in self.left_out.items() if n > 0]
        left_out = f", left out {' and '.join(reasons)}" if reasons else ""
        return [f"read {self.n_read:,} rows{left_out}: {self.n_examples:,} examples"]

    def _gone_line(self) -> str:
        near = ", ".join(f"{split} {n:,}" for split, n in self.near.items() if n > 0)
        return (
            f"removed {self.n_duplicates:,} exact duplicates, {self.n_conflicting:,} with "
            f"conflicting labels, {sum(self.near.values()):,} near duplicates of a row in "
            f"another split{f' ({near})' if near else ''}"
        )

    def _split_line(self, split: str) -> str:
        n = self.sizes[split]
        labels = ", ".join(f"{label} {count:,}" for label, count in self.counts[split].items())
        pool = f" of {self.pools[split]:,}" if self.pools[split] > n else ""
        return (
            f"{split} {n:,}{pool} ({labels}): an accuracy of {ASSUMED_ACCURACY:.0%} is known to "
            f"±{100 * half_width(n):.1f} points"
        ).replace("90%", "90 %")
