"""Gathering: calls from many threads become batches on one model.

No thread of its own: the first caller that finds nobody at work leads. It waits a moment for as
many callers as came last time, runs all that are waiting, and hands out the results; the others
sleep until theirs is there. So nothing can be left hanging when a program ends.
"""

import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from modules.lm.choices import Choices
from modules.lm.generation import Completion
from modules.lm.ledger import BudgetExceeded
from modules.lm.model import GenerateRequest, LocalModel
from modules.prompts.render import Rendered

_WAIT_SECONDS = 0.02


@dataclass(kw_only=True)
class _Call:
    """One thread's call: `kind` says with which others it can be run."""

    kind: Hashable
    run: Callable[[Sequence[Any]], Sequence[Any]]
    asked: Any
    done: bool = False
    result: Any = None
    error: BaseException | None = None


class Gatherer:
    """Runs single calls in batches. Each is charged as if it came alone.

    Args:
        model: what answers.
        wait_seconds: the longest that a call waits for others to come.
    """

    def __init__(self, model: LocalModel, wait_seconds: float = _WAIT_SECONDS) -> None:
        self.model = model
        self.wait_seconds = wait_seconds
        self._changed = threading.Condition()
        self._waiting: list[_Call] = []
        self._expected = 1
        self._led = False

    def choose(
        self, prompt: Rendered, answers: tuple[str, ...], words: tuple[str, ...] = ()
    ) -> Choices:
        """Score the answers after one prompt; see `LocalModel.choose`."""

        def run(prompts: Sequence[Rendered]) -> Sequence[Choices]:
            return self.model.choose(prompts, answers, words=words, apart=True).split()

        call = _Call(kind=("choose", prompt.lead, answers, words), run=run, asked=prompt)
        result = self._answered(call)
        assert isinstance(result, Choices)
        return result

    def generate(self, request: GenerateRequest) -> Completion:
        """Draw one completion; see `LocalModel.generate`."""

        def run(requests: Sequence[GenerateRequest]) -> Sequence[Completion]:
            return self.model.generate(requests, apart=True)

        result = self._answered(_Call(kind="generate", run=run, asked=request))
        assert isinstance(result, Completion)
        return result

    def _answered(self, call: _Call) -> Any:
        with self._changed:
            self._waiting.append(call)
            self._changed.notify_all()
            while self._led and not call.done:
                self._changed.wait()
            if not call.done:
                self._led = True
        if not call.done:
            self._lead(call)
        if call.error is not None:
            raise call.error
        return call.result

    def _lead(self, own: _Call) -> None:
        """Run what is waiting, the caller's own call among it; whatever happens, step down."""
        batch = [own]
        try:
            with self._changed:
                try:
                    self._await_others()
                finally:
                    self._waiting.remove(own)
                batch += self._waiting
                self._waiting = []
            _run(batch)
        finally:
            with self._changed:
                for call in batch:
                    call.done = True
                self._expected = len(batch) + len(self._waiting)
                self._led = False
                self._changed.notify_all()

    def _await_others(self) -> None:
        deadline = time.monotonic() + self.wait_seconds
        while len(self._waiting) < self._expected:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            self._changed.wait(left)


def _run(batch: Sequence[_Call]) -> None:
    """Run a batch, kind by kind. Every call gets its result or an error of its own."""
    kinds: dict[Hashable, list[_Call]] = {}
    for call in batch:
        kinds.setdefault(call.kind, []).append(call)
    for calls in kinds.values():
        try:
            results = calls[0].run([call.asked for call in calls])
        except (Exception, BudgetExceeded):  # noqa: BLE001  one call's fault is not the others'
            for call in calls:
                _run_alone(call)
        except BaseException:
            for call in batch:
                if call.result is None and call.error is None:
                    call.error = InterruptedError("the batch was interrupted")
            raise
        else:
            for call, result in zip(calls, results, strict=True):
                call.result = result


def _run_alone(call: _Call) -> None:
    try:
        call.result = call.run([call.asked])[0]
    except (Exception, BudgetExceeded) as error:  # noqa: BLE001  raised by its own thread
        call.error = error
