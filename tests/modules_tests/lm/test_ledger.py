"""The ledger: sums, refusals, threads."""

import threading

import pytest

from modules.lm import Account, BudgetExceeded, Ledger


def test_charges_add_up() -> None:
    ledger = Ledger()
    ledger.charge(n_prompts=2, forward_tokens=30)
    ledger.charge(n_prompts=0, forward_tokens=4, sampled_tokens=3)
    assert ledger.account.to_json() == {"n_prompts": 2, "forward_tokens": 34, "sampled_tokens": 3}
    assert ledger.tokens_left == float("inf")


def test_the_budget_may_be_spent_to_the_last_token() -> None:
    ledger = Ledger(budget_tokens=10)
    ledger.charge(n_prompts=1, forward_tokens=10)
    assert ledger.tokens_left == 0


def test_a_refused_charge_changes_nothing_and_a_smaller_one_still_passes() -> None:
    ledger = Ledger(budget_tokens=10)
    ledger.charge(n_prompts=1, forward_tokens=6)
    for _ in range(2):
        with pytest.raises(BudgetExceeded, match="10 forward tokens are spent"):
            ledger.charge(n_prompts=1, forward_tokens=5, sampled_tokens=5)
    assert ledger.account == Account(n_prompts=1, forward_tokens=6)
    ledger.charge(n_prompts=1, forward_tokens=4)


def test_a_budget_of_zero_is_a_budget() -> None:
    with pytest.raises(BudgetExceeded, match="0 forward tokens"):
        Ledger(budget_tokens=0).charge(n_prompts=1, forward_tokens=1)


def test_a_shared_part_is_charged_once() -> None:
    ledger = Ledger(budget_tokens=20)
    ledger.charge(n_prompts=1, forward_tokens=5, shared=[(1, 2, 3), (4,)])
    ledger.charge(n_prompts=1, forward_tokens=5, shared=[(1, 2, 3)])
    assert ledger.account.forward_tokens == 14
    with pytest.raises(BudgetExceeded):
        ledger.charge(n_prompts=1, forward_tokens=4, shared=[(5, 6, 7)])
    ledger.charge(n_prompts=1, forward_tokens=3, shared=[(5, 6, 7)])  # the refused one left nothing
    assert ledger.account.forward_tokens == 20


def test_rows_are_charged_each_time_or_once() -> None:
    """A row is its tokens behind a shared part; the same tokens behind another are another."""
    rows = [((1, 2), (3, 4, 5)), ((1, 2), (6,)), ((1, 2), (6,))]
    each, once = Ledger(), Ledger(budget_tokens=9, rows_once=True)
    for ledger in (each, once):
        ledger.charge(n_prompts=3, rows=rows, shared=[(1, 2)])
    assert each.account.forward_tokens == 3 + 1 + 1 + 2
    assert once.account == Account(n_prompts=3, forward_tokens=3 + 1 + 2)
    once.charge(n_prompts=3, rows=rows, shared=[(1, 2)])
    assert once.account.forward_tokens == 6
    with pytest.raises(BudgetExceeded):
        once.charge(n_prompts=1, rows=[((7,), (3, 4, 5))], shared=[(7,)])
    once.charge(n_prompts=1, rows=[((7,), (6,))], shared=[(7,)])  # the refused one left nothing
    once.charge(n_prompts=1, rows=[((), (6,))])
    assert once.account.forward_tokens == 9


def test_going_on_keeps_what_was_spent_and_has_no_end_of_time() -> None:
    now = [0.0]
    ledger = Ledger(5, 2, 1.0, lambda: now[0])
    ledger.charge(n_prompts=2, forward_tokens=5)
    now[0] = 9.0
    ledger.go_on(7, 3)
    ledger.charge(n_prompts=1, forward_tokens=2)
    with pytest.raises(BudgetExceeded, match="7 forward tokens are spent"):
        ledger.charge(n_prompts=0, forward_tokens=1)
    assert ledger.account == Account(n_prompts=3, forward_tokens=7)


def test_what_is_run_ahead_is_no_reuse() -> None:
    ledger = Ledger()
    ledger.note_reuse(2)
    ledger.note_ahead(10)
    for tokens in (6, -1, 3, 4):
        ledger.note_reuse(tokens)
    assert ledger.account.reused_tokens == 2 + (6 + 3 + 4 - 10)


def test_calls_are_a_budget_of_their_own() -> None:
    ledger = Ledger(budget_calls=3)
    ledger.charge(n_prompts=2, forward_tokens=10**9)
    with pytest.raises(BudgetExceeded, match="3 calls are spent"):
        ledger.charge(n_prompts=2, forward_tokens=1)
    ledger.charge(n_prompts=1, forward_tokens=1)  # sampled tokens come without a new prompt
    ledger.charge(n_prompts=0, forward_tokens=1, sampled_tokens=1)
    assert ledger.account.n_prompts == 3


def test_seconds_run_from_the_opening() -> None:
    now = [100.0]
    ledger = Ledger(budget_seconds=2.5, clock=lambda: now[0])
    ledger.charge(n_prompts=1, forward_tokens=1)
    now[0] = 102.5
    ledger.charge(n_prompts=1, forward_tokens=1)
    now[0] = 102.6
    assert ledger.seconds == pytest.approx(2.6)
    with pytest.raises(BudgetExceeded, match=r"2\.5 seconds are spent"):
        ledger.charge(n_prompts=1, forward_tokens=1)
    assert ledger.account.n_prompts == 2


def test_no_ordinary_handler_catches_a_spent_budget() -> None:
    assert not issubclass(BudgetExceeded, Exception)


def test_threads_lose_no_charge_and_never_pass_the_budget() -> None:
    ledger, refused = Ledger(budget_tokens=1500), []

    def spend() -> None:
        for _ in range(500):
            try:
                ledger.charge(n_prompts=1, forward_tokens=1)
            except BudgetExceeded:
                refused.append(1)

    threads = [threading.Thread(target=spend) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.account == Account(n_prompts=1500, forward_tokens=1500)
    assert len(refused) == 500
