"""Keys and values that are kept for later passes, within a bound of memory, least recently used."""

from collections import OrderedDict

import psutil

from modules.lm.attention import Keys
from modules.lm.batching import Ids

_SHARE_OF_FREE_MEMORY = 0.25


def default_limit() -> int:
    """Give the bytes that kept keys may take: a quarter of the memory that is free now."""
    return int(psutil.virtual_memory().available * _SHARE_OF_FREE_MEMORY)


class KeyCache:
    """Maps token ids, in parts, to the keys and values of the last part.

    Args:
        limit: the bytes that may be kept; the least recently used goes first.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._kept: OrderedDict[tuple[Ids, ...], Keys] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, parts: tuple[Ids, ...]) -> Keys | None:
        """Give what was kept, or None."""
        found = self._kept.get(parts)
        if found is not None:
            self._kept.move_to_end(parts)
        return found

    def put(self, parts: tuple[Ids, ...], keys: Keys) -> None:
        """Keep an entry; one that is larger than the limit is not kept."""
        size = _size(keys)
        if parts in self._kept or size > self.limit:
            return
        self._kept[parts] = keys
        self.size += size
        while self.size > self.limit:
            _, oldest = self._kept.popitem(last=False)
            self.size -= _size(oldest)

    def clear(self) -> None:
        """Drop everything."""
        self._kept.clear()
        self.size = 0


def _size(keys: Keys) -> int:
    return sum(k.nbytes + v.nbytes for k, v in keys)
