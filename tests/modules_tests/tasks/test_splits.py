"""Splits: the numbered promises of the module, each as a property."""

import hashlib
import json
from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.errors import UserError
from modules.tasks.example import Example, Splits
from modules.tasks.splits import (
    SPLIT_NAMES,
    SplitSizes,
    digest,
    make_splits,
    split_of,
    uniform,
)
from modules.tasks.strata import LENGTH_EDGES, length_bin, quotas, stratified

_LARGE = SplitSizes(train=9999, dev=9999, confirm=9999, test=9999)
_SMALL = SplitSizes(train=20, dev=15, confirm=15, test=30)


def _row(i: int, label: str | None = None) -> Example:
    # three words of the row's own: rows share no shingle, and differ in length
    words = [f"w{i}x{j}" for j in range(3 + i % 40)]
    return Example(inputs={"text": " ".join(words)}, label=label or "ab"[i % 2])


_ROWS = [_row(i) for i in range(400)]


def _members(splits: Splits) -> dict[str, tuple[Example, ...]]:
    return {
        "train": splits.train,
        "dev": splits.dev,
        "confirm": splits.confirm,
        "test": splits.test._examples,
    }


def _where(splits: Splits) -> dict[str, str]:
    return {row.id: name for name, rows in _members(splits).items() for row in rows}


def test_the_place_is_the_beginning_of_a_sha256() -> None:
    whole = int(hashlib.sha256(b"7:abc").hexdigest(), 16)
    assert uniform(7, "abc") == pytest.approx(whole / 2**256, abs=1e-15)


def test_every_row_is_in_exactly_one_split_with_the_fixed_fractions() -> None:
    splits, report = make_splits(_ROWS, ("a", "b"), 0, _LARGE)
    assert len(_where(splits)) == len(_ROWS) == sum(splits.sizes().values())
    assert report.pools == splits.sizes()
    for name, low, high in (
        ("train", 0, 0.25),
        ("dev", 0.25, 0.375),
        ("confirm", 0.375, 0.5),
        ("test", 0.5, 1),
    ):
        rows = _members(splits)[name]
        assert all(low <= uniform(0, row.id) < high for row in rows)
        share = high - low
        # six standard deviations of a binomial share
        assert abs(len(rows) / 400 - share) < 6 * (share * (1 - share) / 400) ** 0.5


@settings(max_examples=25, deadline=None)
@given(st.integers(1000, 10_000), st.sampled_from("ab"), st.integers(), st.booleans())
def test_adding_a_row_moves_no_other_row(new: int, label: str, seed: int, capped: bool) -> None:
    sizes = _SMALL if capped else _LARGE
    before, _ = make_splits(_ROWS, ("a", "b"), seed, sizes)
    added = _row(new, label)
    after, _ = make_splits([added, *_ROWS], ("a", "b"), seed, sizes)
    old, now = _where(before), _where(after)
    assert all(now[row] == old[row] for row in old.keys() & now.keys())
    for name in SPLIT_NAMES:
        first = [row.id for row in _members(before)[name]]
        second = [row.id for row in _members(after)[name] if row.id != added.id]
        if not capped or name != split_of(seed, added.id):
            assert second == first  # nothing leaves another split, or a split without a cap
        stay = set(first) & set(second)
        assert [row for row in first if row in stay] == [row for row in second if row in stay]


@settings(max_examples=25, deadline=None)
@given(st.integers(1000, 10_000), st.sampled_from("ab"), st.integers(1, 150))
def test_at_a_cap_only_the_last_rows_of_strata_change(new: int, label: str, n: int) -> None:
    added = _row(new, label)
    for pool in (_ROWS[:200], [*_ROWS[:100], added, *_ROWS[100:200]]):
        taken = {row.id for row in stratified(pool, n)}
        strata: dict[tuple[str, int], list[bool]] = {}
        for row in pool:
            strata.setdefault((row.label, length_bin(row)), []).append(row.id in taken)
        for chosen in strata.values():
            assert chosen == sorted(chosen, reverse=True)  # the chosen ones are the beginning


@settings(max_examples=20, deadline=None)
@given(st.randoms(use_true_random=False), st.booleans())
def test_the_input_order_does_not_matter(random: object, capped: bool) -> None:
    rows = [*_ROWS, _ROWS[3], _row(5, "a")]
    shuffled = sorted(rows, key=lambda _: random.random())  # type: ignore[attr-defined]
    sizes = _SMALL if capped else _LARGE
    assert make_splits(rows, ("a", "b"), 0, sizes) == make_splits(shuffled, ("a", "b"), 0, sizes)


def test_seeds_differ_and_zero_is_a_seed() -> None:
    results = [_where(make_splits(_ROWS, ("a", "b"), seed, _SMALL)[0]) for seed in (0, 1, -1, 0)]
    assert results[0] == results[3]
    assert results[0] != results[1]
    assert results[0] != results[2]
    assert results[1] != results[2]


def test_the_data_hash_knows_no_seed_and_the_test_digest_is_of_sorted_pairs() -> None:
    splits, report = make_splits(_ROWS, ("a", "b"), 0, _SMALL)
    _, other = make_splits(_ROWS, ("a", "b"), 1, _SMALL)
    assert report.data_hash == other.data_hash == digest(_ROWS)
    pairs = sorted([row.id, row.label] for row in splits.test._examples)
    plain = json.dumps(pairs, separators=(",", ":"))
    assert splits.test.digest == hashlib.sha256(plain.encode()).hexdigest()
    assert splits.test.n == len(pairs) == 30


@given(
    st.dictionaries(st.integers(0, 20), st.integers(0, 500), min_size=1, max_size=12),
    st.integers(0, 2000),
)
def test_quotas_are_within_one_of_the_shares(sizes: dict[int, int], n: int) -> None:
    result = quotas(sizes, n)
    total = sum(sizes.values())
    assert sum(result.values()) == min(n, total)
    for key, size in sizes.items():
        share = Fraction(min(n, total) * size, total) if total else Fraction(0)
        assert abs(result[key] - share) < 1
        assert result[key] <= size


def test_quotas_by_hand() -> None:
    # shares of 10: 4.7, 1.6, 3.7; floors 4, 1, 3 leave 2 places, for remainders .7 and .7
    assert quotas({"a": 47, "b": 16, "c": 37}, 10) == {"a": 5, "b": 1, "c": 4}
    # equal remainders and sizes: the smaller key
    assert quotas({"b": 1, "a": 1}, 1) == {"a": 1, "b": 0}


@given(st.integers(1, 250), st.integers(0, 150))
def test_a_sample_has_the_shares_of_labels_and_of_lengths(n: int, start: int) -> None:
    pool = _ROWS[start : start + 250]
    taken = stratified(pool, n)
    assert len(taken) == n
    counts = Counter(row.label for row in taken)
    for label, size in Counter(row.label for row in pool).items():
        assert abs(counts[label] - n * size / 250) < 1
        bins = Counter(length_bin(row) for row in taken if row.label == label)
        for length, m in Counter(length_bin(row) for row in pool if row.label == label).items():
            assert abs(bins[length] - counts[label] * m / size) < 1


@pytest.mark.parametrize(("n", "expected"), [(1, 0), (8, 0), (9, 1), (512, 6), (513, 7)])
def test_length_bins(n: int, expected: int) -> None:
    assert length_bin(Example(inputs={"t": "w " * n}, label="a")) == expected
    assert len(LENGTH_EDGES) == 7


def test_duplicates_are_removed_and_counted() -> None:
    near = [
        Example(inputs={"text": row.inputs["text"].upper() + "!"}, label=row.label) for row in _ROWS
    ]
    rows = [*_ROWS, *near, _ROWS[0], _row(1, "a")]
    splits, report = make_splits(rows, ("a", "b"), 0, _LARGE)
    assert (report.n_examples, report.n_duplicates, report.n_conflicting) == (802, 1, 2)
    texts: dict[str, set[str]] = {
        name: {row.inputs["text"].lower().strip("!") for row in members}
        for name, members in _members(splits).items()
    }
    for i, name in enumerate(SPLIT_NAMES):
        assert all(texts[name].isdisjoint(texts[other]) for other in SPLIT_NAMES[i + 1 :])
    assert report.near["test"] == 0
    assert sum(report.near.values()) + sum(splits.sizes().values()) == 802 - 3


def test_too_few_rows_or_a_missing_label_is_a_user_error() -> None:
    with pytest.raises(UserError, match=r"with seed 0 .* has none of the 3 that are left"):
        make_splits(_ROWS[:3], ("a", "b"), 0, _LARGE)
    with pytest.raises(UserError, match="has no 'c'; give more examples"):
        make_splits([*_ROWS, _row(1000, "c")], ("a", "b", "c"), 0, _LARGE)
    with pytest.raises(UserError, match="one of a, c; example 2 has 'b'"):
        make_splits(_ROWS, ("a", "c"), 0, _LARGE)
    with pytest.raises(UserError, match="none of the 0"):
        make_splits([], ("a", "b"), 0, _LARGE)


@pytest.mark.parametrize("value", [0, -1, 1.5, True, "9", None])
def test_sizes_are_checked(value: object) -> None:
    with pytest.raises(UserError, match="whole number of at least 1; dev is"):
        SplitSizes(dev=value)  # type: ignore[arg-type]
