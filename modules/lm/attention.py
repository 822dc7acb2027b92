"""Attention over a shared prefix without a copy of it for every row.

Each row attends to the prefix and to itself in two calls of the flash kernel, which also give the
log of the softmax's denominator; the two results are then weighted by it, which is exact (Dao et
al. 2022, "FlashAttention", section 3.1, the merging between blocks). The prefix's keys and values
are expanded with stride 0, so nothing is copied, and no mask is needed: the prefix is visible to
all, and a row is causal in itself.

Notation: B rows, H query heads, G key heads, L row length, P prefix length, D head size.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, DynamicCache, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface, sdpa_mask

NAME = "burnish_shared_prefix"

_flash = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu

_PREFIX: ContextVar[DynamicCache | None] = ContextVar("prefix", default=None)


def can_share(model: PreTrainedModel) -> bool:
    """Whether rows can attend to a shared prefix this way: SDPA on the CPU, no soft cap."""
    config = model.config
    return (
        config._attn_implementation == "sdpa"
        and next(model.parameters()).device.type == "cpu"
        and not getattr(config, "attn_logit_softcapping", None)
    )


def enable_sharing(model: PreTrainedModel) -> None:
    """Let the model's attention look for a shared prefix; without one it is SDPA as before."""
    AttentionInterface.register(NAME, _attention)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    model.set_attn_implementation(NAME)


@contextmanager
def shared_prefix(cache: DynamicCache) -> Iterator[None]:
    """Let every row of the passes inside see this prefix, [1, G, P, D] in each layer."""
    token = _PREFIX.set(cache)
    try:
        yield
    finally:
        _PREFIX.reset(token)


def _attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    **settings: Any,
) -> tuple[Tensor, None]:
    """Attend as SDPA does, [B, H, L, D] to [B, L, H, D]; to a shared prefix too, if any."""
    cache = _PREFIX.get()
    if cache is None:
        out, _ = sdpa_attention_forward(
            module, query, key, value, attention_mask, scaling=scaling, **settings
        )
        return out, None
    n_rows, n_heads = query.shape[:2]
    group = n_heads // key.shape[1]
    number: Any = module.layer_idx
    layer: Any = cache.layers[number]
    shared = [
        states.repeat_interleave(group, dim=1).expand(n_rows, -1, -1, -1)
        for states in (layer.keys, layer.values)
    ]
    own = [states.repeat_interleave(group, dim=1) for states in (key, value)]
    over_shared, mass_shared = _flash(query, *shared, 0.0, False, scale=scaling)
    over_own, mass_own = _flash(query, *own, 0.0, True, scale=scaling)
    share = torch.sigmoid(mass_shared - mass_own).unsqueeze(-1)
    merged = over_own.to(share.dtype).lerp(over_shared.to(share.dtype), share)
    return merged.to(query.dtype).transpose(1, 2).contiguous(), None
