"""The transfer matrix as lines."""

import pytest

from evaluate.analysis import transfer
from modules.wilson import wilson
from tests.evaluate_tests.analysis.answers import asked, rows


def test_own_prompts_stand_on_the_diagonal_and_naive_ones_before() -> None:
    found = transfer(
        rows(
            *asked(3, 1, model="b", prompt="frozen for a"),
            *asked(4, 0, model="b", prompt="frozen"),
            *asked(2, 2, model="b", prompt="naive"),
            *asked(1, 3, model="a", prompt="frozen"),
            *asked(1, 3, model="a", prompt="few-shot"),
            *asked(1, 3, model="a", prompt="frozen", temperature=0.2),
        )
    )
    assert found[["model", "owner", "is_reference", "n_correct"]].to_numpy().tolist() == [
        ["a", "a", False, 1],
        ["b", "naive", True, 2],
        ["b", "a", False, 3],
        ["b", "b", False, 4],
    ]
    assert tuple(found.loc[2, ["low", "high"]]) == wilson(3, 4)
    assert found["accuracy"].tolist() == [0.25, 0.5, 0.75, 1.0]


def test_a_model_called_naive_is_no_reference() -> None:
    found = transfer(rows(*asked(1, 0, model="naive", prompt="frozen")))
    assert found[["owner", "is_reference"]].to_numpy().tolist() == [["naive", False]]


def test_a_cell_cannot_be_there_twice() -> None:
    with pytest.raises(ValueError, match="the prompt of a on itself is called 'frozen'"):
        transfer(rows(*asked(1, 0, model="a", prompt="frozen for a")))
