"""Margin against flips: bins by hand, the closed form, and that draws follow it."""

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from evaluate.analysis import margin_flips
from modules.wilson import wilson
from tests.evaluate_tests.analysis.answers import answer, error, rows


def _cold(example_id: str, p: list[float], said: str = "positive", **more: Any) -> dict[str, Any]:
    return answer(example_id, said, probabilities=p, **more)


def _hot(example_id: str, p: list[float], said: str = "positive", **more: Any) -> dict[str, Any]:
    changes = {"temperature": 0.5, "p_correct": math.nan} | more
    return answer(example_id, said, probabilities=p, **changes)


def test_bins_counts_and_closed_form_by_hand() -> None:
    p = [0.2, 0.8]
    found = margin_flips(
        rows(
            _cold("e0", p),
            _hot("e0", p, seed=0),
            _hot("e0", p, "negative", seed=1),
            _cold("e1", [0.25, 0.75]),
            _hot("e1", [0.25, 0.75]),
            _cold("e2", [0.5, 0.5]),
            _hot("e2", [0.5, 0.5], "negative"),
            error("e1", temperature=0.5, seed=1),
            _hot("e9", p),
        ),
        n_bins=2,
    )
    assert found["position"].tolist() == [0, 1]
    assert found[["left", "right"]].to_numpy().tolist() == [[0.0, 0.5], [0.5, 1.0]]
    assert found[["n_examples", "n_draws"]].to_numpy().tolist() == [[1, 1], [2, 3]]
    # In the upper bin: margins 0.6, 0.6 and 0.5, which is at the edge; one flip in three draws.
    assert found["margin"].tolist() == pytest.approx([0.0, (0.6 + 0.6 + 0.5) / 3])
    assert found["flipped"].tolist() == pytest.approx([1.0, 1 / 3])
    assert tuple(found.loc[1, ["low", "high"]]) == wilson(round(2 / 3), 2)
    # At T = 0.5 probabilities are squared: 0.04 / 0.68 twice, and 1/16 of 10/16.
    assert found["expected"].tolist() == pytest.approx([0.5, (2 * 0.04 / 0.68 + 0.1) / 3])
    assert found["is_assumed"].tolist() == [True, True]


@pytest.mark.parametrize(
    ("p", "said", "p_correct", "expected", "is_assumed"),
    [
        # The gold label is positive; p is far from what p_correct says, so it shows which is used.
        pytest.param([0.1, 0.9], "positive", 0.7, 0.3, False, id="right"),
        pytest.param([0.9, 0.1], "negative", 0.7, 0.7, False, id="wrong-of-two"),
        pytest.param([0.0, 0.5, 0.5], "bad", 0.7, 0.5, True, id="wrong-of-three"),
        pytest.param([0.5, 0.5, 0.0], "positive", 0.7, 0.3, False, id="right-of-three"),
        pytest.param([0.25, 0.75], "positive", math.nan, 0.1, True, id="unknown"),
    ],
)
def test_the_decoders_own_probability_goes_before_the_power_law(
    p: list[float], said: str, p_correct: float, expected: float, is_assumed: bool
) -> None:
    found = margin_flips(rows(_cold("e", p, said), _hot("e", p, said, p_correct=p_correct)))
    assert found["expected"].tolist() == pytest.approx([expected])
    assert found["is_assumed"].tolist() == [is_assumed]


def test_a_prompt_that_reasons_uses_the_probabilities_of_the_draw() -> None:
    found = margin_flips(rows(_cold("e", [0.1, 0.9]), _hot("e", [0.75, 0.25], "negative")))
    assert found["margin"].tolist() == pytest.approx([0.8])
    # Temperature 0 said the second label, which behind the drawn reason has 1/10 at T = 0.5.
    assert found["expected"].tolist() == pytest.approx([0.9])


def test_a_draw_without_probabilities_has_no_expectation() -> None:
    hot = _hot("e", [0.5, 0.5]) | {"probabilities": None}
    found = margin_flips(rows(_cold("e", [0.1, 0.9]), hot))
    assert found["n_draws"].tolist() == [1]
    assert math.isnan(found["expected"].item())


def test_an_invalid_draw_is_another_answer() -> None:
    hot = answer("e", None, temperature=0.5, probabilities=[0.1, 0.9])
    assert margin_flips(rows(_cold("e", [0.1, 0.9]), hot))["flipped"].tolist() == [1.0]


def test_draws_follow_the_closed_form() -> None:
    rng = np.random.default_rng(0)
    records = []
    for i in range(800):
        top = rng.uniform(0.5, 1)
        p = [1 - top, top]
        drawn = rng.random() < p[1] ** 2 / (p[0] ** 2 + p[1] ** 2)
        records += [_cold(f"e{i}", p), _hot(f"e{i}", p, "positive" if drawn else "negative")]
    found = margin_flips(rows(*records))
    sd = np.sqrt(found["expected"] * (1 - found["expected"]) / found["n_draws"])
    assert len(found) == 10
    assert ((found["flipped"] - found["expected"]).abs() < 4 * sd + 1e-9).all()
    assert found["expected"].is_monotonic_decreasing


def test_no_bins_are_refused_and_no_draws_are_empty() -> None:
    with pytest.raises(ValueError, match="at least one bin, not 0"):
        margin_flips(rows(), n_bins=0)
    only_cold = margin_flips(rows(_cold("e", [0.1, 0.9])))
    assert len(only_cold) == 0
    pd.testing.assert_series_equal(only_cold.dtypes, margin_flips(rows()).dtypes)
