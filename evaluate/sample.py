"""A subset beside the whole that it was drawn from: its strata, its lengths, what it can show.

It owns the account and the sentences that say it; the choice of n and the draw belong to
`evaluate.planner`.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import NamedTuple

from evaluate.statistics import smallest_difference
from evaluate.table import clean, percent
from evaluate.words import counted
from modules.tasks.duplicates import text_of
from modules.tasks.example import Example
from modules.tasks.split_report import half_width
from modules.tasks.strata import LENGTH_EDGES, length_bin


class Stratum(NamedTuple):
    """One label and length bin: its examples in the sample and in the whole, and their shares.

    `length` names the bin in words, as `up to 8`, `9 to 16` or `over 512`. Shares are of all
    examples of the sample, or of the whole.
    """

    label: str
    length: str
    n_sample: int
    n_whole: int
    share_sample: float
    share_whole: float

    @property
    def gap(self) -> float:
        """The sample's share less the whole's, a fraction."""
        return self.share_sample - self.share_whole


class Words(NamedTuple):
    """Mean and median number of words in a set of examples."""

    mean: float
    median: float


@dataclass(frozen=True, kw_only=True)
class Sample:
    """A planned subset and its account.

    `examples` stand in random order, so a beginning of them is a random sample too. `n_wanted` is
    what the wish needs, `n_whole` what there is; the sample is as large as the smaller of the two.
    `wish` says the wish in words, None where everything was wanted; `strata` lists the strata that
    the whole has, labels in the task's order and lengths rising. Half-width and differences are
    fractions.
    """

    examples: tuple[Example, ...]
    n_wanted: int
    n_whole: int
    wish: str | None
    strata: tuple[Stratum, ...]
    words_sample: Words
    words_whole: Words
    accuracy: float
    discordance: float

    @property
    def n(self) -> int:
        """The number of examples in the sample."""
        return len(self.examples)

    @property
    def half_width(self) -> float:
        """Half the 95 % Wilson interval at the assumed accuracy."""
        return half_width(self.n, self.accuracy)

    @property
    def detectable(self) -> float:
        """The smallest difference found with a power of 80 %; NaN where none is at this n."""
        return smallest_difference(self.n, self.discordance)

    @property
    def widest(self) -> Stratum:
        """The stratum with the largest gap between both shares, the first of equals."""
        return max(self.strata, key=lambda stratum: abs(stratum.gap))

    def lines(self) -> list[str]:
        """Say it in three sentences: why this many, what they give, and how they compare."""
        return [self._size_line(), self._precision_line(), self._likeness_line()]

    def _size_line(self) -> str:
        if self.wish is None:
            return f"all {counted(self.n, 'example')} are taken"
        need = f"{self.wish} needs {counted(self.n_wanted, 'example')}"
        if self.n_wanted > self.n_whole:
            return f"{need}, but there are only {self.n_whole:,}: all of them are taken"
        return f"{need}: drawn from {self.n_whole:,}, stratified by label and length"

    def _precision_line(self) -> str:
        precision = (
            f"with {counted(self.n, 'example')} an accuracy of {100 * self.accuracy:g} % is known "
            f"to ±{percent(self.half_width)} points"
        )
        if self.detectable > 0:
            test = (
                "a paired test (McNemar, level 5 %) finds a difference of "
                f"{percent(self.detectable)} points with a power of 80 %"
            )
        else:
            test = "a paired test (McNemar, level 5 %) finds no difference with a power of 80 %"
        return (
            f"{precision}; where exactly one of two prompts is right on "
            f"{100 * self.discordance:g} % of the examples, {test}"
        )

    def _likeness_line(self) -> str:
        widest = self.widest
        return (
            f"the largest gap between the sample and the whole in any of {len(self.strata)} strata "
            f"is {percent(abs(widest.gap))} points ({clean(widest.label)}, {widest.length} words); "
            f"words in the mean {self.words_sample.mean:.1f} against {self.words_whole.mean:.1f}, "
            f"in the median {self.words_sample.median:g} against {self.words_whole.median:g}"
        )


def strata_of(
    sample: Sequence[Example], whole: Sequence[Example], labels: Sequence[str]
) -> tuple[Stratum, ...]:
    """Count the strata that `whole` has; both sets of examples are not empty."""
    in_sample = Counter((one.label, length_bin(one)) for one in sample)
    in_whole = Counter((one.label, length_bin(one)) for one in whole)
    return tuple(
        Stratum(
            label=label,
            length=_bin_name(place),
            n_sample=in_sample[label, place],
            n_whole=in_whole[label, place],
            share_sample=in_sample[label, place] / len(sample),
            share_whole=in_whole[label, place] / len(whole),
        )
        for label, place in sorted(in_whole, key=lambda key: (labels.index(key[0]), key[1]))
    )


def _bin_name(place: int) -> str:
    if place == 0:
        return f"up to {LENGTH_EDGES[0]}"
    if place == len(LENGTH_EDGES):
        return f"over {LENGTH_EDGES[-1]}"
    return f"{LENGTH_EDGES[place - 1] + 1} to {LENGTH_EDGES[place]}"


def words_of(examples: Sequence[Example]) -> Words:
    """Give mean and median of the lengths of at least one example."""
    counts = [len(text_of(example).split()) for example in examples]
    return Words(fmean(counts), float(median(counts)))
