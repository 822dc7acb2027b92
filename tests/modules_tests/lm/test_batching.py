"""Batches: what holds for any lengths."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from modules.lm.batching import bucket, pack

LENGTHS = st.lists(st.integers(1, 700), max_size=60)
BUDGET = st.integers(1, 3000)


@given(st.integers(1, 100_000))
def test_bucket_holds_the_row_and_pads_less_than_an_eighth(length: int) -> None:
    assert length <= bucket(length)
    if length <= 128:
        assert bucket(length) < length + 8
    if length >= 64:
        assert 0 <= bucket(length) - length < length / 8


def test_bucket_is_monotone() -> None:
    buckets = [bucket(n) for n in range(1, 5000)]
    assert buckets == sorted(buckets)


def test_bucket_of_a_bucket_is_itself() -> None:
    assert all(bucket(bucket(n)) == bucket(n) for n in range(1, 5000))


@given(LENGTHS, BUDGET, st.booleans())
def test_every_row_is_in_exactly_one_batch(lengths: list[int], budget: int, exact: bool) -> None:
    rows = [row for batch in pack(lengths, budget, exact=exact) for row in batch.rows]
    assert sorted(rows) == list(range(len(lengths)))


@given(LENGTHS, BUDGET)
def test_a_row_is_padded_to_its_own_bucket(lengths: list[int], budget: int) -> None:
    for batch in pack(lengths, budget):
        assert {bucket(lengths[row]) for row in batch.rows} == {batch.length}


@given(LENGTHS, BUDGET)
def test_exact_mode_pads_nothing(lengths: list[int], budget: int) -> None:
    for batch in pack(lengths, budget, exact=True):
        assert {lengths[row] for row in batch.rows} == {batch.length}


@given(LENGTHS, BUDGET, st.booleans())
def test_a_batch_keeps_to_the_budget_or_has_one_row(
    lengths: list[int], budget: int, exact: bool
) -> None:
    for batch in pack(lengths, budget, exact=exact):
        assert len(batch.rows) == 1 or len(batch.rows) * batch.length <= budget


@given(LENGTHS, BUDGET, st.booleans())
def test_longest_first(lengths: list[int], budget: int, exact: bool) -> None:
    seen = [batch.length for batch in pack(lengths, budget, exact=exact)]
    assert seen == sorted(seen, reverse=True)


@given(LENGTHS, BUDGET)
def test_no_batch_could_be_joined_with_the_next(lengths: list[int], budget: int) -> None:
    batches = list(pack(lengths, budget))
    for one, after in pairwise(batches):
        if one.length == after.length:
            assert (len(one.rows) + 1) * one.length > budget
