"""Forward passes over rows of token ids that share a prefix: the only place that runs the model.

Notation: B rows of a batch, P prefix tokens, L padded length, H hidden size, V vocabulary.
"""

import gc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from transformers import DynamicCache, PreTrainedModel

from modules.errors import UserError
from modules.lm.attention import Keys, enable_packing
from modules.lm.batching import Batch, Ids, pack
from modules.lm.keys import KeyCache, default_limit
from modules.lm.packed import PackedRow, can_pack, pack_rows, run_packed
from modules.lm.padded import PaddedPasses

Result = TypeVar("Result")

_HEAD_ROWS = 64
_PRODUCTS = 2**23  # products that exact logits hold at a time, 64 MiB
_HEAD_STEP = 16


@dataclass(frozen=True, kw_only=True)
class Row:
    """What follows the prefix: tokens whose keys are worth keeping, and at least one more."""

    kept: Ids = ()
    own: Ids

    @property
    def ids(self) -> Ids:
        """All of the row's tokens."""
        return self.kept + self.own


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One pass's outcome: `rows` of the caller's list, and the last hidden state [B, H] of each."""

    rows: tuple[int, ...]
    hidden: Tensor


@dataclass(frozen=True, kw_only=True)
class Begun:
    """A padded batch to go on from: the next logits [B, V], the rows' keys and values, and L."""

    rows: tuple[int, ...]
    logits: Tensor
    cache: DynamicCache
    length: int


class Forward:
    """A causal language model, reduced to what prompts need: what comes next after many rows.

    `n_run` counts the tokens that went through the model, padding left out.
    """

    def __init__(
        self, model: PreTrainedModel, batch_tokens: int, kept_bytes: int | None = None
    ) -> None:
        self.model = model
        self.model.train(False)
        self.batch_tokens = batch_tokens
        self.n_run = 0
        self.keys = KeyCache(default_limit() if kept_bytes is None else kept_bytes)
        self.device: torch.device = next(model.get_input_embeddings().parameters()).device
        self._head_layer: nn.Linear = model.get_output_embeddings()  # type: ignore[no-untyped-call]
        self._padded = PaddedPasses(model, self.device)
        self._check_head()
        self.packs = can_pack(model)
        if self.packs:
            enable_packing(model)

    @property
    def context(self) -> int:
        """The most tokens that a prompt and its answer may have together."""
        return int(self.model.config.max_position_embeddings)

    @property
    def window(self) -> int:
        """The tokens that every layer can see; layers with a sliding window see fewer than all."""
        return int(getattr(self.model.config, "sliding_window", None) or self.context)

    @torch.inference_mode()
    def score(self, prefix: Ids, rows: Sequence[Row]) -> Iterator[Scored]:
        """Run rows after a prefix, pass by pass, longest rows first.

        The keys and values of the prefix and of the rows' kept parts are run once and kept, within
        the memory that `keys` may take. A pass that runs out of memory is done again in halves.

        Yields:
            Every row exactly once.

        Raises:
            UserError: there is no memory for a single row.
        """
        if self.packs:
            yield from self._score_packed(prefix, rows)
        else:
            for batch, hidden, _ in self._padded_passes(prefix, [row.ids for row in rows]):
                yield Scored(rows=batch.rows, hidden=hidden)

    @torch.inference_mode()
    def begin(
        self, prefix: Ids, rows: Sequence[Ids], *, exact_lengths: bool = False
    ) -> Iterator[Begun]:
        """Run rows after a prefix, keeping the keys and values of each to go on from.

        Args:
            prefix: the tokens that all rows begin with; run once, copied for each row.
            rows: what follows it in each row, at least one token each.
            exact_lengths: batch only rows of one length and pad none of them.
        """
        for batch, hidden, cache in self._padded_passes(prefix, rows, exact=exact_lengths):
            logits = self._head(hidden)
            yield Begun(rows=batch.rows, logits=logits, cache=cache, length=batch.length)

    @torch.inference_mode()
    def step(self, tokens: Tensor, positions: Tensor, mask: Tensor, cache: DynamicCache) -> Tensor:
        """Run one more token for each row and give the next logits, [B, V].

        Args:
            tokens: the tokens, [B].
            positions: their positions in the row, padding not counted, [B].
            mask: 1 where a cached slot or the new token may be seen, [B, P + L + steps].
            cache: the rows' keys and values; the new ones are appended.
        """
        self.n_run += len(tokens)
        return self._head(self._padded.step(tokens, positions, mask, cache))

    @torch.inference_mode()
    def exact_logits(self, hidden: Tensor, tokens: Sequence[int]) -> Tensor:
        """Give the logits of a few tokens in float64, [B, n_tokens].

        In bfloat16 two answers' logits near 20 can only differ in steps of 0.125, which makes ties;
        the last layer's few columns cost nothing in full precision. Many are done a part at a time,
        so that memory does not grow with their number.
        """
        step = max(1, _PRODUCTS // max(1, hidden.numel()))
        parts = [tokens[at : at + step] for at in range(0, len(tokens), step)]
        found = [self._exact_logits(hidden, part) for part in parts]
        return torch.cat(found, dim=1) if found else hidden.new_empty((len(hidden), 0)).double()

    def _exact_logits(self, hidden: Tensor, tokens: Sequence[int]) -> Tensor:
        weight = self._head_layer.weight
        columns = weight[torch.tensor(list(tokens), device=weight.device)].double()
        logits = (hidden.to(columns.device).double()[:, None, :] * columns[None]).sum(dim=-1)
        bias = self._head_layer.bias
        if bias is not None:
            logits = logits + bias[list(tokens)].double()
        return self._softcap(logits)

    @torch.inference_mode()
    def log_totals(self, hidden: Tensor) -> Tensor:
        """Give the log of the softmax's denominator over the whole vocabulary, float64 [B]."""
        parts = [
            self._filled_head(part).logsumexp(dim=1)[: len(part)]
            for part in torch.split(hidden, _HEAD_ROWS)
        ]
        return torch.cat(parts).double()

    @torch.inference_mode()
    def vocabulary_logits(self, hidden: Tensor) -> Iterator[Tensor]:
        """Give the logits of the whole vocabulary for rows in order, [B, V], at most 64 a time."""
        for part in torch.split(hidden, _HEAD_ROWS):
            yield self._head(part.to(self._head_layer.weight.device))

    def forget(self) -> None:
        """Drop all kept keys and values, and give their memory back to the device."""
        self.keys.clear()
        self._padded.clear()
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _score_packed(self, prefix: Ids, rows: Sequence[Row]) -> Iterator[Scored]:
        def run(batch: Batch) -> Tensor:
            return self._packed_pass(prefix, [rows[n] for n in batch.rows])

        lengths = [len(row.own) for row in rows]
        whole = [row.ids for row in rows]
        for apart in (False, True):  # rows with a past of their own stand in passes of their own
            part = [n for n, row in enumerate(rows) if bool(row.kept) == apart]
            packs = pack_rows([lengths[n] for n in part], self.batch_tokens)
            # the longest row stands first in each
            todo = [
                Batch(rows=tuple(part[n] for n in numbers), length=lengths[part[numbers[0]]])
                for numbers in packs
            ]
            for batch, hidden in self._in_memory(todo, run, prefix, whole):
                yield Scored(rows=batch.rows, hidden=hidden)

    def _packed_pass(self, prefix: Ids, rows: Sequence[Row]) -> Tensor:
        shared = self._keys_after((), [prefix], None)[0] if prefix else None
        pasts: Sequence[Keys | None] = [None] * len(rows)
        if rows[0].kept:
            pasts = self._keys_after((prefix,), [row.kept for row in rows], shared)
        packed = [PackedRow(ids=row.own, past=past) for row, past in zip(rows, pasts, strict=True)]
        hidden, _ = run_packed(self.model, packed, shared)
        self.n_run += sum(len(row.own) for row in rows)
        return hidden

    def _keys_after(
        self, before: tuple[Ids, ...], parts: Sequence[Ids], prefix: Keys | None
    ) -> list[Keys]:
        """Give the keys and values of parts that follow `before`; what is not kept is run."""
        found = {part: self.keys.get((*before, part)) for part in parts}
        absent = [part for part, keys in found.items() if keys is None]
        for numbers in pack_rows([len(part) for part in absent], self.batch_tokens):
            rows = [PackedRow(ids=absent[n]) for n in numbers]
            _, run = run_packed(self.model, rows, prefix, keep=True)
            self.n_run += sum(len(row.ids) for row in rows)
            for row, fresh in zip(rows, run, strict=True):
                found[row.ids] = fresh
                self.keys.put((*before, row.ids), fresh)
        return [keys for part in parts if (keys := found[part]) is not None]

    def _padded_passes(
        self, prefix: Ids, rows: Sequence[Ids], *, exact: bool = False
    ) -> Iterator[tuple[Batch, Tensor, DynamicCache]]:
        """Give each batch, the last hidden states [B, H] of its rows, and their keys and values."""

        def run(batch: Batch) -> tuple[Tensor, DynamicCache]:
            if not self._padded.knows(prefix):
                self.n_run += len(prefix)
            return self._padded.run(prefix, rows, batch)

        todo = list(pack([len(row) for row in rows], self.batch_tokens, exact=exact))
        for batch, (hidden, cache) in self._in_memory(todo, run, prefix, rows):
            self.n_run += sum(len(rows[row]) for row in batch.rows)
            yield batch, hidden, cache

    def _in_memory(
        self,
        todo: list[Batch],
        run: Callable[[Batch], Result],
        prefix: Ids,
        rows: Sequence[Ids],
    ) -> Iterator[tuple[Batch, Result]]:
        """Run batches one by one; one that has no memory is done again in halves."""
        while todo:
            batch = todo.pop(0)
            try:
                result = run(batch)
            except (RuntimeError, MemoryError) as error:
                todo = self._halved(error, batch, prefix, rows) + todo
            else:
                yield batch, result

    def _halved(
        self, error: Exception, batch: Batch, prefix: Ids, rows: Sequence[Ids]
    ) -> list[Batch]:
        """Give the halves of a batch that had no memory; later batches are made smaller too."""
        if not _is_out_of_memory(error):
            raise error
        self.forget()
        if len(batch.rows) == 1:
            n_tokens = len(prefix) + len(rows[batch.rows[0]])
            raise UserError(
                f"there is no memory for one prompt of {n_tokens} tokens: set an input cap"
            ) from error
        middle = (len(batch.rows) + 1) // 2
        self.batch_tokens = min(self.batch_tokens, batch.length * middle)
        halves = batch.rows[:middle], batch.rows[middle:]
        return [Batch(rows=half, length=batch.length) for half in halves]

    def _head(self, hidden: Tensor) -> Tensor:
        """Give all logits, [B, V], in float32 (float64 stays)."""
        return self._filled_head(hidden)[: len(hidden)]

    def _filled_head(self, hidden: Tensor) -> Tensor:
        """Give all logits; the rows are filled up to a multiple of 16.

        A product of very few rows may round differently from one of many, and a sum over one row
        may be cut between threads.
        """
        logits = self._head_layer(pad(hidden, (0, 0, 0, -len(hidden) % _HEAD_STEP)))
        return self._softcap(logits.to(torch.promote_types(logits.dtype, torch.float32)))

    def _softcap(self, logits: Tensor) -> Tensor:
        cap = getattr(self.model.config, "final_logit_softcapping", None)
        return torch.tanh(logits / cap) * cap if cap else logits

    @torch.inference_mode()
    def _check_head(self) -> None:
        """Prove on three tokens that our head is the model's own."""
        ids = torch.tensor([[1, 2, 3]], device=self.device)
        theirs = self.model(input_ids=ids, use_cache=False).logits[:, -1].double()
        hidden = self.model.base_model(input_ids=ids, use_cache=False).last_hidden_state
        if not torch.allclose(self._head(hidden[:, -1]).double(), theirs, rtol=1e-2, atol=1e-2):
            raise UserError(
                f"{type(self.model).__name__} does more than a linear layer after its last hidden "
                "state; Burnish cannot score with it"
            )


def _is_out_of_memory(error: Exception) -> bool:
    """Whether memory ran out: CUDA says so by type, the CPU's allocator only in its words."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return "can't allocate memory" in str(error) or "not enough memory" in str(error)
