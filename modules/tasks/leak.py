"""The guard of held-out examples: whatever is learnt from must not hold one of them.

It owns the refusal; what counts as the same text belongs to `duplicates`. The splits are made
without leaks, so it finds what was mixed up afterwards.
"""

from collections.abc import Sequence

import numpy as np

from modules.errors import UserError
from modules.tasks.duplicates import near_a_greater, text_of
from modules.tasks.example import Example


def refuse_leak(learnt: Sequence[Example], held_out: Sequence[Example], *, what: str) -> None:
    """Refuse examples to learn from that hold a held-out one, or a near duplicate of one.

    Args:
        learnt: what is learnt from; it may be empty.
        held_out: what is measured on; it may be empty. Neither has to be without repetition.
        what: names `learnt` in the message.

    Raises:
        UserError: they share an id, or a text of one is a near duplicate of a text of the other
            (see `modules.tasks.duplicates.near_a_greater`). The message holds no text of either,
            only ids.
    """
    held_out_ids = {example.id for example in held_out}
    same = sorted({example.id for example in learnt if example.id in held_out_ids})
    if same:
        raise UserError(_message(what, same, "are held out for the test"))
    texts = [text_of(example) for example in (*learnt, *held_out)]
    level = np.repeat([0, 1], [len(learnt), len(held_out)])
    near = near_a_greater(texts, level)[: len(learnt)]
    ids = sorted({example.id for example, is_near in zip(learnt, near, strict=True) if is_near})
    if ids:
        raise UserError(_message(what, ids, "are near duplicates of held-out ones"))


def _message(what: str, ids: Sequence[str], fault: str) -> str:
    return (
        f"nothing may be learnt from the test, but of {what} {len(ids):,} {fault} (the first is "
        f"{ids[0]}): load the task again and take its splits as they are"
    )
