"""The local model: `choose`, `look` and `generate` over many rendered prompts at once.

It joins the codec (text to ids), the forward passes, and the ledger. It knows nothing of DSPy, of
tasks or of files.
"""

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from modules.lm.answers import Answers
from modules.lm.batching import Ids
from modules.lm.choices import Choices, Filling, wanted_rows
from modules.lm.codec import Codec, Encoded
from modules.lm.forward import Forward, Row
from modules.lm.generation import Completion, GenerationRow, run_generation
from modules.lm.ledger import Ledger
from modules.lm.looks import Looks
from modules.lm.sampling import Sampling
from modules.lm.store import MemoryStore
from modules.lm.trie import Fork, forks
from modules.prompts.render import Rendered

Progress = Callable[[int], None]
Wanted = Mapping[Ids, Mapping[Row, list[tuple[int, int]]]]
"""By shared part, the rows behind it and which (prompt, fork) each answers."""

_START = Fork(path=(), tokens=(), member=np.zeros((0, 0), dtype=np.bool_))


class PromptTooLong(ValueError):  # noqa: N818  named as a finding, like BudgetExceeded
    """A prompt and its answer do not fit into the model's context."""


@dataclass(frozen=True, kw_only=True)
class ModelIdentity:
    """Which model this is, enough to get the very same one again, and what it computes on."""

    name: str
    source: str
    revision: str
    digest: str
    dtype: str
    processor: str


@dataclass(frozen=True, kw_only=True)
class GenerateRequest:
    """One completion to draw: the prompt, how to draw, and the key of its random stream."""

    prompt: Rendered
    sampling: Sampling
    key: tuple[object, ...] = ()


class LocalModel:
    """A language model in this process. Thread-safe: calls run one after another.

    With `answers`, what was computed before is read instead of run, by this process or another.
    """

    def __init__(
        self,
        forward: Forward,
        codec: Codec,
        identity: ModelIdentity,
        ledger: Ledger | None = None,
        answers: Answers | None = None,
    ) -> None:
        self.identity = identity
        self.codec = codec
        self.answers = answers
        self.ledger = Ledger() if ledger is None else ledger
        self._forward = forward
        self._lock = threading.Lock()

    @property
    def has_chat_template(self) -> bool:
        """Whether chat layouts work with this model."""
        return self.codec.has_chat_template

    @property
    def context(self) -> int:
        """The number of tokens that a prompt and its answer may have together."""
        return self._forward.context

    def choose(
        self,
        prompts: Sequence[Rendered],
        answers: Sequence[str],
        progress: Progress | None = None,
        *,
        words: Sequence[str] = (),
        apart: bool = False,
    ) -> Choices:
        """Score the answers after each prompt.

        The result is the distribution that constrained decoding would draw from: at every node of
        the answers' token trie the mass is renormalised over the allowed next tokens, the end of
        the answer among them where one answer is the beginning of another.

        Args:
            prompts: n rendered prompts of one prompt or of several.
            answers: at least two different strings, as they continue the prompts' lead.
            progress: called with the number of prompts just finished.
            words: further strings, as they continue the prompts' lead; the logit of the first token
                of each is given too, where the answers first part. They cost no token.
            apart: charge each prompt as if it were asked alone.

        Raises:
            PromptTooLong: a prompt does not fit into the context.
            BudgetExceeded: the ledger refuses; nothing was run.
            ValueError: fewer than two answers, or two that the tokenizer cannot tell apart, or a
                word without tokens.
        """
        if len(answers) < 2:
            raise ValueError(f"choose needs at least two answers, got {list(answers)}")
        encoded = [self.codec.encode(prompt) for prompt in prompts]
        trees = {(e.anchor, e.end): self._trie(e, answers) for e in encoded}
        if len({tuple((f.path, f.tokens) for f in tree) for tree in trees.values()}) > 1:
            raise ValueError("prompts with different leads cannot be scored in one call")
        tree = next(iter(trees.values()), ())
        n = len(prompts)
        result = Filling(tree, n, self._first_tokens(encoded, words))
        wanted = _grouped(encoded, tree)
        self._check_length(_longest(wanted))
        each = (
            [{one.shared: wanted_rows([one], [0], tree)} for one in encoded] if apart else [wanted]
        )
        with self._lock, self._reuse_noted():
            charged = [row for one in each for row in _rows(one)]
            self.ledger.charge(n_prompts=n, rows=charged, shared=wanted)
            for shared, rows in wanted.items():
                self._score(shared, rows, result, progress)
        return Choices(
            fork_list=tree,
            fork_logits=result.logits,
            free_mass=result.free_mass,
            word_logits=result.word_logits,
            n_choices=len(answers),
            n_input_tokens=tuple(len(e.ids) for e in encoded),
        )

    def cost(
        self, prompts: Sequence[Rendered], answers: Sequence[str], *, with_shared: bool = True
    ) -> int:
        """Give the forward tokens that `choose` would charge for the same; nothing is run.

        Without the shared parts it is what a ledger charges that has them already.
        """
        wanted = self._wanted(prompts, answers)
        return _n_own_tokens(wanted) + with_shared * sum(map(len, wanted))

    def _wanted(self, prompts: Sequence[Rendered], answers: Sequence[str]) -> Wanted:
        encoded = [self.codec.encode(prompt) for prompt in prompts]
        return _grouped(encoded, self._trie(encoded[0], answers) if encoded else ())

    def check_length(self, prompts: Sequence[Rendered], answers: Sequence[str]) -> None:
        """Look whether all prompts fit with any of the answers, as `choose` does; nothing is run.

        Raises:
            PromptTooLong: one does not.
        """
        self._check_length(_longest(self._wanted(prompts, answers)))

    def look(self, prompts: Sequence[Rendered], progress: Progress | None = None) -> Looks:
        """Give what the model is about to say after each prompt, where an answer would start.

        Charged, and kept in the answer store, as `choose` with answers of one token each.

        Args:
            prompts: n rendered prompts of one prompt or of several.
            progress: called with the number of prompts just finished.

        Raises:
            PromptTooLong: a prompt does not fit into the context.
            BudgetExceeded: the ledger refuses; nothing was run.
        """
        encoded = [self.codec.encode(prompt) for prompt in prompts]
        self._check_length(max((len(e.ids) for e in encoded), default=0))
        wanted = _grouped(encoded, [_START])
        states: dict[int, Tensor] = {}
        log_totals = np.zeros(len(prompts))
        with self._lock, self._reuse_noted():
            self.ledger.charge(n_prompts=len(prompts), rows=_rows(wanted), shared=wanted)
            for shared, rows in wanted.items():
                owners = list(rows.values())
                for numbers, hidden, totals in self._states(shared, list(rows)):
                    members = [[member for member, _ in owners[n]] for n in numbers]
                    for at, state in enumerate(hidden.cpu()):
                        states |= dict.fromkeys(members[at], state)
                        log_totals[members[at]] = float(totals[at])
                    if progress is not None:
                        progress(sum(map(len, members)))
        width, dtype = self._forward.model.config.hidden_size, self._forward.model.dtype
        none = torch.zeros((0, width), dtype=dtype)
        return Looks(
            states=torch.stack([states[n] for n in range(len(prompts))]) if prompts else none,
            log_totals=log_totals,
            n_input_tokens=tuple(len(e.ids) for e in encoded),
            forward=self._forward,
        )

    def generate(
        self,
        requests: Sequence[GenerateRequest],
        progress: Progress | None = None,
        *,
        apart: bool = False,
    ) -> list[Completion]:
        """Draw a completion for each request. Requests with the same prompt share its pass.

        Args:
            requests: prompts of one kind or several; each with its sampling and stream key.
            progress: called with the number of completions just finished.
            apart: charge each request as if it were asked alone.

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
                        own=encoded[i].kept + encoded[i].own,
                        sampling=requests[i].sampling,
                        stops=requests[i].prompt.stops,
                        key=requests[i].key,
                    )
                    for i in members
                ]
                with self._reuse_noted():
                    done = self._write(shared, rows, progress, apart)
                for i, completion in zip(members, done, strict=True):
                    results[i] = completion
        return [completion for completion in results if completion is not None]

    def count_tokens(self, prompt: Rendered) -> int:
        """Give the number of tokens that a prompt has for this model."""
        return len(self.codec.encode(prompt).ids)

    def fits(self, prompt: Rendered, *, answers: Sequence[str] = (), n_new: int = 0) -> bool:
        """Say whether a prompt with any of the answers and `n_new` tokens fits into the context."""
        encoded = self.codec.encode(prompt)
        tree = self._trie(encoded, answers) if answers else ()
        longest = max((len(fork.path) for fork in tree), default=0)
        return len(encoded.ids) + longest + n_new <= self._forward.context

    @contextmanager
    def remembering(self) -> Iterator[None]:
        """Keep answers in memory inside, if they are not kept already; it changes no answer."""
        before = self.answers
        if before is None:
            digest, processor = self.identity.digest, self.identity.processor
            dtype = self._forward.model.dtype
            self.answers = Answers(MemoryStore(), digest, dtype, processor, way="")
        try:
            yield
        finally:
            self.answers = before

    @contextmanager
    def _reuse_noted(self) -> Iterator[None]:
        """Note how much of what is charged inside needed no run."""
        charged, run = self.ledger.account.forward_tokens, self._forward.n_run
        yield
        charged = self.ledger.account.forward_tokens - charged
        self.ledger.note_reuse(charged - (self._forward.n_run - run))

    def _write(
        self, shared: Ids, rows: Sequence[GenerationRow], progress: Progress | None, apart: bool
    ) -> list[Completion]:
        """Give the completions of rows with one shared part, kept ones without a run."""
        known = {} if self.answers is None else self.answers.completions(shared, rows)
        together = sum(map(len, {row.own for row in rows}))
        each = sum(len(row.own) for row in rows)
        self.ledger.charge(
            n_prompts=len(rows),
            forward_tokens=each if apart else together,
            sampled_tokens=len(rows),
            shared=[shared],
        )
        for completion in known.values():
            for _ in range(completion.n_output_tokens - 1):  # as a run is charged
                self.ledger.charge(n_prompts=0, forward_tokens=1, sampled_tokens=1)
            if progress is not None:
                progress(1)
        absent = [n for n in range(len(rows)) if n not in known]
        new = [rows[n] for n in absent]
        run = run_generation(self._forward, self.codec, self.ledger, shared, new, progress)
        if self.answers is not None and new:
            self.answers.keep_completions(shared, new, run)
        known |= dict(zip(absent, run, strict=True))
        return [known[n] for n in range(len(rows))]

    def _trie(self, encoded: Encoded, answers: Sequence[str]) -> tuple[Fork, ...]:
        choices = [self.codec.answer_ids(encoded.anchor, answer) for answer in answers]
        return forks(choices, end_id=encoded.end)

    def _first_tokens(self, encoded: Sequence[Encoded], words: Sequence[str]) -> Ids:
        """Give the first token of each word; the prompts have one lead, so one anchor will do."""
        if not encoded:
            return ()
        found = [self.codec.answer_ids(encoded[0].anchor, word) for word in words]
        if not all(found):
            raise ValueError("a word has no tokens")
        return tuple(ids[0] for ids in found)

    def _check_length(self, n_tokens: int) -> None:
        if n_tokens > self._forward.context:
            raise PromptTooLong(
                f"{n_tokens} tokens do not fit into the context of {self._forward.context}; "
                "set an input cap"
            )

    def _score(
        self,
        shared: Ids,
        wanted: Mapping[Row, Sequence[tuple[int, int]]],
        result: Filling,
        progress: Progress | None,
    ) -> None:
        """Find or run the wanted rows and enter them into the result."""
        rows = list(wanted)
        for numbers, hidden, totals in self._states(shared, rows):
            ways = [self._forward.exact_logits(hidden, fork.tokens) for fork in result.tree]
            words = self._forward.exact_logits(hidden, result.words)
            owners = [wanted[rows[n]] for n in numbers]
            result.enter(owners, [way.cpu() for way in ways], words.cpu(), totals)
            if progress is not None:
                progress(sum(fork == 0 for owner in owners for _, fork in owner))

    def _states(
        self, shared: Ids, rows: Sequence[Row]
    ) -> Iterator[tuple[Sequence[int], Tensor, Tensor]]:
        """Give rows' numbers, last hidden states [B, H] and log totals [B], kept ones first."""
        keys = [(shared, row.kept, row.own) for row in rows]
        known = {} if self.answers is None else self.answers.states(keys)
        if known:
            hidden = torch.stack([state for state, _ in known.values()])
            totals = torch.tensor([total for _, total in known.values()], dtype=torch.float64)
            yield list(known), hidden, totals
        absent = [n for n in range(len(rows)) if n not in known]
        for scored in self._forward.score(shared, [rows[n] for n in absent]):
            numbers = [absent[n] for n in scored.rows]
            totals = self._forward.log_totals(scored.hidden).cpu()
            if self.answers is not None:
                self.answers.keep_states([keys[n] for n in numbers], scored.hidden, totals.tolist())
            yield numbers, scored.hidden, totals


def _grouped(encoded: Sequence[Encoded], tree: Sequence[Fork]) -> Wanted:
    """Give the distinct rows by the shared part that they stand behind."""
    groups = _by_prefix(encoded)
    return {shared: wanted_rows(encoded, members, tree) for shared, members in groups.items()}


def _longest(wanted: Wanted) -> int:
    lengths = (len(shared) + len(row.ids) for shared, rows in wanted.items() for row in rows)
    return max(lengths, default=0)


def _rows(wanted: Wanted) -> list[tuple[Ids, Ids]]:
    """Give every row's tokens, each behind the shared part before them, as a ledger takes them."""
    return [(shared, row.ids) for shared, rows in wanted.items() for row in rows]


def _n_own_tokens(wanted: Wanted) -> int:
    """Give the tokens of rows, without the shared parts before them."""
    return sum(len(own) for _, own in _rows(wanted))


def _by_prefix(encoded: Sequence[Encoded]) -> dict[Ids, list[int]]:
    groups: dict[Ids, list[int]] = defaultdict(list)
    for number, prompt in enumerate(encoded):
        groups[prompt.shared].append(number)
    return groups
