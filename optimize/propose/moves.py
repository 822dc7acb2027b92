"""Moves: a new point close to a good one.

Over a few dozen trials of categorical dimensions a sampler's model stays vague; changing one or two
things about the best prompt so far is the stronger proposal. Both are used in turn.
"""

import random
from collections.abc import Collection, Mapping, Sequence
from typing import Any

Point = dict[str, Any]

# How often a dimension is moved, relative to the others: demos and words move results most.
_WEIGHTS = {"demo_set": 4, "demo_pool": 2, "n_demos": 2, "words": 3, "layout": 3, "cap": 2}
_TRIES = 50


def neighbour(
    parents: Sequence[Point],
    dimensions: Mapping[str, Sequence[Any]],
    seen: Collection[Point],
    rng: random.Random,
) -> Point | None:
    """Give a point that differs from one of the parents in one or two dimensions.

    Args:
        parents: good points, at least one; each is as likely to be the start.
        dimensions: the values of every dimension; those with a single value stay.
        seen: points that are not to be proposed again.
        rng: where the choices come from.

    Returns:
        A point not in `seen`, or None when none was found.
    """
    movable = [name for name, values in dimensions.items() if len(values) > 1]
    weights = [_WEIGHTS.get(name, 1) for name in movable]
    for _ in range(_TRIES):
        point = dict(rng.choice(parents))
        for name in dict.fromkeys(rng.choices(movable, weights, k=rng.choice((1, 2)))):
            point[name] = rng.choice([v for v in dimensions[name] if v != point[name]])
        if point not in seen:
            return point
    return None
