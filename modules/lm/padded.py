"""Padded passes: rows of one padded length as a batch, each with its own keys and values.

The way to go on from (generation), and the way for devices and models that cannot run packed. Rows
are padded on the right; attention is causal, so padding behind a row's last token cannot reach it
and needs no mask.

Notation: B rows of a batch, L padded length, P prefix tokens, H hidden size.
"""

import copy
from collections import OrderedDict
from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from modules.lm.batching import Batch, Ids

_PREFIXES_KEPT = 4


class PaddedPasses:
    """Runs padded batches after a shared prefix, which is run once and copied for each row."""

    def __init__(self, model: PreTrainedModel, device: torch.device) -> None:
        self._model = model
        self._device = device
        self._prefixes: OrderedDict[Ids, DynamicCache] = OrderedDict()

    def knows(self, prefix: Ids) -> bool:
        """Whether the prefix's keys and values are here already."""
        return prefix in self._prefixes or not prefix

    def run(self, prefix: Ids, rows: Sequence[Ids], batch: Batch) -> tuple[Tensor, DynamicCache]:
        """Run a batch: the last hidden state [B, H] of each row, and the rows' keys and values."""
        ids = torch.zeros((len(batch.rows), batch.length), dtype=torch.long)
        for at, row in enumerate(batch.rows):
            ids[at, : len(rows[row])] = torch.tensor(rows[row])
        cache = self._after(prefix, len(batch.rows))
        hidden = self._hidden(ids, cache)
        ends = torch.tensor([len(rows[row]) - 1 for row in batch.rows], device=hidden.device)
        return hidden[torch.arange(len(batch.rows), device=hidden.device), ends], cache

    def step(self, tokens: Tensor, positions: Tensor, mask: Tensor, cache: DynamicCache) -> Tensor:
        """Run one more token for each row; see `modules.lm.forward.Forward.step`."""
        hidden = self._model.base_model(
            input_ids=tokens[:, None].to(self._device),
            position_ids=positions[:, None].to(self._device),
            attention_mask=mask.to(self._device),
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state
        assert isinstance(hidden, Tensor)
        return hidden[:, -1]

    def clear(self) -> None:
        """Forget the prefixes."""
        self._prefixes.clear()

    def _after(self, prefix: Ids, n_rows: int) -> DynamicCache:
        """Give a cache of its own for each row, filled with the prefix."""
        if not prefix:
            return DynamicCache(config=self._model.config)
        cache = copy.deepcopy(self._prefix(prefix))
        if n_rows > 1:
            cache.batch_repeat_interleave(n_rows)
        return cache

    def _prefix(self, prefix: Ids) -> DynamicCache:
        if prefix not in self._prefixes:
            cache = DynamicCache(config=self._model.config)
            self._hidden(torch.tensor([prefix]), cache)
            self._prefixes[prefix] = cache
            while len(self._prefixes) > _PREFIXES_KEPT:
                self._prefixes.popitem(last=False)
        self._prefixes.move_to_end(prefix)
        return self._prefixes[prefix]

    def _hidden(self, ids: Tensor, cache: DynamicCache) -> Tensor:
        out = self._model.base_model(
            input_ids=ids.to(self._device), past_key_values=cache, use_cache=True
        )
        hidden = out.last_hidden_state
        assert isinstance(hidden, Tensor)
        return hidden
