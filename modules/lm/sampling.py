"""Sampling: one token from a row of logits, with the row's own random stream.

A row's stream is seeded from what the caller calls the draw (seed, example, repeat), so neither the
batch nor its order can change it.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How text is drawn.

    `temperature` 0 takes the most probable token; `top_p` keeps the smallest set of tokens that
    holds that much probability, `top_k` the k most probable (0 keeps all), both after temperature.
    """

    temperature: float = 0.0
    max_tokens: int = 16
    top_p: float = 1.0
    top_k: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < float("inf"):
            raise ValueError(f"temperature must be >= 0 and finite, got {self.temperature}")
        if self.max_tokens < 1:
            raise ValueError(f"max_tokens must be >= 1, got {self.max_tokens}")
        if not 0 < self.top_p <= 1:
            raise ValueError(f"top_p must be in (0, 1], got {self.top_p}")
        if self.top_k < 0:
            raise ValueError(f"top_k must be >= 0, got {self.top_k}")


def stream(*key: object) -> np.random.Generator:
    """Give the random stream of a draw: the same key, the same numbers, on every machine."""
    digest = hashlib.sha256(repr(key).encode("utf-8", "surrogatepass")).digest()
    return np.random.Generator(np.random.Philox(int.from_bytes(digest[:16], "little")))


def draw_index(p: NDArray[np.float64], u: float) -> int:
    """Pick an index from probabilities [k] by the inverse distribution function at u in [0, 1)."""
    cumulative = p.cumsum()
    at = np.searchsorted(cumulative, u * cumulative[-1], side="right")
    return int(min(at, np.flatnonzero(p)[-1]))


def pick(logits: Tensor, sampling: Sampling, u: float) -> int:
    """Pick a token: the inverse of the distribution function at u, in token order.

    Args:
        logits: one row, [n_vocabulary], any float dtype; computed on in float64.
        sampling: temperature and cut-offs.
        u: uniform in [0, 1); not used at temperature 0, where ties go to the lowest token.
    """
    if sampling.temperature == 0:
        return int(logits.argmax())
    kept = token_probabilities(logits, sampling)
    cumulative = kept.cumsum(0)
    at = torch.searchsorted(cumulative, u * float(cumulative[-1]), right=True)
    return min(int(at), int(kept.nonzero()[-1]))


def pick_all(logits: Tensor, samplings: Sequence[Sampling], us: Sequence[float]) -> list[int]:
    """Pick a token for each row of logits, [n, n_vocabulary]; see `pick`.

    The greedy rows are picked together: a device is then waited for once, not once a row.
    """
    greedy = any(sampling.temperature == 0 for sampling in samplings)
    best = logits.argmax(dim=1).tolist() if greedy else []
    rows = zip(logits, samplings, us, strict=True)
    return [
        best[n] if sampling.temperature == 0 else pick(row, sampling, u)
        for n, (row, sampling, u) in enumerate(rows)
    ]


def token_probabilities(logits: Tensor, sampling: Sampling) -> Tensor:
    """Give the distribution that `pick` draws from, float64 [n_vocabulary], summing to 1."""
    p = torch.softmax(logits.double() / sampling.temperature, dim=0)
    if sampling.top_k:
        threshold = p.topk(min(sampling.top_k, p.numel())).values[-1]
        p = torch.where(p >= threshold, p, 0.0)
        p = p / p.sum()
    if sampling.top_p < 1:
        ordered, order = p.sort(descending=True, stable=True)
        beyond = ordered.cumsum(0) - ordered >= sampling.top_p
        p = p.clone()
        p[order[beyond]] = 0.0
        p = p / p.sum()
    return p
