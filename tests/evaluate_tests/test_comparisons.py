"""The paired comparisons and the closed form against counts and formulas by hand."""

import math
from typing import Any

import numpy as np
import pytest

from evaluate.closed_form import closed_form
from evaluate.comparisons import comparisons, temperature_effects
from evaluate.rows import frame
from evaluate.statistics import smallest_difference
from modules.wilson import wilson
from tests.evaluate_tests.records import LM_ERROR, WRONG, record


def answered(model: str, prompt: str, right: str, **changes: Any) -> list[dict[str, Any]]:
    """Give one record per character: `1` right, `0` wrong, `e` an error; examples e0, e1, ..."""
    kinds: dict[str, dict[str, Any]] = {"1": {}, "0": WRONG, "e": LM_ERROR}
    return [
        record(model=model, prompt=prompt, example_id=f"e{i}", **(changes | kinds[char]))
        for i, char in enumerate(right)
    ]


CLASSIFIER = {"prompt_id": "-", "decoding": "classifier"}
ROWS = [
    *answered("b", "naive", "1100000000"),
    *answered("b", "frozen", "1111111100"),
    *answered("a", "frozen", "111111111e"),
    *answered("a", "few-shot", "1110000000"),
    *answered("linear", "-", "0000000001", **CLASSIFIER),
]


def test_which_pairs_are_compared_and_their_counts() -> None:
    lines = comparisons(frame(ROWS), seed=0)
    found = {
        (one.model_a, one.prompt_a, one.model_b, one.prompt_b): one
        for one in lines.itertuples(index=False)
    }
    assert set(found) == {
        ("a", "frozen", "b", "frozen"),
        ("a", "frozen", "a", "few-shot"),
        ("b", "frozen", "b", "naive"),
        ("a", "frozen", "linear", "-"),
        ("b", "frozen", "linear", "-"),
    }
    pair = found["b", "frozen", "b", "naive"]
    assert (pair.n, pair.n_only_a, pair.n_only_b) == (10, 6, 0)
    assert (pair.accuracy_a, pair.accuracy_b, pair.difference) == (0.8, 0.2, 0.6)
    assert pair.exact == pytest.approx(2 / 2**6)
    assert pair.detectable == pytest.approx(smallest_difference(10, 0.6), nan_ok=True)
    assert pair.low < 0.6 < pair.high
    # a has an error on e9, which its comparisons leave out
    pair = found["a", "frozen", "b", "frozen"]
    assert (pair.n, pair.n_only_a, pair.n_only_b) == (9, 1, 0)
    assert pair.exact == 1.0
    assert (pair.accuracy_a, pair.accuracy_b) == (1.0, pytest.approx(8 / 9))


def test_holm_is_over_all_lines() -> None:
    lines = comparisons(frame(ROWS), seed=0)
    p = sorted(lines["exact"])
    # by hand: the smallest of five times five, the next times four, never falling, at most one
    expected, most = [], 0.0
    for factor, value in zip((5, 4, 3, 2, 1), p, strict=True):
        most = max(most, min(1.0, factor * value))
        expected.append(most)
    assert sorted(lines["adjusted"]) == pytest.approx(expected)


def test_the_order_of_rows_is_no_matter() -> None:
    lines = comparisons(frame(ROWS), seed=0)
    shuffled = [ROWS[i] for i in np.random.default_rng(1).permutation(len(ROWS))]
    again = comparisons(frame(shuffled), seed=0)
    keys = ["model_a", "prompt_a", "model_b", "prompt_b"]
    assert again.sort_values(keys, ignore_index=True).equals(
        lines.sort_values(keys, ignore_index=True)
    )
    assert len(comparisons(frame([]), seed=0)) == 0


def hot(right: str, p: float, **changes: Any) -> list[dict[str, Any]]:
    made = answered("a", "frozen", right, **changes)
    return [one | {"p_correct": p} for one in made]


def test_effects_of_temperature_are_the_expected_ones_in_choose() -> None:
    # What was drawn says 1.0 against 0.0; the probabilities say 0.9 against 0.7.
    rows = [*hot("1111", 0.9, temperature=0.2), *hot("0000", 0.7, temperature=0.8)]
    (line,) = temperature_effects(frame(rows), 0.2, 0.8, seed=0).to_dict("records")
    assert (line["n"], line["seeds"]) == (4, 1)
    assert line["difference"] == pytest.approx(-0.2)
    assert (line["low"], line["high"]) == (pytest.approx(-0.2), pytest.approx(-0.2))


def test_effects_of_temperature_are_means_over_seeds_in_generate() -> None:
    rows = []
    for seed, (cold, warm) in enumerate((("1111", "1100"), ("1110", "0000"))):
        given = {"decoding": "generate", "seed": seed, "probabilities": None}
        for t, right in ((0.2, cold), (0.8, warm)):
            made = answered("a", "frozen", right, temperature=t, **given)
            rows += [one | {"p_correct": math.nan} for one in made]
    (line,) = temperature_effects(frame(rows), 0.2, 0.8, seed=0).to_dict("records")
    assert line["accuracy_a"] == pytest.approx(7 / 8)
    assert line["accuracy_b"] == pytest.approx(2 / 8)
    assert line["difference"] == pytest.approx(-5 / 8)
    assert line["seeds"] == 2


def test_the_closed_form_of_a_cell() -> None:
    rows = [
        *hot("1110", 0.75, temperature=0.8, seed=0),
        *hot("0000", 0.99, temperature=0.8, seed=1),
        *hot("1111", 1.0, temperature=0.0),
    ]
    near, far = closed_form(frame(rows)).itertuples(index=False)
    assert (near.seed, near.n, near.accuracy, near.expected) == (0, 4, 0.75, 0.75)
    assert near.sd == pytest.approx(math.sqrt(4 * 0.75 * 0.25) / 4)
    assert (near.low, near.high) == wilson(3, 4)
    assert (near.z, near.inside, near.inside_redraws) == (0.0, True, True)
    assert far.expected == pytest.approx(0.99)
    assert far.z == pytest.approx(-0.99 / (math.sqrt(4 * 0.99 * 0.01) / 4))
    assert (far.inside, far.inside_redraws) == (False, False)


def test_draws_from_the_closed_form_lie_inside_as_often_as_they_should() -> None:
    rng = np.random.default_rng(3)
    rows = []
    for seed in range(300):
        p = rng.beta(4, 2, size=120)
        right = rng.random(120) < p
        for i, (chance, is_right) in enumerate(zip(p, right, strict=True)):
            kind = {} if is_right else WRONG
            made = record(example_id=f"e{i}", seed=seed, temperature=0.8, **kind)
            rows.append(made | {"p_correct": float(chance)})
    cells = closed_form(frame(rows))
    # 300 cells of 95 %: the binomial's standard deviation is 1.3 points
    assert 0.91 <= cells["inside_redraws"].mean() <= 0.99
    assert cells["inside"].mean() >= cells["inside_redraws"].mean()
