"""Gathering: many threads, few batches, every caller its own answer or its own error."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from modules.lm import BudgetExceeded, GenerateRequest, Ledger, PromptTooLong, Sampling
from modules.lm.gather import Gatherer
from modules.lm.model import LocalModel
from modules.prompts import render
from tests.modules_tests.conftest import Loader
from tests.modules_tests.lm import slow

WORDS = (" yes", " no")
N_THREADS = 8


def spied(model: LocalModel, monkeypatch: pytest.MonkeyPatch, pause: float = 0.0) -> list[int]:
    """Note the size of every batch that reaches the model."""
    sizes: list[int] = []
    for name in ("choose", "generate"):
        real: Callable[..., Any] = getattr(model, name)

        def run(asked: Sequence[Any], *rest: Any, real: Any = real, **settings: Any) -> Any:
            sizes.append(len(asked))
            time.sleep(pause)
            return real(asked, *rest, **settings)

        monkeypatch.setattr(model, name, run)
    return sizes


def after_a_crowd(model: LocalModel, n: int) -> Gatherer:
    """A gatherer that waits for n callers, as after a batch of so many."""
    gatherer = Gatherer(model, wait_seconds=0.5)
    gatherer._expected = n
    return gatherer


def rows(n: int) -> list[Any]:
    texts = [f"{slow.TEXTS[k % len(slow.TEXTS)]} {k}" for k in range(n)]
    return [render(slow.prompt_of(), text) for text in texts]


def test_threads_share_batches_and_each_gets_its_own_answer(
    load: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load("llama")
    expected = [model.choose([row], WORDS).log_probabilities().tolist() for row in rows(48)]
    sizes = spied(model, monkeypatch, pause=0.01)
    gatherer = Gatherer(model, wait_seconds=0.5)
    with ThreadPoolExecutor(N_THREADS) as pool:
        got = list(pool.map(lambda row: gatherer.choose(row, WORDS), rows(48)))
    for one, other in zip(got, expected, strict=True):
        assert one.log_probabilities()[0] == pytest.approx(other[0], abs=1e-12)
    assert sum(sizes) == 48
    assert len(sizes) <= 12
    assert max(sizes) <= N_THREADS


def test_one_thread_waits_for_nobody(load: Loader) -> None:
    gatherer = Gatherer(load("llama"), wait_seconds=60)
    start = time.monotonic()
    for row in rows(3):
        gatherer.choose(row, WORDS)
    assert time.monotonic() - start < 30


def test_a_lone_call_after_a_crowd_waits_a_bounded_time(load: Loader) -> None:
    gatherer = Gatherer(load("llama"), wait_seconds=0.2)
    gatherer._expected = 8
    start = time.monotonic()
    gatherer.choose(rows(1)[0], WORDS)
    assert 0.2 <= time.monotonic() - start < 5
    assert gatherer._expected == 1


def test_choices_texts_and_other_answers_are_batched_apart(
    load: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load("llama")
    gatherer = after_a_crowd(model, 6)
    sampling = Sampling(temperature=0.8, max_tokens=4)
    asked = [
        GenerateRequest(prompt=row, sampling=sampling, key=(n,)) for n, row in enumerate(rows(2))
    ]
    alone = [model.generate([one])[0].text for one in asked]
    sizes = spied(model, monkeypatch)
    calls: list[Callable[[], Any]] = [
        *(lambda row=row: gatherer.choose(row, WORDS) for row in rows(2)),  # type: ignore[misc]
        *(lambda row=row: gatherer.choose(row, (" a", " b", " c")) for row in rows(2)),  # type: ignore[misc]
        *(lambda one=one: gatherer.generate(one) for one in asked),  # type: ignore[misc]
    ]
    with ThreadPoolExecutor(6) as pool:
        got = [future.result() for future in [pool.submit(call) for call in calls]]
    assert sorted(sizes) == [2, 2, 2]
    assert [one.n_choices for one in got[:4]] == [2, 2, 3, 3]
    assert [one.text for one in got[4:]] == alone


def test_an_error_reaches_its_own_caller_only(load: Loader) -> None:
    model = load("llama")
    gatherer = after_a_crowd(model, 4)
    asked = rows(3)
    asked.insert(1, render(slow.prompt_of(), "good " * 3000))
    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(gatherer.choose, row, WORDS) for row in asked]
        errors = [future.exception() for future in futures]
    assert [type(error) for error in errors] == [type(None), PromptTooLong, type(None), type(None)]


def test_a_budget_stop_reaches_every_waiting_caller(load: Loader) -> None:
    asked = rows(N_THREADS)
    counter = load("llama")
    costs = [counter.cost([row], WORDS, with_shared=False) for row in asked]
    (shared,) = {counter.codec.encode(row).shared for row in asked}
    ledger = Ledger(budget_tokens=len(shared) + sum(sorted(costs)[:3]))
    gatherer = after_a_crowd(load("llama", ledger=ledger), N_THREADS)
    with ThreadPoolExecutor(N_THREADS) as pool:
        futures = [pool.submit(gatherer.choose, row, WORDS) for row in asked]
        errors = [future.exception() for future in futures]
    refused = [error for error in errors if error is not None]
    assert all(isinstance(error, BudgetExceeded) for error in refused)
    assert N_THREADS - 3 <= len(refused) < N_THREADS
    dearest = asked[costs.index(max(costs))]
    with pytest.raises(BudgetExceeded):
        gatherer.choose(dearest, WORDS)


def test_calls_are_charged_as_if_each_came_alone(load: Loader) -> None:
    asked = rows(6)
    alone, together = Ledger(), Ledger()
    model = load("llama", ledger=alone)
    for row in asked:
        model.choose([row], WORDS)
    gatherer = after_a_crowd(load("llama", ledger=together), 6)
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda row: gatherer.choose(row, WORDS), asked))
    assert together.account.to_json() == alone.account.to_json()
    assert together.account.n_prompts == 6


def test_an_interrupted_leader_leaves_nobody_hanging(
    load: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load("llama")
    gatherer = after_a_crowd(model, 3)

    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    real = model.choose
    monkeypatch.setattr(model, "choose", interrupted)
    errors: list[BaseException] = []

    def call(row: Any) -> None:
        try:
            gatherer.choose(row, WORDS)
        except BaseException as error:  # noqa: BLE001  an interrupt is what is looked for
            errors.append(error)

    threads = [threading.Thread(target=call, args=(row,)) for row in rows(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert not any(thread.is_alive() for thread in threads)
    assert sorted(type(error).__name__ for error in errors) == [
        "InterruptedError",
        "InterruptedError",
        "KeyboardInterrupt",
    ]
    monkeypatch.setattr(model, "choose", real)
    assert gatherer.choose(rows(1)[0], WORDS).n_choices == 2
