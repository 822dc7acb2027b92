"""How answers move between temperatures."""

from typing import Any

import pytest

from evaluate.analysis import flips
from tests.evaluate_tests.analysis.answers import answer, error, rows

KINDS = ["same", "right_to_wrong", "wrong_to_right", "wrong_to_other_wrong"]
MOVES = [
    ("positive", "positive"),
    ("negative", "negative"),
    (None, None),
    ("positive", "negative"),
    ("positive", None),
    ("negative", "positive"),
    (None, "positive"),
    ("negative", None),
    ("negative", "mixed"),
]


def _moves(before: float, after: float, **changes: Any) -> list[dict[str, Any]]:
    return [
        answer(f"e{i}", said, temperature=temperature, **changes)
        for i, pair in enumerate(MOVES)
        for temperature, said in zip((before, after), pair, strict=True)
    ]


def test_every_kind_by_hand() -> None:
    found = flips(rows(*_moves(0.0, 0.8)), 0.0, 0.8)
    assert found[["n_examples", "n"]].to_numpy().tolist() == [[9, 9]]
    assert found[KINDS].to_numpy().tolist() == [[3, 2, 2, 2]]
    assert flips(rows(*_moves(0.0, 0.8)), 0.8, 0.0)[KINDS].to_numpy().tolist() == [[3, 2, 2, 2]]


def test_the_way_back_swaps_right_and_wrong() -> None:
    one = rows(answer("e", "positive", temperature=0.2), answer("e", None, temperature=0.8))
    assert flips(one, 0.2, 0.8)[KINDS].to_numpy().tolist() == [[0, 1, 0, 0]]
    assert flips(one, 0.8, 0.2)[KINDS].to_numpy().tolist() == [[0, 0, 1, 0]]


def test_both_decodings_stand_apart_and_baselines_out() -> None:
    records = [
        *_moves(0.2, 0.8),
        *_moves(0.2, 0.8, decoding="generate"),
        *_moves(0.2, 0.8, decoding="classifier", prompt="-"),
    ]
    found = flips(rows(*records), 0.2, 0.8)
    assert found["decoding"].tolist() == ["choose", "generate"]
    assert (found[KINDS].sum(axis=1) == found["n"]).all()


def test_draws_are_paired_by_seed_but_zero_stands_for_every_seed() -> None:
    one = rows(
        answer("e", "positive", temperature=0.0, seed=3),
        *(answer("e", "positive", temperature=0.2, seed=seed) for seed in (3, 4)),
        *(answer("e", "negative", temperature=0.8, seed=seed) for seed in (4, 5, 6)),
        error("e", temperature=0.8, seed=7),
    )
    assert flips(one, 0.0, 0.8)[["n_examples", "n"]].to_numpy().tolist() == [[1, 3]]
    assert flips(one, 0.2, 0.8)[["n_examples", "n"]].to_numpy().tolist() == [[1, 1]]
    assert flips(one, 0.8, 0.0)["wrong_to_right"].tolist() == [3]


def test_one_temperature_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"two temperatures, not 0\.2 twice"):
        flips(rows(), 0.2, 0.2)
