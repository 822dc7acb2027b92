"""The trie of the choices: which tokens may follow where, and the distribution that this makes.

Constrained decoding walks the trie from its root; at each node the model's probability is
renormalised over the allowed next tokens (a child, or the end where a choice stops). A node with
one way out has probability 1 and needs no forward pass, so choices that differ in their first token
cost one position.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ids = tuple[int, ...]
Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Fork:
    """A trie node with at least two ways out.

    `path` is the tokens from the root to it, `tokens` the allowed next tokens, and `member[c, j]`
    says that choice `c` takes way `j` here.
    """

    path: Ids
    tokens: Ids
    member: NDArray[np.bool_]


def forks(choices: Sequence[Ids], end_id: int) -> tuple[Fork, ...]:
    """Give the trie's forks, the root first.

    Args:
        choices: token ids of each choice, all different and none empty.
        end_id: the token that ends an answer; a choice that is the prefix of another ends with it.

    Raises:
        ValueError: two choices have the same tokens, or one has none.
    """
    if any(not choice for choice in choices):
        raise ValueError("a choice has no tokens")
    if len(set(choices)) != len(choices):
        raise ValueError("two choices have the same tokens")
    ended = [(*choice, end_id) for choice in choices]
    paths = sorted(
        {path[:n] for path in ended for n in range(len(path))}, key=lambda p: (len(p), p)
    )
    found = []
    for path in paths:
        depth = len(path)
        tokens = tuple(sorted({e[depth] for e in ended if len(e) > depth and e[:depth] == path}))
        if len(tokens) > 1:
            member = np.array([[e[: depth + 1] == (*path, t) for t in tokens] for e in ended])
            found.append(Fork(path=path, tokens=tokens, member=member))
    return tuple(found)


def choice_log_probabilities(
    fork_list: Sequence[Fork], logits: Sequence[Array], n_choices: int, temperature: float = 1.0
) -> Array:
    """Combine the forks' logits into log-probabilities of the choices.

    Args:
        fork_list: the forks of a trie.
        logits: for each fork the model's logits of its tokens, [n_prompts, n_tokens].
        n_choices: number of choices in the trie.
        temperature: > 0, divides the logits at every fork.

    Returns:
        [n_prompts, n_choices]; each row sums to 1 in probability.
    """
    if temperature <= 0:
        raise ValueError(f"temperature must be > 0, got {temperature}")
    n = logits[0].shape[0] if logits else 0
    total = np.zeros((n, n_choices))
    for fork, scores in zip(fork_list, logits, strict=True):
        scaled = scores / temperature
        top = scaled.max(axis=1, keepdims=True)
        logp = scaled - top - np.log(np.exp(scaled - top).sum(axis=1, keepdims=True))
        for choice, way in zip(*np.nonzero(fork.member), strict=True):
            total[:, choice] += logp[:, way]
    return total
