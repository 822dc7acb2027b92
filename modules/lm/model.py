"""The local model: `choose` and `generate` over many rendered prompts at once.

It joins the codec (text to ids), the forward passes, and the ledger. It knows nothing of DSPy, of
tasks or of files.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from modules.lm.codec import Codec, Encoded
from modules.lm.forward import Forward
from modules.lm.generation import Completion, GenerationRow, run_generation
from modules.lm.ledger import Ledger
from modules.lm.sampling import Sampling
from modules.lm.trie import Fork, choice_log_probabilities, forks
from modules.prompts.render import Rendered

Ids = tuple[int, ...]
Array = NDArray[np.float64]
Progress = Callable[[int], None]


class PromptTooLong(ValueError):  # noqa: N818  named as a finding, like BudgetExceeded
    """A prompt and its answer do not fit into the model's context."""


@dataclass(frozen=True, kw_only=True)
class ModelIdentity:
    """Which model this is: enough to get the very same one again."""

    name: str
    source: str
    revision: str
    digest: str
    dtype: str


@dataclass(frozen=True, kw_only=True)
class Choices:
    """The distribution over the choices for n prompts, at any temperature, from one pass.

    `fork_logits` holds the logits [n, ways] at each fork of the choices' trie, `free_mass` [n] the
    log-probability that an unconstrained model would begin one of the choices.
    """

    fork_list: tuple[Fork, ...]
    fork_logits: tuple[Array, ...]
    free_mass: Array
    n_choices: int
    n_input_tokens: tuple[int, ...]

    def log_probabilities(self, temperature: float = 1.0) -> Array:
        """Give float64 [n, n_choices]; temperature > 0 divides the logits at every fork."""
        return choice_log_probabilities(
            self.fork_list, self.fork_logits, self.n_choices, temperature
        )


@dataclass(frozen=True, kw_only=True)
class GenerateRequest:
    """One completion to draw: the prompt, how to draw, and the key of its random stream."""

    prompt: Rendered
    sampling: Sampling
    key: tuple[object, ...] = ()


class LocalModel:
    """A language model in this process. Thread-safe: calls run one after another."""

    def __init__(
        self, forward: Forward, codec: Codec, identity: ModelIdentity, ledger: Ledger | None = None
    ) -> None:
        self.identity = identity
        self.codec = codec
        self.ledger = Ledger() if ledger is None else ledger
        self._forward = forward
        self._lock = threading.Lock()

    @property
    def has_chat_template(self) -> bool:
        """Whether chat layouts work with this model."""
        return self.codec.has_chat_template

    def choose(
        self, prompts: Sequence[Rendered], answers: Sequence[str], progress: Progress | None = None
    ) -> Choices:
        """Score the answers after each prompt.

        The result is the distribution that constrained decoding would draw from: at every node of
        the answers' token trie the mass is renormalised over the allowed next tokens, the end of
        the answer among them where one answer is the beginning of another.

        Args:
            prompts: n rendered prompts of one prompt or of several.
            answers: at least two different strings, as they continue the prompts' lead.
            progress: called with the number of prompts just finished.

        Raises:
            PromptTooLong: a prompt does not fit into the context.
            BudgetExceeded: the ledger refuses; nothing was run.
            ValueError: fewer than two answers, or two that the tokenizer cannot tell apart.
        """
        if len(answers) < 2:
            raise ValueError(f"choose needs at least two answers, got {list(answers)}")
        encoded = [self.codec.encode(prompt) for prompt in prompts]
        trees = {e.anchor: self._trie(e.anchor, answers) for e in encoded}
        if len({tuple((f.path, f.tokens) for f in tree) for tree in trees.values()}) > 1:
            raise ValueError("prompts with different leads cannot be scored in one call")
        tree = next(iter(trees.values()), ())
        n = len(prompts)
        logits = tuple(np.zeros((n, len(fork.tokens))) for fork in tree)
        free_mass = np.zeros(n)
        wanted = {
            shared: _wanted(encoded, members, tree)
            for shared, members in _by_prefix(encoded).items()
        }
        self._check_length(max((len(s) + len(row) for s in wanted for row in wanted[s]), default=0))
        with self._lock:
            self.ledger.charge(
                n_prompts=n,
                forward_tokens=sum(len(s) + sum(map(len, rows)) for s, rows in wanted.items()),
            )
            for shared, rows in wanted.items():
                self._score(shared, rows, tree, logits, free_mass, progress)
        return Choices(
            fork_list=tree,
            fork_logits=logits,
            free_mass=free_mass,
            n_choices=len(answers),
            n_input_tokens=tuple(len(e.ids) for e in encoded),
        )

    def generate(
        self, requests: Sequence[GenerateRequest], progress: Progress | None = None
    ) -> list[Completion]:
        """Draw a completion for each request. Requests with the same prompt share its pass.

        Args:
            requests: prompts of one kind or several; each with its sampling and stream key.
            progress: called with the number of completions just finished.

        Raises:
            PromptTooLong: a prompt and `max_tokens` do not fit into the context.
            BudgetExceeded: the ledger refuses to go on.
        """
        encoded = [self.codec.encode(request.prompt) for request in requests]
        for prompt, request in zip(encoded, requests, strict=True):
            self._check_length(len(prompt.ids) + request.sampling.max_tokens)
        results: list[Completion | None] = [None] * len(requests)
        with self._lock:
            for shared, members in _by_prefix(encoded).items():
                rows = [
                    GenerationRow(
                        own=encoded[i].own,
                        sampling=requests[i].sampling,
                        stops=requests[i].prompt.stops,
                        key=requests[i].key,
                    )
                    for i in members
                ]
                done = run_generation(
                    self._forward, self.codec, self.ledger, shared, rows, progress
                )
                for i, completion in zip(members, done, strict=True):
                    results[i] = completion
        return [completion for completion in results if completion is not None]

    def count_tokens(self, prompt: Rendered) -> int:
        """Give the number of tokens that a prompt has for this model."""
        return len(self.codec.encode(prompt).ids)

    def _trie(self, anchor: str | None, answers: Sequence[str]) -> tuple[Fork, ...]:
        choices = [self.codec.answer_ids(anchor, answer) for answer in answers]
        return forks(choices, end_id=min(self.codec.end_ids, default=-1))

    def _check_length(self, n_tokens: int) -> None:
        if n_tokens > self._forward.context:
            raise PromptTooLong(
                f"{n_tokens} tokens do not fit into the context of {self._forward.context}; "
                "set an input cap"
            )

    def _score(
        self,
        shared: Ids,
        wanted: Mapping[Ids, Sequence[tuple[int, int]]],
        tree: Sequence[Fork],
        logits: Sequence[Array],
        free_mass: Array,
        progress: Progress | None,
    ) -> None:
        """Run the wanted rows and enter them into `logits` and `free_mass`."""
        rows = list(wanted)
        for batch in self._forward.score(shared, rows):
            totals = torch.logsumexp(batch.logits.double(), dim=1)
            ways = [self._forward.exact_logits(batch.hidden, fork.tokens) for fork in tree]
            begin = torch.logsumexp(ways[0], dim=1) - totals
            for at, row in enumerate(batch.rows):
                for member, number in wanted[rows[row]]:
                    logits[number][member] = ways[number][at].cpu().numpy()
                    if number == 0:
                        free_mass[member] = min(0.0, float(begin[at]))
            if progress is not None:
                progress(sum(number == 0 for r in batch.rows for _, number in wanted[rows[r]]))


def _wanted(
    encoded: Sequence[Encoded], members: Sequence[int], tree: Sequence[Fork]
) -> dict[Ids, list[tuple[int, int]]]:
    """Give the distinct rows behind one shared part, and which (prompt, fork) each answers."""
    wanted: dict[Ids, list[tuple[int, int]]] = defaultdict(list)
    for member in members:
        for number, fork in enumerate(tree):
            wanted[encoded[member].own + fork.path].append((member, number))
    return wanted


def _by_prefix(encoded: Sequence[Encoded]) -> dict[Ids, list[int]]:
    groups: dict[Ids, list[int]] = defaultdict(list)
    for number, prompt in enumerate(encoded):
        groups[prompt.shared].append(number)
    return groups
