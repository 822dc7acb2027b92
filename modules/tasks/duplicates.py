"""Removal of duplicates: exact ones in all the data, near ones between the splits.

Owns what counts as the same text; which split a row belongs to is left to `splits`. Near
duplicates inside one split stay: they cost a little precision but leak nothing.

Notation: a row's shingles are a set of hashed features. Two sets A, B with Jaccard similarity of
at least t share at least t*|A| of A's elements. So whatever order all elements are put in, A's
first |A| - ceil(t*|A|) + 1 elements (its prefix) and B's cannot be disjoint (Chaudhuri, Ganti and
Kaushik, ICDE 2006). With the rarest elements first the prefixes give few pairs to look at, and no
pair is missed.
"""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import HashingVectorizer

from modules.tasks.example import Example

SHINGLE_WORDS = 3
NEAR_TENTHS = 7
"""Jaccard similarity from which on two texts are near duplicates, in tenths: whole numbers only."""

_WORD = re.compile(r"[^\W_]+")
_N_FEATURES = (1 << 31) - 1
_BLOCK_ROWS = 500
_BLOCK_PAIRS = 10_000


class Distinct(NamedTuple):
    """Rows without exact duplicates, with the number of rows that went and why."""

    examples: list[Example]
    n_duplicates: int
    n_conflicting: int


def drop_exact(examples: Sequence[Example]) -> Distinct:
    """Keep one row of each `Example.id`, and none where the rows' labels differ.

    A text under two labels says nothing certain about either. Of rows that agree the one with the
    lowest rating stays, so that the result, which is ordered by id, ignores the input's order.
    """
    groups: dict[str, list[Example]] = defaultdict(list)
    for example in examples:
        groups[example.id].append(example)
    kept: list[Example] = []
    n_conflicting = 0
    for _, group in sorted(groups.items()):
        if len({example.label for example in group}) > 1:
            n_conflicting += len(group)
        else:
            kept.append(min(group, key=_rating_order))
    return Distinct(kept, len(examples) - n_conflicting - len(kept), n_conflicting)


def drop_near(
    splits: Mapping[str, Sequence[Example]], order: Sequence[str]
) -> dict[str, list[Example]]:
    """Drop every row that is a near duplicate of a row in a greater split.

    No row moves from one split to another. A row is compared with all rows of the greater splits,
    those that are dropped themselves included, so the result depends on no order of work.

    Args:
        splits: the rows of each split.
        order: the names of all splits, the least first; its last split loses nothing.
    """
    texts = [text_of(example) for name in order for example in splits[name]]
    level = np.repeat(np.arange(len(order)), [len(splits[name]) for name in order])
    dropped = near_a_greater(texts, level)
    kept: dict[str, list[Example]] = {}
    start = 0
    for name in order:
        rows = splits[name]
        kept[name] = [row for i, row in enumerate(rows, start=start) if not dropped[i]]
        start += len(rows)
    return kept


def near_a_greater(texts: Sequence[str], level: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Tell for each text whether it is a near duplicate of a text of a greater level.

    Texts are compared by the sets of their shingles: three successive words, in lower case and
    without punctuation, or the whole text where it has fewer. A text without any word is near to
    nothing. Shingles are hashed to 2**31 - 1 features, so two different ones are taken for the
    same about once in two thousand million.

    Args:
        texts: n texts.
        level: their levels, of shape [n].
    """
    near = np.zeros(len(texts), dtype=bool)
    if len(texts) == 0:
        return near
    rows = _shingle_matrix(texts)
    prefixes = _prefixes(rows)
    columns = prefixes.T.tocsr()
    for start in range(0, len(texts), _BLOCK_ROWS):
        block = (prefixes[start : start + _BLOCK_ROWS] @ columns).tocoo()
        left, right = block.row + start, block.col
        greater = level[right] > level[left]
        left, right = left[greater], right[greater]
        near[left[_are_near(rows, left, right)]] = True
    return near


def shingles(text: str) -> set[str]:
    """Give the set of a text's word 3-grams; of one or two words the words; of none nothing."""
    words = _WORD.findall(text.lower())
    if not words:
        return set()
    n = max(1, len(words) - SHINGLE_WORDS + 1)
    return {" ".join(words[i : i + SHINGLE_WORDS]) for i in range(n)}


def text_of(example: Example) -> str:
    """Give the example's whole input as one text, its fields in the order of their names."""
    return "\n".join(text for _, text in sorted(example.inputs.items()))


def _shingle_matrix(texts: Sequence[str]) -> Any:
    """Give the sparse matrix of ones, of shape [n texts, distinct hashed shingles]."""
    hashing = HashingVectorizer(
        analyzer=shingles,
        n_features=_N_FEATURES,
        binary=True,
        norm=None,
        alternate_sign=False,
        dtype=np.int32,
    )
    hashed = hashing.transform(texts)
    used, columns = np.unique(hashed.indices, return_inverse=True)
    return csr_matrix((hashed.data, columns, hashed.indptr), shape=(len(texts), len(used)))


def _prefixes(rows: Any) -> Any:
    """Keep of each row the prefix of its rarest features (see the notation above)."""
    rarity = np.bincount(rows.indices, minlength=rows.shape[1])
    row_of = np.repeat(np.arange(rows.shape[0]), np.diff(rows.indptr))
    order = np.lexsort((rows.indices, rarity[rows.indices], row_of))
    place = np.arange(len(order)) - rows.indptr[row_of]
    size = np.diff(rows.indptr)
    length = size + (-NEAR_TENTHS * size) // 10 + 1  # the division rounds down: minus the ceiling
    keep = np.zeros(len(order), dtype=bool)
    keep[order[place < length[row_of]]] = True
    prefixes = rows.copy()
    prefixes.data = keep.astype(np.int32)
    prefixes.eliminate_zeros()
    return prefixes


def _are_near(
    rows: Any, left: npt.NDArray[np.int64], right: npt.NDArray[np.int64]
) -> npt.NDArray[np.bool_]:
    """Tell for each pair whether shared / (all of both) reaches the limit, in whole numbers."""
    near = np.zeros(len(left), dtype=bool)
    size = np.diff(rows.indptr)
    for start in range(0, len(left), _BLOCK_PAIRS):
        block = slice(start, start + _BLOCK_PAIRS)
        i, j = left[block], right[block]
        shared = np.asarray(rows[i].multiply(rows[j]).sum(axis=1)).ravel()
        near[block] = 10 * shared >= NEAR_TENTHS * (size[i] + size[j] - shared)
    return near


def _rating_order(example: Example) -> tuple[bool, float]:
    return (example.rating is not None, 0.0 if example.rating is None else example.rating)
