"""The ledger: counts what the model was asked and what it computed, and stops at the budget.

Counted in one place, where the forward passes are ordered, whoever asked for them. A charge depends
on the request alone, never on what happens to be cached, so a resumed search reads the same account
as an uninterrupted one. How much of it was found in a cache and needed no run is counted apart.
"""

import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass, replace

from modules.lm.batching import Ids


class BudgetExceeded(BaseException):
    """The budget is spent. A BaseException, because optimizers score ordinary exceptions as 0."""


@dataclass(frozen=True, kw_only=True)
class Account:
    """What was spent: prompts answered, forward tokens (padding left out), tokens sampled.

    `reused_tokens` are those of the forward tokens that a cache saved.
    """

    n_prompts: int = 0
    forward_tokens: int = 0
    sampled_tokens: int = 0
    reused_tokens: int = 0

    def to_json(self) -> dict[str, int]:
        """Give the counts that depend on the requests alone, as a plain mapping."""
        counts = asdict(self)
        del counts["reused_tokens"]
        return counts


class Ledger:
    """Adds up charges, across threads, and refuses the one that would pass a budget.

    Whichever budget ends first ends it; None is without limit.

    Args:
        budget_tokens: forward tokens that may be spent.
        budget_calls: prompts that may be answered.
        budget_seconds: seconds, from now on, in which charges are taken.
        clock: what tells the seconds.
        rows_once: whether a row that was charged before is free, as its result may be kept. For
            callers that ask the same again and again.
    """

    def __init__(
        self,
        budget_tokens: int | None = None,
        budget_calls: int | None = None,
        budget_seconds: float | None = None,
        clock: Callable[[], float] = time.monotonic,
        *,
        rows_once: bool = False,
    ) -> None:
        self.budget_tokens = budget_tokens
        self.budget_calls = budget_calls
        self.budget_seconds = budget_seconds
        self._clock = clock
        self._began = clock()
        self._account = Account()
        self._shared: set[Ids] = set()
        self._rows: set[tuple[Ids, Ids]] | None = set() if rows_once else None
        self._ahead = 0
        self._lock = threading.Lock()

    @property
    def account(self) -> Account:
        """What was spent so far."""
        return self._account

    @property
    def tokens_left(self) -> float:
        """Forward tokens that may still be spent; infinity without a budget."""
        if self.budget_tokens is None:
            return float("inf")
        return max(0, self.budget_tokens - self._account.forward_tokens)

    @property
    def seconds(self) -> float:
        """Seconds since the ledger was opened."""
        return self._clock() - self._began

    def charge(
        self,
        *,
        n_prompts: int,
        forward_tokens: int = 0,
        sampled_tokens: int = 0,
        shared: Collection[Ids] = (),
        rows: Sequence[tuple[Ids, Ids]] = (),
    ) -> None:
        """Enter a charge before its work is done.

        Args:
            n_prompts: how many prompts are answered.
            forward_tokens: of the prompts' own parts.
            sampled_tokens: how many tokens are drawn.
            rows: what is charged besides: token ids, each behind the shared part before them.
            shared: the parts that the prompts share, as token ids. Their keys are kept, so each is
                charged once on a ledger, whoever asks with it and in how many calls.

        Raises:
            BudgetExceeded: it would pass a budget; nothing is entered, and so is every later
                charge of that size refused.
        """
        with self._lock:
            before = self._account
            new = {part for part in shared if part not in self._shared}
            new_rows = rows if self._rows is None else set(rows) - self._rows
            after = before.forward_tokens + forward_tokens + sum(map(len, new))
            after += sum(len(own) for _, own in new_rows)
            if self.budget_tokens is not None and after > self.budget_tokens:
                raise BudgetExceeded(f"{self.budget_tokens} forward tokens are spent")
            if self.budget_calls is not None and before.n_prompts + n_prompts > self.budget_calls:
                raise BudgetExceeded(f"{self.budget_calls} calls are spent")
            if self.budget_seconds is not None and self.seconds > self.budget_seconds:
                raise BudgetExceeded(f"{self.budget_seconds:g} seconds are spent")
            self._shared |= new
            if self._rows is not None:
                self._rows.update(new_rows)
            self._account = replace(
                before,
                n_prompts=before.n_prompts + n_prompts,
                forward_tokens=after,
                sampled_tokens=before.sampled_tokens + sampled_tokens,
            )

    def go_on(self, budget_tokens: int | None, budget_calls: int | None) -> None:
        """Set other budgets of tokens and calls, and none of seconds; what was spent stays."""
        with self._lock:
            self.budget_tokens = budget_tokens
            self.budget_calls = budget_calls
            self.budget_seconds = None

    def note_reuse(self, tokens: int) -> None:
        """Enter how many of the tokens just charged were not run; fewer than 0 counts as 0."""
        with self._lock:
            saved = max(0, tokens)
            ahead = min(saved, self._ahead)
            self._ahead -= ahead
            reused = self._account.reused_tokens + saved - ahead
            self._account = replace(self._account, reused_tokens=reused)

    def note_ahead(self, tokens: int) -> None:
        """Enter tokens that were run before they are charged; the charge then is no reuse."""
        with self._lock:
            self._ahead += tokens
