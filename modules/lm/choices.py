"""What `choose` gives: the distribution over the choices, and how it fills from scored rows."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from modules.lm.codec import Encoded
from modules.lm.forward import Row
from modules.lm.trie import Fork, Ids, choice_log_probabilities

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Choices:
    """The distribution over the choices for n prompts, at any temperature, from one pass.

    `fork_logits` holds the logits [n, ways] at each fork of the choices' trie, `free_mass` [n] the
    log-probability that an unconstrained model would begin one of the choices, `word_logits`
    [n, n_words] the logits of the further words that were asked for, at the first fork.
    """

    fork_list: tuple[Fork, ...]
    fork_logits: tuple[Array, ...]
    free_mass: Array
    word_logits: Array
    n_choices: int
    n_input_tokens: tuple[int, ...]

    def log_probabilities(self, temperature: float = 1.0) -> Array:
        """Give float64 [n, n_choices]; temperature > 0 divides the logits at every fork."""
        return choice_log_probabilities(
            self.fork_list, self.fork_logits, self.n_choices, temperature
        )

    def split(self) -> list["Choices"]:
        """Give one `Choices` a prompt."""
        return [
            replace(
                self,
                fork_logits=tuple(logits[n : n + 1] for logits in self.fork_logits),
                free_mass=self.free_mass[n : n + 1],
                word_logits=self.word_logits[n : n + 1],
                n_input_tokens=(n_input,),
            )
            for n, n_input in enumerate(self.n_input_tokens)
        ]


class Filling:
    """The logits at each fork of a tree and the free mass of n prompts, while they come in.

    `words` are the tokens of further words, whose logits at the first fork come in too.
    """

    def __init__(self, tree: tuple[Fork, ...], n: int, words: Ids = ()) -> None:
        self.tree = tree
        self.words = words
        self.logits = tuple(np.zeros((n, len(fork.tokens))) for fork in tree)
        self.word_logits = np.zeros((n, len(words)))
        self.free_mass = np.zeros(n)

    def enter(
        self,
        owners: Sequence[Sequence[tuple[int, int]]],
        ways: Sequence[Tensor],
        words: Tensor,
        totals: Tensor,
    ) -> None:
        """Enter a batch: who wants each row, its logits at each fork [B, ways], its log total.

        `words` [B, n_words] are the logits of the further words.
        """
        begin = torch.logsumexp(ways[0], dim=1) - totals
        for at, owner in enumerate(owners):
            for member, fork in owner:
                self.logits[fork][member] = ways[fork][at].numpy()
                if fork == 0:
                    self.word_logits[member] = words[at].numpy()
                    self.free_mass[member] = min(0.0, float(begin[at]))


def wanted_rows(
    encoded: Sequence[Encoded], members: Sequence[int], tree: Sequence[Fork]
) -> dict[Row, list[tuple[int, int]]]:
    """Give the distinct rows behind one shared part, and which (prompt, fork) each answers."""
    wanted: dict[Row, list[tuple[int, int]]] = defaultdict(list)
    for member in members:
        for number, fork in enumerate(tree):
            row = Row(kept=encoded[member].kept, own=encoded[member].own + fork.path)
            wanted[row].append((member, number))
    return wanted
