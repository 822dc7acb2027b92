"""Demonstrations: numbered sets of train examples, balanced over the labels, and moves on them."""

import random
from collections.abc import Mapping, Sequence

from modules.prompts import Demo
from modules.tasks.example import Example, Task

_MAX_CHARS = 100_000  # what a Demo holds, and more than a small model's context


POOLS = ("any", "short")
"""Where demos come from: the whole train split, or the shortest third of each label."""

RANKED_POOLS = ("easy", "hard", "diverse")
"""Pools that follow a ranking of train ids: its best third of each label, or a window of it."""

DEMO_ORDERS = ("shuffled", "short-first", "short-last", "grouped")
"""Orders of one set: as it was drawn, the shortest text first or last, label by label."""

Rankings = Mapping[str, Sequence[str]]


def demo_set(
    task: Task,
    pool: str,
    number: int,
    n_demos: int,
    seed: int,
    rankings: Rankings | None = None,
) -> tuple[Demo, ...]:
    """Give the first `n_demos` demos of a numbered set.

    A set is an order of the pool in which any stretch of as many demos as there are
    labels holds each label once (while they last), shuffled inside the stretch. Fewer demos are the
    beginning of more, so what a trial teaches of a set holds for its neighbours too. Texts beyond
    `_MAX_CHARS` are no demos.

    The pools "easy" and "hard" are the best third, rounded up, of each label's ranking. "diverse"
    reads a label's ranking from a place in its first third on, and from the beginning again behind
    its end: in a farthest-first order any two examples of a window are at least as far apart as the
    window's last one was from all before it. A label of which no example is ranked counts as ranked
    by id.

    Args:
        task: gives the train split.
        pool: one of `POOLS`, or of `RANKED_POOLS` that `rankings` holds.
        number: any whole number; each gives another set.
        n_demos: how many; fewer come where the pool ends.
        seed: of the sets.
        rankings: train ids, the best first, by ranked pool; other ids are passed over.

    Raises:
        ValueError: the pool is unknown, or it is ranked and has no ranking.
    """
    rng = random.Random(f"{seed}:{pool}:{number}")
    by_label = _pool(task, pool, number, seed, rankings or {})
    for found in by_label.values():
        if pool == "diverse":
            found.reverse()  # they are taken from the end
        else:
            rng.shuffle(found)
    ordered: list[Example] = []
    while any(by_label.values()) and len(ordered) < n_demos:
        stretch = [found.pop() for found in by_label.values() if found]
        rng.shuffle(stretch)
        ordered += stretch
    return tuple(_demo(task, example) for example in ordered[:n_demos])


def order_demos(demos: Sequence[Demo], how: str, seed: int) -> tuple[Demo, ...]:
    """Give the same demos in another order.

    "shuffled" is the order in which `demo_set` drew them. "short-first" and "short-last" go by the
    number of characters. "grouped" puts the demos of a label together, the labels in an order drawn
    from the seed and the labels alone. Ties stay as they were.

    Raises:
        ValueError: `how` is none of `DEMO_ORDERS`.
    """
    if how == "shuffled":
        return tuple(demos)
    if how == "short-first":
        return tuple(sorted(demos, key=lambda demo: len(demo.text)))
    if how == "short-last":
        return tuple(sorted(demos, key=lambda demo: -len(demo.text)))
    if how == "grouped":
        labels = sorted({demo.label for demo in demos})
        random.Random(f"{seed}:grouped").shuffle(labels)
        return tuple(sorted(demos, key=lambda demo: labels.index(demo.label)))
    raise ValueError(f"an order of demos is one of {', '.join(DEMO_ORDERS)}; got {how!r}")


def swap(
    task: Task, demos: Sequence[Demo], position: int, number: int, seed: int
) -> tuple[Demo, ...]:
    """Replace one demo by another train example of the same label, whose text is not yet there.

    Args:
        task: gives the train split.
        demos: the set; without demos, or where the label has no other text, it comes back as it is.
        position: of the demo to replace, modulo their number.
        number: which of the other examples, in an order drawn from the seed, modulo their number.
        seed: of that order, which is another for each label and knows nothing of the demos.
    """
    if not demos:
        return ()
    at = position % len(demos)
    label = demos[at].label
    found = sorted(_usable(task)[label], key=lambda example: example.id)
    random.Random(f"{seed}:swap:{label}").shuffle(found)
    taken = {demo.text for demo in demos}
    others = [demo for demo in (_demo(task, e) for e in found) if demo.text not in taken]
    if not others:
        return tuple(demos)
    return (*demos[:at], others[number % len(others)], *demos[at + 1 :])


def demo_counts(n_labels: int) -> Sequence[int]:
    """Give the numbers of demos worth trying: none, or a few for every label."""
    return tuple(n_labels * k for k in (0, 1, 2, 4, 8) if k <= 4 or n_labels * k <= 16)


def _pool(
    task: Task, pool: str, number: int, seed: int, rankings: Rankings
) -> dict[str, list[Example]]:
    """Give the examples of a pool by label; only those of "diverse" stand in an order."""
    by_label = _usable(task)
    if pool == "any":
        return by_label
    if pool == "short":
        return {name: _shortest_third(task, found) for name, found in by_label.items()}
    if pool not in RANKED_POOLS or pool not in rankings:
        raise ValueError(
            f"a pool is one of {', '.join(POOLS)}, or one of {', '.join(RANKED_POOLS)} with a "
            f"ranking; got {pool!r}"
        )
    ranked = {name: _ranked(found, rankings[pool]) for name, found in by_label.items()}
    if pool == "diverse":
        return {name: _window(found, seed, number) for name, found in ranked.items()}
    return {name: found[: _third(found)] for name, found in ranked.items()}


def _usable(task: Task) -> dict[str, list[Example]]:
    """Give the train examples that a Demo can hold, by label, in train order."""
    by_label: dict[str, list[Example]] = {name: [] for name in task.label_names}
    for example in task.splits.train:
        if len(example.inputs[task.input_field]) <= _MAX_CHARS:
            by_label[example.label].append(example)
    return by_label


def _shortest_third(task: Task, examples: Sequence[Example]) -> list[Example]:
    """Give the shortest third, rounded up, of some examples; ties go by id."""
    ordered = sorted(examples, key=lambda e: (len(e.inputs[task.input_field]), e.id))
    return ordered[: _third(ordered)]


def _third(examples: Sequence[Example]) -> int:
    """Give a third of their number, rounded up."""
    return -(-len(examples) // 3)


def _ranked(examples: Sequence[Example], ranking: Sequence[str]) -> list[Example]:
    """Give one label's ranked examples, the best first; all of them by id where none is ranked."""
    by_id = {example.id: example for example in examples}
    found = [by_id[one] for one in dict.fromkeys(ranking) if one in by_id]
    return found or [by_id[one] for one in sorted(by_id)]


def _window(ranked: Sequence[Example], seed: int, number: int) -> list[Example]:
    """Give a ranking from the start of window `number` on, then what stands before it.

    The starts are the first third in an order drawn from the seed, taken in turn.
    """
    if not ranked:
        return []
    starts = list(range(_third(ranked)))
    random.Random(f"{seed}:diverse:{len(starts)}").shuffle(starts)
    start = starts[number % len(starts)]
    return [*ranked[start:], *ranked[:start]]


def _demo(task: Task, example: Example) -> Demo:
    return Demo(text=example.inputs[task.input_field], label=example.label)
