"""Batches: rows of equal padded length, as many as a token budget holds.

A row is padded to the bucket of its own length, never to the longest row of its batch, so what it
is computed with does not depend on its neighbours.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Ids = tuple[int, ...]

_STEP = 8
_GROWTH = 16


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Rows (indices into the caller's list) that share one padded length."""

    rows: tuple[int, ...]
    length: int


def bucket(length: int) -> int:
    """Give the padded length for a row: the next multiple of a step that grows with the length.

    The step is 8 up to 128 tokens, then a sixteenth to an eighth of the length: from 64 tokens on
    less than 1/8 is padding.
    """
    step = _STEP
    while length > step * _GROWTH:
        step *= 2
    return max(step, -(-length // step) * step)


def pack(lengths: Sequence[int], max_tokens: int, *, exact: bool = False) -> Iterator[Batch]:
    """Group rows by bucket, longest first, and cut each group at `max_tokens` padded tokens.

    A row that is longer than `max_tokens` makes a batch of its own. `exact` groups by the very
    length instead, so that no row is padded.
    """
    groups: dict[int, list[int]] = defaultdict(list)
    for row, length in enumerate(lengths):
        groups[length if exact else bucket(length)].append(row)
    for padded in sorted(groups, reverse=True):
        rows = groups[padded]
        n_rows = max(1, max_tokens // padded)
        for at in range(0, len(rows), n_rows):
            yield Batch(rows=tuple(rows[at : at + n_rows]), length=padded)
