"""The labelled pool: every example of a task that is not held out, before any upper bound.

A task's train, dev and confirm are cut to their sizes. A classical model that is to show what all
the labels are worth learns from what was there before the cut. This loads it, and owns nothing
else; the splits are `splits`'s.
"""

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from modules.errors import UserError
from modules.tasks.example import Example
from modules.tasks.registry import load_task
from modules.tasks.spec import TaskSpec


def labelled_pool(
    source: Mapping[str, Any], seed: int, *, test_hash: str | None = None
) -> tuple[Example, ...]:
    """Load a task again and give its train, dev and confirm examples without upper bounds.

    An example's split is a hash of the seed and its text, and near duplicates of test examples are
    dropped before anything is cut. So the pool holds the task's own train, dev and confirm, and no
    example of the test split or near duplicate of one, not even of those that the test split's
    upper bound left out.

    Args:
        source: the specification, as `Task.source` has it.
        seed: the seed of the task's splits.
        test_hash: the test split's digest in the task that this pool goes with. Where it is given,
            the data must not have changed in between.

    Returns:
        The examples, first train's, then dev's, then confirm's, each in random order.

    Raises:
        UserError: as `load_task`, or another test split than `test_hash` says.
    """
    spec = TaskSpec.from_json(source)
    unbounded = replace(spec.sizes, train=sys.maxsize, dev=sys.maxsize, confirm=sys.maxsize)
    task, _ = load_task(replace(spec, sizes=unbounded), seed)
    splits = task.splits
    if test_hash is not None and splits.test.digest != test_hash:
        raise UserError(
            f"a pool must go with its test split, but the data of the task {task.name} changed: "
            f"the test split's digest is {splits.test.digest[:12]} and was {test_hash[:12]}; "
            "start again"
        )
    return (*splits.train, *splits.dev, *splits.confirm)
