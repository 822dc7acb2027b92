"""Moves and crossings: a new point close to a good one, or between two good ones.

Over a few dozen trials of categorical dimensions a sampler's model stays vague; changing one or two
things about the best prompts so far is the stronger proposal. No language model is needed.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Point = dict[str, Any]
IsNew = Callable[[Point], bool]

# How often a dimension is moved, relative to the others: demos and words move results most.
_WEIGHTS = {"demo_set": 4, "demo_swap": 3, "demo_pool": 2, "n_demos": 2, "words": 3, "layout": 3}
_WEIGHTS |= {"cap": 2}
_DEMOS = ("n_demos", "demo_pool", "demo_set", "demo_order", "demo_swap")
_READING = ("layout", "place", "separator", "cap")
_TRIES = 50


def neighbour(
    parents: Sequence[Point],
    dimensions: Mapping[str, Sequence[Any]],
    is_new: IsNew,
    rng: random.Random,
) -> Point | None:
    """Give a point that differs from one of the parents in one or two dimensions.

    Args:
        parents: good points, at least one; each is as likely to be the start.
        dimensions: the values of every dimension; those with a single value stay.
        is_new: whether a point makes a prompt that was not tried before.
        rng: where the choices come from.

    Returns:
        A new point, or None when none was found.
    """
    movable = [name for name, values in dimensions.items() if len(values) > 1]
    weights = [_WEIGHTS.get(name, 1) for name in movable]
    for _ in range(_TRIES):
        point = dict(rng.choice(parents))
        for name in dict.fromkeys(rng.choices(movable, weights, k=rng.choice((1, 2)))):
            point[name] = rng.choice([v for v in dimensions[name] if v != point[name]])
        if is_new(point):
            return point
    return None


def crossing(parents: Sequence[Point], is_new: IsNew, rng: random.Random) -> Point | None:
    """Give a point between two parents: demos, reading, words and each part from one or the other.

    Dimensions that mean something only together go together. None when there are not two parents
    or nothing new lies between them.
    """
    if len(parents) < 2:
        return None
    for _ in range(_TRIES):
        one, other = rng.sample(list(parents), 2)
        point = dict(one)
        for group in _groups(one):
            if rng.random() < 0.5:
                point |= {name: other[name] for name in group}
        if is_new(point):
            return point
    return None


def deletion(parents: Sequence[Point], off: str, is_new: IsNew, rng: random.Random) -> Point | None:
    """Give a parent without one of its instruction parts; None when nothing new can be left out.

    Args:
        parents: good points.
        off: the value that leaves a part out.
        is_new: whether a point makes a prompt that was not tried before.
        rng: where the choice comes from.
    """
    found = [
        {**point, name: off}
        for point in parents
        for name, value in point.items()
        if name.startswith("part_") and value != off
    ]
    new = [point for point in found if is_new(point)]
    return rng.choice(new) if new else None


def _groups(point: Point) -> list[tuple[str, ...]]:
    together = [tuple(name for name in group if name in point) for group in (_DEMOS, _READING)]
    alone = [(name,) for name in point if name not in (*_DEMOS, *_READING)]
    return [*together, *alone]
