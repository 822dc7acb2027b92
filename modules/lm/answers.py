"""What is kept of a model's answers, and under which key.

The key is what the result depends on, and nothing else: the weights, the dtype, the kind of
processor, the versions of the libraries that compute, the token ids in their parts, and for text
how it is drawn. A row's entry is its last hidden state, from which every set of answers, every
calibration and every temperature follows.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import tokenizers
import torch
import transformers
from torch import Tensor

from modules.files import canonical_json
from modules.lm.batching import Ids
from modules.lm.generation import Completion, GenerationRow
from modules.lm.store import Store

_FORMAT = 4  # raised when the same request would get other bits

State = tuple[Tensor, float]


class Answers:
    """One model's entries in a store.

    Args:
        store: where they lie.
        digest: the digest of the weights.
        dtype: what is computed in.
        processor: what it is computed on, see `modules.lm.placement.processor`.
        way: anything else that the bits depend on, such as how rows are batched.
    """

    def __init__(
        self, store: Store, digest: str, dtype: torch.dtype, processor: str, way: str
    ) -> None:
        self._store = store
        self._dtype = dtype
        versions = [torch.__version__, transformers.__version__, tokenizers.__version__]
        salt = canonical_json([_FORMAT, digest, str(dtype), processor, versions, way])
        self._salt = hashlib.sha256(salt.encode()).digest()

    def states(self, rows: Sequence[tuple[Ids, ...]]) -> dict[int, State]:
        """Give the last hidden state [H] and the log total of the rows that are kept, by place."""
        keys = [self._key("state", row) for row in rows]
        found = self._store.get(keys)
        return {
            n: _read_state(found[key], self._dtype) for n, key in enumerate(keys) if key in found
        }

    def keep_states(
        self, rows: Sequence[tuple[Ids, ...]], hidden: Tensor, totals: Sequence[float]
    ) -> None:
        """Keep the last hidden states [B, H] and log totals of rows."""
        values = {
            self._key("state", row): _write_state(state, total)
            for row, state, total in zip(rows, hidden.cpu(), totals, strict=True)
        }
        self._store.put(values)

    def completions(self, shared: Ids, rows: Sequence[GenerationRow]) -> dict[int, Completion]:
        """Give the completions of the rows that are kept, by place."""
        keys = [self._text_key(shared, row) for row in rows]
        found = self._store.get(keys)
        return {n: Completion(**json.loads(found[k])) for n, k in enumerate(keys) if k in found}

    def keep_completions(
        self, shared: Ids, rows: Sequence[GenerationRow], completions: Sequence[Completion]
    ) -> None:
        """Keep the completions of rows."""
        self._store.put(
            {
                self._text_key(shared, row): _bytes(asdict(completion))
                for row, completion in zip(rows, completions, strict=True)
            }
        )

    def _text_key(self, shared: Ids, row: GenerationRow) -> bytes:
        return self._key("text", (shared, row.own, asdict(row.sampling), row.stops, repr(row.key)))

    def _key(self, kind: str, parts: object) -> bytes:
        return hashlib.sha256(self._salt + _bytes([kind, parts])).digest()


def _bytes(value: object) -> bytes:
    """Give canonical JSON; a lone surrogate, which no encoding has, keeps its number."""
    return canonical_json(value).encode("utf-8", "surrogatepass")


def _write_state(hidden: Tensor, total: float) -> bytes:
    bits = hidden.contiguous().view(torch.uint8).numpy().tobytes()
    return np.float64(total).tobytes() + bits


def _read_state(value: bytes, dtype: torch.dtype) -> State:
    bits = torch.frombuffer(bytearray(value[8:]), dtype=torch.uint8)
    return bits.view(dtype), float(np.frombuffer(value[:8])[0])
