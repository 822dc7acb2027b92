"""Splits made from hashes: train, dev, confirm and the sealed test.

Owns which row lands where; what a duplicate is belongs to `duplicates`, the sampling to `strata`,
the account to `split_report`.

What adding a row does to the others, for one seed:

1. No row ever changes its split: its place in [0, 1) is a hash of the seed and its own text.
2. A row can leave only if the added one is the same text under another label (both go), or is a
   near duplicate in a greater split, or if its split is at its upper bound.
3. At the upper bound a stratum's sample is the beginning of the stratum, in an order that the
   added row does not change. So at most the last rows of some strata leave the sample, or the next
   ones enter it: the quotas that say where a beginning ends may shift by the added row.
4. Rows that stay keep their order relative to each other.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from modules.errors import UserError
from modules.files import canonical_json, sha256_text
from modules.tasks.duplicates import drop_exact, drop_near
from modules.tasks.example import Example, SealedSplit, Splits
from modules.tasks.split_report import SplitReport
from modules.tasks.strata import stratified

SPLIT_NAMES = ("train", "dev", "confirm", "test")
"""The splits from the least to the greatest: a near duplicate is dropped from the lesser one."""

_UPPER_ENDS = {"train": 0.25, "dev": 0.375, "confirm": 0.5, "test": 1.0}
_HASH_BITS = 53  # what a float holds exactly: more would round up to 1.0


@dataclass(frozen=True, kw_only=True)
class SplitSizes:
    """Upper bounds on the number of examples in each split, all at least 1.

    Raises:
        UserError: a bound that is no whole number or below 1.
    """

    train: int = 300
    dev: int = 300
    confirm: int = 300
    test: int = 1000

    def __post_init__(self) -> None:
        for name, value in self.to_json().items():
            if type(value) is not int or value < 1:
                raise UserError(
                    f"the size of a split must be a whole number of at least 1; {name} is {value!r}"
                )

    def to_json(self) -> dict[str, int]:
        """Give the bounds as a plain dict."""
        return {bound.name: getattr(self, bound.name) for bound in fields(self)}


def uniform(seed: int, example_id: str) -> float:
    """Give the row's place in [0, 1): a hash of the seed and the row's id, of nothing else."""
    return _hash(f"{seed}:{example_id}")


def split_of(seed: int, example_id: str) -> str:
    """Give the split that a row belongs to: train 25 %, dev and confirm 12.5 %, test 50 %."""
    place = uniform(seed, example_id)
    return next(name for name, end in _UPPER_ENDS.items() if place < end)


def digest(examples: Sequence[Example]) -> str:
    """Give the sha256 of the sorted [id, label] pairs; the order of the examples is no matter."""
    return sha256_text(canonical_json(sorted([example.id, example.label] for example in examples)))


def make_splits(
    examples: Sequence[Example], label_names: Sequence[str], seed: int, sizes: SplitSizes
) -> tuple[Splits, SplitReport]:
    """Split the examples, without duplicates, each split at most of its size.

    The input's order does not matter. Within a split the examples stand in an order that is random
    with respect to everything, so any beginning of a split is a random sample of it.

    Args:
        examples: all labelled examples; nothing is mutated.
        label_names: the labels, each of which every split must hold.
        seed: any whole number, 0 and negative ones included; every seed gives other splits.
        sizes: the upper bounds.

    Raises:
        UserError: an example's label is unknown, a split would be empty, or lack a label.
    """
    _check_labels(examples, label_names)
    distinct = drop_exact(examples)
    pools = _pools(distinct.examples, seed)
    apart = drop_near(pools, SPLIT_NAMES)
    chosen = {
        name: sorted(
            stratified(apart[name], getattr(sizes, name)),
            key=lambda example: (_hash(f"{seed}:order:{example.id}"), example.id),
        )
        for name in SPLIT_NAMES
    }
    report = SplitReport(
        n_examples=len(examples),
        n_duplicates=distinct.n_duplicates,
        n_conflicting=distinct.n_conflicting,
        near={name: len(pools[name]) - len(apart[name]) for name in SPLIT_NAMES},
        pools={name: len(apart[name]) for name in SPLIT_NAMES},
        counts={name: _count(chosen[name], label_names) for name in SPLIT_NAMES},
        data_hash=digest(distinct.examples),
    )
    _check_splits(report, len(distinct.examples), seed)
    return _seal(chosen), report


def _hash(text: str) -> float:
    bits = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> (64 - _HASH_BITS)
    return bits / (1 << _HASH_BITS)


def _pools(examples: Sequence[Example], seed: int) -> dict[str, list[Example]]:
    pools: dict[str, list[Example]] = {name: [] for name in SPLIT_NAMES}
    for example in sorted(examples, key=lambda example: (uniform(seed, example.id), example.id)):
        pools[split_of(seed, example.id)].append(example)
    return pools


def _seal(chosen: Mapping[str, Sequence[Example]]) -> Splits:
    test = tuple(chosen["test"])
    return Splits(
        train=tuple(chosen["train"]),
        dev=tuple(chosen["dev"]),
        confirm=tuple(chosen["confirm"]),
        test=SealedSplit(digest=digest(test), n=len(test), _examples=test),
    )


def _count(examples: Sequence[Example], label_names: Sequence[str]) -> dict[str, int]:
    counts = Counter(example.label for example in examples)
    return {label: counts[label] for label in label_names}


def _check_labels(examples: Sequence[Example], label_names: Sequence[str]) -> None:
    for row, example in enumerate(examples, start=1):
        if example.label not in label_names:
            raise UserError(
                f"every label must be one of {', '.join(label_names)}; example {row} has "
                f"{example.label!r}"
            )


def _check_splits(report: SplitReport, n_distinct: int, seed: int) -> None:
    for split, n in report.sizes.items():
        if n == 0:
            raise UserError(
                f"every split needs examples, but with seed {seed} {split} has none of the "
                f"{n_distinct:,} that are left without duplicates; give more examples "
                "(from about 100 on)"
            )
    for split, counts in report.counts.items():
        for label, n in counts.items():
            if n == 0:
                raise UserError(
                    f"every split needs every label, but with seed {seed} {split} "
                    f"({report.sizes[split]:,} examples) has no {label!r}; give more examples of "
                    f"that label, or raise the size of {split}"
                )
