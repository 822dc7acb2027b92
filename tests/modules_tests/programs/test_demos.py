"""Demos from rankings, and the moves on a set; the plain pools are tested with the space."""

import random
from collections import Counter
from dataclasses import replace
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.programs.demos import DEMO_ORDERS, POOLS, RANKED_POOLS, demo_set, order_demos, swap
from modules.prompts import Demo
from modules.tasks.example import Task
from tests.modules_tests.programs.small_tasks import small_task


def task_of(k: int = 2, each: int = 9) -> Task:
    """Labels a, b, ... with as many texts each: "a0" to "a8", "b0" to "b8"."""
    labels = "abcdef"[:k]
    return small_task(labels, [(f"{x}{n}", x) for n in range(each) for x in labels])


def ranking_of(task: Task) -> list[str]:
    """Ids by the number in the text, 0 the best."""
    examples = sorted(task.splits.train, key=lambda e: int(e.inputs["text"][1:]))
    return [example.id for example in examples]


TASK = task_of()
RANKINGS = dict.fromkeys(RANKED_POOLS, ranking_of(TASK))


def texts(demos: tuple[Demo, ...]) -> list[str]:
    return [demo.text for demo in demos]


def test_pools() -> None:
    assert POOLS == ("any", "short")
    assert RANKED_POOLS == ("easy", "hard", "diverse")


@pytest.mark.parametrize("pool", ["easy", "hard"])
def test_a_ranked_pool_is_the_best_third_of_each_label(pool: str) -> None:
    """Nine texts a label: 0, 1 and 2 of each."""
    found = [demo_set(TASK, pool, number, 100, 0, RANKINGS) for number in range(16)]
    for demos in found:
        assert sorted(texts(demos)) == ["a0", "a1", "a2", "b0", "b1", "b2"]
    assert len({tuple(texts(demos)) for demos in found}) > 8


def test_a_third_is_rounded_up() -> None:
    task = task_of(each=4)
    demos = demo_set(task, "easy", 0, 100, 0, {"easy": ranking_of(task)})
    assert sorted(texts(demos)) == ["a0", "a1", "b0", "b1"]


def test_a_diverse_set_is_a_window_of_the_ranking() -> None:
    """Nine texts a label: windows start at 0, 1 or 2, each label at its own, each window once."""
    starts = set()
    for number in range(3):
        demos = demo_set(TASK, "diverse", number, 18, 0, RANKINGS)
        for label in "ab":
            own = [int(demo.text[1:]) for demo in demos if demo.label == label]
            assert own == [(own[0] + n) % 9 for n in range(9)]
            starts.add((label, own[0]))
    assert starts == {(label, n) for label in "ab" for n in range(3)}


def test_a_window_of_a_farthest_first_order_lies_far_apart() -> None:
    """Points on a line, hand-ordered farthest first; the bound of the docstring holds in it."""
    order = [50, 0, 100, 25, 75, 12, 37, 62, 87]
    for start, size in [(0, 4), (2, 3), (1, 5)]:
        window = order[start : start + size]
        last = min(abs(window[-1] - before) for before in order[: start + size - 1])
        assert all(abs(a - b) >= last for a, b in combinations(window, 2))


@pytest.mark.parametrize("k", [2, 3, 6])
@pytest.mark.parametrize("pool", RANKED_POOLS)
def test_stretches_hold_each_label_once_and_begin_larger_sets(pool: str, k: int) -> None:
    task = task_of(k)
    rankings = {pool: ranking_of(task)}
    whole = demo_set(task, pool, 5, 3 * k, 1, rankings)
    for at in range(0, 3 * k, k):
        assert sorted(demo.label for demo in whole[at : at + k]) == list("abcdef"[:k])
    for n in range(3 * k):
        assert demo_set(task, pool, 5, n, 1, rankings) == whole[:n]


def test_train_order_does_not_matter_to_a_diverse_set() -> None:
    mixed = list(TASK.splits.train)
    random.Random(3).shuffle(mixed)
    other = replace(TASK, splits=replace(TASK.splits, train=tuple(mixed)))
    assert demo_set(other, "diverse", 1, 8, 0, RANKINGS) == demo_set(
        TASK, "diverse", 1, 8, 0, RANKINGS
    )


def test_ids_that_are_not_train_and_repeats_are_passed_over() -> None:
    ids = RANKINGS["easy"]
    rankings = {"easy": ["unknown", *ids[:2], *ids]}
    assert demo_set(TASK, "easy", 0, 6, 0, rankings) == demo_set(TASK, "easy", 0, 6, 0, RANKINGS)


@pytest.mark.parametrize("pool", RANKED_POOLS)
def test_a_label_without_ranked_examples_is_ranked_by_id(pool: str) -> None:
    only_a = [e.id for e in TASK.splits.train if e.label == "a"]
    demos = demo_set(TASK, pool, 0, 4, 0, {pool: only_a})
    assert Counter(demo.label for demo in demos) == {"a": 2, "b": 2}
    by_id = sorted((e.id, e.inputs["text"]) for e in TASK.splits.train if e.label == "b")
    allowed = {text for _, text in by_id[: 3 if pool != "diverse" else 4]}
    assert {demo.text for demo in demos if demo.label == "b"} <= allowed


@pytest.mark.parametrize("pool", ["easy", "best", ""])
def test_a_pool_without_its_ranking(pool: str) -> None:
    with pytest.raises(ValueError, match="a pool is one of any, short, or one of easy, hard, div"):
        demo_set(TASK, pool, 0, 4, 0, {"hard": []})


def test_rankings_do_not_touch_the_plain_pools() -> None:
    for pool in POOLS:
        assert demo_set(TASK, pool, 2, 8, 0, RANKINGS) == demo_set(TASK, pool, 2, 8, 0)


DEMOS = tuple(
    Demo(text=text, label=label)
    for text, label in [("xxx", "b"), ("x", "a"), ("yyy", "c"), ("xx", "b"), ("z", "c")]
)


def test_orders() -> None:
    def order(how: str, seed: int = 0) -> list[str]:
        return texts(order_demos(DEMOS, how, seed))

    assert order("shuffled") == texts(DEMOS)
    assert order("short-first") == ["x", "z", "xx", "xxx", "yyy"]
    assert order("short-last") == ["xxx", "yyy", "xx", "x", "z"]
    blocks = {"a": ["x"], "b": ["xxx", "xx"], "c": ["yyy", "z"]}
    seen = {tuple(order("grouped", seed)) for seed in range(50)}
    assert {tuple(blocks[a] + blocks[b] + blocks[c]) for a, b, c in ("abc", "cba")} < seen
    assert len(seen) == 6


@given(seed=st.integers(), how=st.sampled_from(DEMO_ORDERS), demos=st.permutations(DEMOS))
def test_an_order_keeps_every_demo(seed: int, how: str, demos: list[Demo]) -> None:
    ordered = order_demos(demos, how, seed)
    assert Counter(ordered) == Counter(demos)
    assert ordered == order_demos(demos, how, seed)
    assert order_demos([], how, seed) == ()


def test_an_unknown_order() -> None:
    with pytest.raises(ValueError, match=r"one of shuffled, short-first, .*; got 'sorted'"):
        order_demos(DEMOS, "sorted", 0)


def test_a_swap_walks_through_all_others_of_the_label() -> None:
    """Four of nine a's are there: the other five come in turn, then again."""
    demos = demo_set(TASK, "any", 0, 8, 0)
    at = next(n for n, demo in enumerate(demos) if demo.label == "a")
    swapped = [swap(TASK, demos, at, number, 0) for number in range(10)]
    for found in swapped:
        assert found[:at] + found[at + 1 :] == demos[:at] + demos[at + 1 :]
        assert found[at].label == "a"
    others = {f"a{n}" for n in range(9)} - set(texts(demos))
    assert {found[at].text for found in swapped[:5]} == others
    assert swapped[5:] == swapped[:5]


def test_a_swap_position_counts_around() -> None:
    demos = demo_set(TASK, "any", 0, 4, 0)
    assert swap(TASK, demos, 6, 1, 0) == swap(TASK, demos, 2, 1, 0)
    assert swap(TASK, demos, 6, 1, 0) != demos


def test_seeds_swap_in_other_orders() -> None:
    demos = demo_set(TASK, "any", 0, 2, 0)
    assert len({swap(TASK, demos, 0, 0, seed) for seed in (-1, 0, 1, 2, 3, 4)}) > 1


def test_nothing_to_swap() -> None:
    assert swap(TASK, (), 0, 0, 0) == ()
    task = small_task("ab", [("x", "a"), ("y", "b")])
    demos = demo_set(task, "any", 0, 2, 0)
    assert swap(task, demos, 1, 3, 0) == demos


def test_a_text_that_is_there_under_another_label_is_not_swapped_in() -> None:
    task = small_task("ab", [("x", "a"), ("same", "a"), ("same", "b"), ("y", "b")])
    demos = (Demo(text="x", label="a"), Demo(text="same", label="b"))
    assert swap(task, demos, 0, 0, 0) == demos
