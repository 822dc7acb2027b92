"""What `look` gives: what the model is about to say where an answer would start."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from modules.lm.forward import Forward

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Looks:
    """What the model is about to say after each of n prompts, from one pass.

    `states` holds the last hidden states [n, H] where the answer's first token would come, in the
    model's own dtype, `log_totals` [n] the logs of the softmax's denominators there; `forward` is
    what turns states into logits.
    """

    states: Tensor = field(repr=False)
    log_totals: Array = field(repr=False)
    n_input_tokens: tuple[int, ...]
    forward: Forward = field(repr=False)

    @property
    def hidden(self) -> NDArray[np.float32]:
        """The last hidden states, float32 [n, H]."""
        return np.asarray(self.states.float().numpy())

    def log_probabilities(self, tokens: Sequence[int]) -> Array:
        """Give the log-probability of a few tokens, float64 [n, n_tokens], as exact as `choose`."""
        logits: Array = self.forward.exact_logits(self.states, tokens).cpu().numpy()
        return logits - self.log_totals[:, None]

    def vocabulary(self) -> Iterator[Array]:
        """Give the log-probabilities of all tokens, float64 [B, V], a few prompts at a time.

        In order and in the model's own precision; a block is the caller's to change.
        """
        at = 0
        for logits in self.forward.vocabulary_logits(self.states):
            block = logits.cpu().double().numpy()
            block -= self.log_totals[at : at + len(block), None]
            at += len(block)
            yield block
