"""Attention for packed rows: many rows of different lengths stand in one sequence, without padding.

Each row sees itself, causally, and up to two pasts before it: a prefix that all rows share and a
past of its own (an input whose keys and values were kept). The parts are computed by the flash
kernel one by one, which also gives the log of the softmax's denominator, and are then weighted by
it; that is exact (Dao et al. 2022, "FlashAttention", section 3.1, the merging between blocks). The
shared prefix is expanded with stride 0, so nothing is copied for a row.

What a row gets depends on the row alone: its queries stand padded to the bucket of its own length
here, and the queries over the prefix come in chunks of one size.

Notation: T positions of the sequence, B rows, L padded length, P prefix length, H query heads,
G key heads, D head size.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

NAME = "burnish_packed"
CHUNK = 32

# Keys and values of each layer, [1, G, n, D] both.
Keys = tuple[tuple[Tensor, Tensor], ...]

_flash = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu


@dataclass(frozen=True, kw_only=True)
class Block:
    """Rows of one padded length: their numbers, and where their tokens stand, [B, L].

    A padded slot repeats the row's last position; being causal, no real one sees it.
    """

    rows: tuple[int, ...]
    slots: Tensor


@dataclass(frozen=True, kw_only=True)
class Packing:
    """How the T positions of a pass split into rows, and what each row sees before itself.

    `take` [T] finds each position in the blocks' outputs, laid end to end. `pasts` has an entry for
    each row, or is empty. With `kept`, every layer's own keys and values are appended to it.
    """

    blocks: tuple[Block, ...]
    take: Tensor
    prefix: Keys | None = None
    pasts: Sequence[Keys] = ()
    kept: list[tuple[Tensor, Tensor]] | None = None


class CannotPack(Exception):  # noqa: N818  a finding about a model, not a failure
    """This model's attention cannot run packed."""


_PACKING: ContextVar[Packing | None] = ContextVar("packing", default=None)


def may_pack(model: PreTrainedModel) -> bool:
    """Whether packed attention is worth trying: SDPA on the CPU, no soft cap."""
    config = model.config
    return (
        config._attn_implementation == "sdpa"
        and next(model.parameters()).device.type == "cpu"
        and not getattr(config, "attn_logit_softcapping", None)
    )


def enable_packing(model: PreTrainedModel) -> None:
    """Let the model's attention look for a packing; without one it is SDPA as before."""
    AttentionInterface.register(NAME, _attention)
    AttentionMaskInterface.register(NAME, _mask)
    model.set_attn_implementation(NAME)


@contextmanager
def packed(packing: Packing) -> Iterator[None]:
    """Run the passes inside with this packing."""
    token = _PACKING.set(packing)
    try:
        yield
    finally:
        _PACKING.reset(token)


def _mask(*args: Any, **settings: Any) -> Tensor | None:
    return sdpa_mask(*args, **settings) if _PACKING.get() is None else None


def _attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **settings: Any,
) -> tuple[Tensor, None]:
    """Attend as SDPA does, or as the packing says: [1, H, T, D] to [1, T, H, D]."""
    packing = _PACKING.get()
    if packing is None:
        out, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, **settings
        )
        return out, None
    config: Any = module.config
    if getattr(config, "sliding_window", None) and "sliding_window" not in settings:
        raise CannotPack(f"{type(module).__name__} does not say which window it has")
    number: Any = module.layer_idx
    layer = _Layer(packing, number, scaling, settings.get("sliding_window"))
    return layer.attend(query, key, value)[None], None


class _Layer:
    """One layer's attention over one packing."""

    def __init__(
        self, packing: Packing, number: int, scale: float | None, window: int | None
    ) -> None:
        self.packing, self.scale, self.window = packing, scale, window
        self.prefix = None if packing.prefix is None else packing.prefix[number]
        self.pasts = [past[number] for past in packing.pasts]

    def attend(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        """Give the outputs of all positions, [T, H, D]."""
        if self.packing.kept is not None:
            self.packing.kept.append((key, value))
        queries, keys, values = (states[0].transpose(0, 1) for states in (query, key, value))
        pieces = [self._block(block, queries, keys, values) for block in self.packing.blocks]
        out = torch.cat([piece.flatten(0, 1) for piece, _ in pieces])[self.packing.take]
        if self.prefix is None:
            return out
        mass = torch.cat([piece.flatten(0, 1) for _, piece in pieces])[self.packing.take]
        return _merge((out, mass), self._over_prefix(queries, self.prefix))[0]

    def _block(
        self, block: Block, queries: Tensor, keys: Tensor, values: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Give a block's outputs over all but the prefix, [B, L, H, D], and masses, [B, L, H]."""
        query, key, value = (
            states.index_select(0, block.slots.flatten())
            .view(*block.slots.shape, *states.shape[1:])
            .transpose(1, 2)
            for states in (queries, keys, values)
        )
        if not any(self._passes_window(row, query) for row in block.rows):
            return self._whole(block.rows, query, key, value)
        parts = []
        for at, row in enumerate(block.rows):
            attend = self._windowed if self._passes_window(row, query) else self._whole
            parts.append(attend((row,), *(s[at : at + 1] for s in (query, key, value))))
        return torch.cat([out for out, _ in parts]), torch.cat([mass for _, mass in parts])

    def _passes_window(self, row: int, query: Tensor) -> bool:
        """Whether the layer's window is too short for all that a row may see."""
        if self.window is None:
            return False
        before = 0 if self.prefix is None else self.prefix[0].shape[2]
        past = self.pasts[row][0].shape[2] if self.pasts else 0
        return before + past + query.shape[2] > self.window

    def _whole(
        self, rows: tuple[int, ...], query: Tensor, key: Tensor, value: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Attend to the rows themselves and to all of their own pasts."""
        found = _tokens_first(_flash(query, key, value, 0.0, True, scale=self.scale))
        if not self.pasts:
            return found
        over = [
            _flash(query[at : at + 1], *self.pasts[row], 0.0, False, scale=self.scale)
            for at, row in enumerate(rows)
        ]
        past = _tokens_first((torch.cat([o for o, _ in over]), torch.cat([m for _, m in over])))
        return _merge(found, past)

    def _windowed(
        self, rows: tuple[int, ...], query: Tensor, key: Tensor, value: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Attend one row to what its window shows, with a mask.

        The prefix is seen here already, so the mass is infinite: nothing is left to merge.
        """
        assert self.window is not None
        past = self.pasts[rows[0]] if self.pasts else None
        seen = [part for part in (self.prefix, past) if part is not None]
        keys = torch.cat([*(k for k, _ in seen), key], dim=2)
        values = torch.cat([*(v for _, v in seen), value], dim=2)
        there = torch.arange(keys.shape[2])
        here = there[-query.shape[2] :, None]
        mask = (there <= here) & (here - there < self.window)
        out = scaled_dot_product_attention(
            query, keys, values, attn_mask=mask, scale=self.scale, enable_gqa=True
        ).transpose(1, 2)
        mass_dtype = torch.promote_types(out.dtype, torch.float32)
        return out, torch.full(out.shape[:-1], torch.inf, dtype=mass_dtype)

    def _over_prefix(self, queries: Tensor, prefix: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        chunks = queries.reshape(-1, CHUNK, *queries.shape[1:]).transpose(1, 2)
        shared = [states.expand(len(chunks), -1, -1, -1) for states in prefix]
        out, mass = _tokens_first(_flash(chunks, *shared, 0.0, False, scale=self.scale))
        return out.flatten(0, 1), mass.flatten(0, 1)


def _tokens_first(found: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Turn [B, H, L, D] and [B, H, L] into [B, L, H, D] and [B, L, H]."""
    return found[0].transpose(1, 2), found[1].transpose(1, 2)


def _merge(one: tuple[Tensor, Tensor], other: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Join two parts of one attention, (output, log of its denominator) each.

    The masses are joined in float64 and rounded: in float32 PyTorch's kernels give an element at
    the end of a tensor, which has no full vector, other bits than the same element in the middle,
    so a row's bits would depend on how many rows stand beside it.
    """
    (out, mass), (other_out, other_mass) = one, other
    mine, theirs = mass.double(), other_mass.double()
    share = torch.sigmoid(theirs - mine).to(mass.dtype).unsqueeze(-1)
    merged = out.to(share.dtype).lerp(other_out.to(share.dtype), share).to(out.dtype)
    return merged, torch.logaddexp(mine, theirs).to(mass.dtype)
