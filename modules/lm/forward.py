"""Forward passes over rows of token ids that share a prefix: the only place that runs the model.

Notation: B rows of a batch, L padded length, P prefix tokens, H hidden size, V vocabulary. Rows are
padded on the right; attention is causal, so padding behind a row's last token cannot reach it and
needs no mask.
"""

import copy
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import DynamicCache, PreTrainedModel

from modules.errors import UserError
from modules.lm.attention import can_share, enable_sharing, shared_prefix
from modules.lm.batching import pack

Ids = tuple[int, ...]

_PREFIXES_KEPT = 4


@dataclass(frozen=True, kw_only=True)
class Scored:
    """One batch's outcome: `rows` of the caller's list, and the last hidden state [B, H] of each.

    `logits` [B, V] follow from it in the model's own precision, as float32 (float64 stays).
    `cache` holds the keys and values of prefix and padded rows where they were asked for,
    `length` is the padded length.
    """

    rows: tuple[int, ...]
    hidden: Tensor
    logits: Tensor
    cache: DynamicCache | None
    length: int


class Forward:
    """A causal language model, reduced to what prompts need: next-token logits after many rows."""

    def __init__(self, model: PreTrainedModel, batch_tokens: int) -> None:
        self.model = model
        self.model.train(False)
        self.batch_tokens = batch_tokens
        self.device: torch.device = next(model.get_input_embeddings().parameters()).device
        self._head_layer: nn.Linear = model.get_output_embeddings()  # type: ignore[no-untyped-call]
        self._shares_prefix = can_share(model)
        if self._shares_prefix:
            enable_sharing(model)
        self._prefixes: OrderedDict[Ids, DynamicCache] = OrderedDict()
        self._check_head()

    @property
    def context(self) -> int:
        """The most tokens that a prompt and its answer may have together."""
        return int(self.model.config.max_position_embeddings)

    @property
    def window(self) -> int:
        """The tokens that every layer can see; layers with a sliding window see fewer than all."""
        return int(getattr(self.model.config, "sliding_window", None) or self.context)

    @torch.inference_mode()
    def score(
        self,
        prefix: Ids,
        rows: Sequence[Ids],
        *,
        exact_lengths: bool = False,
        keep_cache: bool = False,
    ) -> Iterator[Scored]:
        """Run rows after a prefix, batch by batch.

        Args:
            prefix: the tokens that all rows begin with; run once, kept for later calls.
            rows: what follows it in each row, at least one token each.
            exact_lengths: batch only rows of one length and pad none of them.
            keep_cache: also give keys and values to go on from; copies the prefix for each row.

        Yields:
            Every row's logits exactly once, longest rows first.
        """
        lengths = [len(row) for row in rows]
        for batch in pack(lengths, self.batch_tokens, exact=exact_lengths):
            ids = torch.zeros((len(batch.rows), batch.length), dtype=torch.long)
            for at, row in enumerate(batch.rows):
                ids[at, : len(rows[row])] = torch.tensor(rows[row])
            cache: DynamicCache | None = None
            if keep_cache or not self._can_share(len(prefix), batch.length):
                cache = self._after(prefix, len(batch.rows))
                hidden = self._hidden(ids, cache)
            else:
                hidden = self._hidden_beside(prefix, ids)
            ends = torch.tensor([len(rows[row]) - 1 for row in batch.rows], device=hidden.device)
            last = hidden[torch.arange(len(batch.rows), device=hidden.device), ends]
            yield Scored(
                rows=batch.rows,
                hidden=last,
                logits=self._head(last),
                cache=cache,
                length=batch.length,
            )

    @torch.inference_mode()
    def exact_logits(self, hidden: Tensor, tokens: Sequence[int]) -> Tensor:
        """Give the logits of a few tokens in float64, [B, n_tokens].

        In bfloat16 two answers' logits near 20 can only differ in steps of 0.125, which makes ties;
        the last layer's few columns cost nothing in full precision.
        """
        weight = self._head_layer.weight[torch.tensor(list(tokens), device=hidden.device)].double()
        logits = (hidden.double()[:, None, :] * weight[None]).sum(dim=-1)
        bias = self._head_layer.bias
        if bias is not None:
            logits = logits + bias[list(tokens)].double()
        return self._softcap(logits)

    @torch.inference_mode()
    def step(self, tokens: Tensor, positions: Tensor, mask: Tensor, cache: DynamicCache) -> Tensor:
        """Run one more token for each row and give the next logits, [B, V], as in `Scored`.

        Args:
            tokens: the tokens, [B].
            positions: their positions in the row, padding not counted, [B].
            mask: 1 where a cached slot or the new token may be seen, [B, P + L + steps].
            cache: the rows' keys and values; the new ones are appended.
        """
        hidden = self.model.base_model(
            input_ids=tokens[:, None].to(self.device),
            position_ids=positions[:, None].to(self.device),
            attention_mask=mask.to(self.device),
            past_key_values=cache,
            use_cache=True,
        ).last_hidden_state
        return self._head(hidden[:, -1])

    def _can_share(self, n_prefix: int, length: int) -> bool:
        """Whether rows can see the prefix in place: there is one, inside every layer's window."""
        return self._shares_prefix and n_prefix > 0 and n_prefix + length <= self.window

    def _after(self, prefix: Ids, n_rows: int) -> DynamicCache:
        """Give a cache of its own for each row, filled with the prefix."""
        if not prefix:
            return DynamicCache(config=self.model.config)
        cache = copy.deepcopy(self._prefix(prefix))
        if n_rows > 1:
            cache.batch_repeat_interleave(n_rows)
        return cache

    def _prefix(self, prefix: Ids) -> DynamicCache:
        """Give the prefix's keys and values, run once and kept while it is used."""
        if prefix not in self._prefixes:
            cache = DynamicCache(config=self.model.config)
            self._hidden(torch.tensor([prefix]), cache)
            self._prefixes[prefix] = cache
            while len(self._prefixes) > _PREFIXES_KEPT:
                self._prefixes.popitem(last=False)
        self._prefixes.move_to_end(prefix)
        return self._prefixes[prefix]

    def _hidden_beside(self, prefix: Ids, ids: Tensor) -> Tensor:
        """Run rows that see a shared prefix in place: [B, L] to hidden states [B, L, H]."""
        cache = self._prefix(prefix)
        positions = len(prefix) + torch.arange(ids.shape[1])
        with shared_prefix(cache):
            out = self.model.base_model(
                input_ids=ids.to(self.device),
                position_ids=positions[None].to(self.device),
                use_cache=False,
            )
        hidden = out.last_hidden_state
        assert isinstance(hidden, Tensor)
        return hidden

    def _hidden(self, ids: Tensor, cache: DynamicCache) -> Tensor:
        out = self.model.base_model(
            input_ids=ids.to(self.device), past_key_values=cache, use_cache=True
        )
        hidden = out.last_hidden_state
        assert isinstance(hidden, Tensor)
        return hidden

    def _head(self, hidden: Tensor) -> Tensor:
        logits = self._head_layer(hidden)
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
