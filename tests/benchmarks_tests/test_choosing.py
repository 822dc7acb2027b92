"""The simulation of the choice among finalists, on prompts whose losses are set by hand."""

import numpy as np
import pytest

from benchmarks.choosing import choose_in_families, other_families


def test_others_are_the_next_two_of_families_that_are_not_there() -> None:
    """By hand: behind the first three, no family twice, and two at most."""
    families = np.array([[0, 0, 0, 0, 1, 1, 2, 3], [0, 1, 2, 2, 1, 0, 0, 0]])
    marked = np.array([[0, 0, 0, 0, 1, 0, 1, 0], [0] * 8], dtype=bool)
    assert (other_families(families) == marked).all()


@pytest.mark.parametrize(
    ("best_on_both", "three", "five", "others"),
    [
        (1, 0.1, 0.1, 0.1),  # the second best on dev, of the first family
        (4, 0.0, 0.4, 0.0),  # the fifth best, of the first family
        (6, 0.0, 0.0, 0.6),  # the seventh best, the second of its family to come
        (7, 0.0, 0.0, 0.0),  # another member of that one
    ],
)
def test_who_may_be_chosen(best_on_both: int, three: float, five: float, others: float) -> None:
    """Eight prompts in the order of dev; confirm speaks for one, else for the best on dev."""
    dev = np.arange(8.0)[None] / 10
    confirm = dev.copy()
    confirm[0, best_on_both] = -9.0
    families = np.array([[0, 0, 0, 0, 0, 1, 2, 2]])
    found = choose_in_families(dev, dev, confirm, families, 50, 50)
    assert found == pytest.approx({"three": three, "five": five, "three and two others": others})
