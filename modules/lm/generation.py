"""Generation: sampled text for many rows after one prefix, each row with its own random stream."""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from transformers import DynamicCache

from modules.lm.batching import Ids, bucket
from modules.lm.codec import Codec
from modules.lm.forward import Begun, Forward
from modules.lm.ledger import Ledger
from modules.lm.sampling import Sampling, pick_all, stream


@dataclass(frozen=True, kw_only=True)
class Completion:
    """What the model wrote: the text up to the stop, token counts, and why it ended.

    `finish` is "stop" at an end token or the stop string, "length" at `max_tokens`.
    """

    text: str
    n_input_tokens: int
    n_output_tokens: int
    finish: Literal["stop", "length"]


@dataclass(frozen=True, kw_only=True)
class GenerationRow:
    """One row to continue: its tokens after the prefix, how to draw, where to stop, its stream."""

    own: Ids
    sampling: Sampling
    stops: tuple[str, ...]
    key: tuple[object, ...]


@dataclass(kw_only=True)
class _Live:
    """A row while it is written."""

    index: int
    row: GenerationRow
    n_input: int
    draws: np.random.Generator
    tokens: list[int] = field(default_factory=list)


def run_generation(
    forward: Forward,
    codec: Codec,
    ledger: Ledger,
    prefix: Ids,
    rows: Sequence[GenerationRow],
    progress: Callable[[int], None] | None = None,
) -> list[Completion]:
    """Continue every row; the result is in the order of `rows`.

    Rows with equal tokens share the pass over their prompt. Finished rows leave the batch. The
    caller has charged the prompts and the first token of each row; the further ones are charged
    here, as they are drawn.
    """
    owners: dict[Ids, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        owners[row.own].append(index)
    unique = list(owners)
    done: list[Completion | None] = [None] * len(rows)
    longest = {own: max(rows[i].sampling.max_tokens for i in owners[own]) for own in unique}
    for exact in (False, True):
        part = [o for o in unique if _passes_window(forward, prefix, o, longest[o]) == exact]
        for batch in forward.begin(prefix, part, exact_lengths=exact):
            members = [(at, i) for at, r in enumerate(batch.rows) for i in owners[part[r]]]
            live = [
                _Live(
                    index=i,
                    row=rows[i],
                    n_input=len(prefix) + len(rows[i].own),
                    draws=stream(*rows[i].key),
                )
                for _, i in members
            ]
            ats = [at for at, _ in members]
            _write(forward, codec, ledger, len(prefix), batch, ats, live, done)
            if progress is not None:
                progress(len(live))
    return [completion for completion in done if completion is not None]


def _passes_window(forward: Forward, prefix: Ids, own: Ids, n_new: int) -> bool:
    """Whether padding could take a place in a sliding window, which counts cached slots.

    Asked of each row by itself, so that how a row is run does not depend on the others.
    """
    return len(prefix) + bucket(len(own)) + n_new >= forward.window


def _write(
    forward: Forward,
    codec: Codec,
    ledger: Ledger,
    n_prefix: int,
    batch: Begun,
    at: list[int],
    live: list[_Live],
    done: list[Completion | None],
) -> None:
    """Write the rows of one batch to their ends, entering completions into `done`."""
    cache, logits = batch.cache, batch.logits
    if at != list(range(len(batch.rows))):
        cache.batch_select_indices(torch.tensor(at, device=forward.device))
        logits = logits[at]
    n_own = torch.tensor([row.n_input - n_prefix for row in live])
    mask = torch.ones((len(live), n_prefix + batch.length), dtype=torch.long)
    mask[:, n_prefix:] = torch.arange(batch.length)[None] < n_own[:, None]
    while True:
        _draw(live, logits)
        kept = [n for n, row in enumerate(live) if not _finish(codec, row, done)]
        if not kept:
            return
        if len(kept) < len(live):
            live = [live[n] for n in kept]
            cache.batch_select_indices(torch.tensor(kept, device=forward.device))
            mask = mask[kept]
        logits, mask = _advance(forward, ledger, live, mask, cache)


def _advance(
    forward: Forward, ledger: Ledger, live: Sequence[_Live], mask: Tensor, cache: DynamicCache
) -> tuple[Tensor, Tensor]:
    ledger.charge(n_prompts=0, forward_tokens=len(live), sampled_tokens=len(live))
    mask = torch.cat([mask, torch.ones((len(live), 1), dtype=mask.dtype)], dim=1)
    tokens = torch.tensor([row.tokens[-1] for row in live])
    positions = torch.tensor([row.n_input + len(row.tokens) - 1 for row in live])
    return forward.step(tokens, positions, mask, cache), mask


def _draw(live: Sequence[_Live], logits: Tensor) -> None:
    us = [float(row.draws.random()) for row in live]
    tokens = pick_all(logits, [row.row.sampling for row in live], us)
    for row, token in zip(live, tokens, strict=True):
        row.tokens.append(token)


def _finish(codec: Codec, live: _Live, done: list[Completion | None]) -> bool:
    """Enter the row into `done` when it has ended."""
    ended = live.tokens[-1] in codec.end_ids
    text = codec.decode(live.tokens[:-1] if ended else live.tokens)
    begin = len(text) - len(text.lstrip())
    cuts = [at for stop in live.row.stops if (at := text.find(stop, begin)) >= 0]
    if cuts:
        text, ended = text[: min(cuts)], True
    if not ended and len(live.tokens) < live.row.sampling.max_tokens:
        return False
    done[live.index] = Completion(
        text=text.strip(),
        n_input_tokens=live.n_input,
        n_output_tokens=len(live.tokens),
        finish="stop" if ended else "length",
    )
    return True
