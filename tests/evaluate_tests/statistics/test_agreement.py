"""Agreement against counts made by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluate.statistics import agreement
from modules.wilson import wilson

ANSWERS = st.sampled_from(["a", "b", None])


def test_by_hand() -> None:
    gold = ["a", "a", "a", "b", "b", "b", "a", "b"]
    first = ["a", "a", "b", "b", "b", None, None, "a"]
    second = ["a", "b", "b", "b", "a", "b", None, "b"]
    result = agreement(first, second, gold)
    assert (result.n, result.n_both_invalid, result.n_one_invalid) == (8, 1, 1)
    # equal: numbers 0, 2, 3; one unreadable answer (5) is a difference, two (6) are left out
    assert result.n_equal == 3
    assert result.share == 3 / 7
    assert result.interval == wilson(3, 7)
    # right to wrong: 1 and 4; wrong to right: 5 (from no answer) and 7
    assert (result.right_to_wrong, result.wrong_to_right) == (2, 2)
    # 6 readable pairs; the first says a, b 3 and 3 times, the second 2 and 4 times:
    # chance (3 * 2 + 3 * 4) / 36 = 1/2, observed 3/6, so kappa is 0
    assert result.kappa == 0.0


@pytest.mark.parametrize(
    ("first", "second", "kappa"),
    [
        # J. Cohen's own kind of table: 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no of 50:
        # observed 0.7, chance 0.5 * 0.6 + 0.5 * 0.4 = 0.5, kappa 0.2 / 0.5
        pytest.param(
            ["y"] * 25 + ["n"] * 25, ["y"] * 20 + ["n"] * 5 + ["y"] * 10 + ["n"] * 15, 0.4, id="50"
        ),
        pytest.param(["y", "n"], ["y", "n"], 1.0, id="full"),
        # observed 0, chance 1/2
        pytest.param(["y", "n"], ["n", "y"], -1.0, id="opposite"),
    ],
)
def test_kappa(first: list[str], second: list[str], kappa: float) -> None:
    assert agreement(first, second, ["y"] * len(first)).kappa == pytest.approx(kappa)


@given(st.lists(st.tuples(ANSWERS, ANSWERS, st.sampled_from("ab")), max_size=30))
def test_flips_are_the_difference_of_the_accuracies(
    rows: list[tuple[str | None, str | None, str]],
) -> None:
    first, second, gold = ([row[i] for row in rows] for i in range(3))
    result = agreement(first, second, gold)  # type: ignore[arg-type]
    right = [sum(a == b for a, b in zip(one, gold, strict=True)) for one in (first, second)]
    assert result.wrong_to_right - result.right_to_wrong == right[1] - right[0]
    back = agreement(second, first, gold)  # type: ignore[arg-type]
    assert (back.right_to_wrong, back.wrong_to_right) == (
        result.wrong_to_right,
        result.right_to_wrong,
    )
    assert back.kappa == pytest.approx(result.kappa, nan_ok=True)
    assert result.n_equal + result.n_one_invalid + result.n_both_invalid <= result.n == len(rows)


def test_what_has_no_value_is_nan() -> None:
    # one label throughout: chance alone agrees always
    same = agreement(["a", "a"], ["a", "a"], ["a", "b"])
    assert (same.share, same.right_to_wrong) == (1.0, 0)
    assert math.isnan(same.kappa)
    for answers in ([], [None, None]):
        nothing = agreement(answers, answers, ["a"] * len(answers))
        assert math.isnan(nothing.share)
        assert math.isnan(nothing.kappa)
        assert all(math.isnan(end) for end in nothing.interval)


def test_lengths_must_match() -> None:
    with pytest.raises(ValueError, match="equal lengths, not 1, 2 and 1"):
        agreement(["a"], ["a", "b"], ["a"])
