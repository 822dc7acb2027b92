"""Packed passes: rows of different lengths in one sequence, so that nothing is spent on padding.

A pass runs T positions; every row that it holds ends with the hidden state that its next token is
predicted from. Positions are filled up to a multiple of 32, because a matrix product of very few
rows may round differently from one of many.
"""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor
from transformers import PreTrainedModel

from modules.lm.attention import (
    CHUNK,
    Block,
    CannotPack,
    Keys,
    Packing,
    enable_packing,
    may_pack,
    packed,
)
from modules.lm.batching import Ids, bucket


@dataclass(frozen=True, kw_only=True)
class PackedRow:
    """A row's tokens, and the keys and values of a past that it alone has (after the prefix)."""

    ids: Ids
    past: Keys | None = None


def can_pack(model: PreTrainedModel) -> bool:
    """Try whether packed passes give what a model of this kind gives by itself.

    One layer of each kind that the model has, with random weights, is tried in float32: in bfloat16
    the rounding of many layers can be larger than what a wrong attention does.
    """
    if not may_pack(model):
        return False
    config = copy.deepcopy(model.config)
    kinds = list(dict.fromkeys(getattr(config, "layer_types", None) or ["full_attention"]))
    config.num_hidden_layers = len(kinds)
    if getattr(config, "layer_types", None):
        config.layer_types = kinds
    config.vocab_size = 8
    config.bos_token_id = config.eos_token_id = config.pad_token_id = None
    with torch.random.fork_rng(devices=[]), torch.inference_mode():
        torch.manual_seed(0)
        probe = type(model)._from_config(  # type: ignore[no-untyped-call]
            config, dtype=torch.float32, attn_implementation="sdpa"
        )
        probe.train(False)
        prefix, rows = (1, 2, 3), [PackedRow(ids=(4, 5)), PackedRow(ids=(6,))]
        expected = torch.stack(
            [
                probe.base_model(
                    input_ids=torch.tensor([prefix + row.ids]), use_cache=False
                ).last_hidden_state[0, -1]
                for row in rows
            ]
        )
        enable_packing(probe)
        try:
            _, (keys,) = run_packed(probe, [PackedRow(ids=prefix)], None, keep=True)
            found, _ = run_packed(probe, rows, keys)
        except CannotPack:
            return False
    return torch.allclose(found, expected, rtol=1e-3, atol=1e-4)


def pack_rows(lengths: Sequence[int], max_tokens: int) -> Iterator[tuple[int, ...]]:
    """Give the rows of each pass, longest first, at most `max_tokens` together.

    A row that is longer than that makes a pass of its own.
    """
    rows: list[int] = []
    n_tokens = 0
    for row in sorted(range(len(lengths)), key=lambda row: -lengths[row]):
        if rows and n_tokens + lengths[row] > max_tokens:
            yield tuple(rows)
            rows, n_tokens = [], 0
        rows.append(row)
        n_tokens += lengths[row]
    if rows:
        yield tuple(rows)


@torch.inference_mode()
def run_packed(
    model: PreTrainedModel, rows: Sequence[PackedRow], prefix: Keys | None, *, keep: bool = False
) -> tuple[Tensor, list[Keys]]:
    """Run rows after a prefix in one pass.

    Args:
        model: a model that `modules.lm.attention.enable_packing` was called on.
        rows: at least one, of at least one token each; all of them have a past, or none has.
        prefix: the keys and values of what all rows begin with.
        keep: also give each row's own keys and values.

    Returns:
        The last hidden states [n_rows, H], and the rows' keys and values (none without `keep`).
    """
    lengths = [len(row.ids) for row in rows]
    *starts, n_used = accumulate(lengths, initial=0)
    total = -(-n_used // CHUNK) * CHUNK
    n_prefix = _n_keys(prefix)
    ids = torch.zeros(total, dtype=torch.long)
    positions = torch.zeros(total, dtype=torch.long)
    for row, start in zip(rows, starts, strict=True):
        end = start + len(row.ids)
        ids[start:end] = torch.tensor(row.ids)
        positions[start:end] = n_prefix + _n_keys(row.past) + torch.arange(len(row.ids))
    blocks = tuple(_blocks(lengths, starts))
    kept: list[tuple[Tensor, Tensor]] | None = [] if keep else None
    packing = Packing(
        blocks=blocks,
        take=_take(blocks, lengths, starts, total),
        prefix=prefix,
        pasts=[row.past for row in rows if row.past is not None],
        kept=kept,
    )
    with packed(packing):
        out = model.base_model(
            input_ids=ids[None], position_ids=positions[None], use_cache=False
        ).last_hidden_state
    ends = torch.tensor([start + n - 1 for start, n in zip(starts, lengths, strict=True)])
    keys = [
        tuple(
            (k[:, :, at : at + n].contiguous(), v[:, :, at : at + n].contiguous())
            for k, v in kept or ()
        )
        for at, n in zip(starts, lengths, strict=True)
        if keep
    ]
    return out[0, ends], keys


def _n_keys(keys: Keys | None) -> int:
    return 0 if keys is None else keys[0][0].shape[2]


def _blocks(lengths: Sequence[int], starts: Sequence[int]) -> Iterator[Block]:
    """Group rows by the bucket of their length."""
    groups: dict[int, list[int]] = {}
    for row, length in enumerate(lengths):
        groups.setdefault(bucket(length), []).append(row)
    for padded, rows in groups.items():
        within = torch.arange(padded)
        slots = [starts[row] + within.clamp(max=lengths[row] - 1) for row in rows]
        yield Block(rows=tuple(rows), slots=torch.stack(slots))


def _take(
    blocks: Sequence[Block], lengths: Sequence[int], starts: Sequence[int], total: int
) -> Tensor:
    """Find each position in the blocks' outputs laid end to end; unused ones take the first."""
    take = torch.zeros(total, dtype=torch.long)
    offset = 0
    for block in blocks:
        n_rows, padded = block.slots.shape
        for at, row in enumerate(block.rows):
            first = offset + at * padded
            take[starts[row] : starts[row] + lengths[row]] = first + torch.arange(lengths[row])
        offset += n_rows * padded
    return take
