"""Ensembles: the mean of calibrated log-probabilities, against a calculation by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.prompts import LOWEST, apply_bias, calibrated, combine, ensemble_identity
from tests.modules_tests.programs.task import make_prompt
from tests.modules_tests.test_artifact import told

NO_WORDS = np.zeros((1, 0))


def test_two_prompts_by_hand() -> None:
    # Odds 4 : 1 and 1 : 9; the geometric mean of 4 and 1/9 is 2/3, so 2/5 and 3/5.
    one, other = np.log([[0.8, 0.2]]), np.log([[0.1, 0.9]])
    assert np.exp(combine([one, other]))[0] == pytest.approx([0.4, 0.6])
    # A bias of log 4 in all on the second: odds 4 : 9, so the mean is 4/3: 4/7 and 3/7.
    bias = np.log([2.0, 0.5])
    assert np.exp(combine([one, apply_bias(other, bias)]))[0] == pytest.approx([4 / 7, 3 / 7])
    # At temperature 2 that bias multiplies the odds by 2 alone: 2/9 and 4 give 8/9, so 0.943 : 1.
    cooled = np.exp(combine([one, apply_bias(other, bias, 2.0)]))[0]
    root = np.sqrt(4 * 2 / 9)
    assert cooled == pytest.approx([root / (1 + root), 1 / (1 + root)])


def test_each_prompt_is_calibrated_before_the_mean_and_examples_stay_apart() -> None:
    """Three prompts, three labels, two examples, one number at a time."""
    p = np.array(
        [
            [[0.5, 0.3, 0.2], [0.1, 0.1, 0.8]],
            [[0.2, 0.2, 0.6], [0.3, 0.3, 0.4]],
            [[0.7, 0.2, 0.1], [0.6, 0.2, 0.2]],
        ]
    )
    biases = [np.array([0.1, 0.0, -0.1]), np.array([0.0, 1.0, -1.0]), np.array([-2.0, 1.0, 1.0])]
    parts = [apply_bias(np.log(each), bias) for each, bias in zip(p, biases, strict=True)]
    found = np.exp(combine(parts))
    for example in range(2):
        products = [1.0, 1.0, 1.0]
        for prompt in range(3):
            weights = [p[prompt, example, k] * np.exp(biases[prompt][k]) for k in range(3)]
            products = [x * w / sum(weights) for x, w in zip(products, weights, strict=True)]
        roots = [x ** (1 / 3) for x in products]
        assert found[example] == pytest.approx([root / sum(roots) for root in roots])


@given(
    st.lists(st.floats(-50, 0), min_size=2, max_size=2),
    st.lists(st.floats(-9, 9), min_size=2, max_size=2),
    st.floats(0.1, 5),
)
def test_one_prompt_is_its_own_calibration_bit_for_bit(
    row: list[float], bias: list[float], temperature: float
) -> None:
    logp, given_bias = np.array([row]), np.array(bias)
    prompt = make_prompt(bias=(bias[0], bias[1]))
    alone = combine([calibrated(prompt, logp, NO_WORDS, temperature)])
    assert alone.tobytes() == apply_bias(logp, given_bias, temperature).tobytes()


def test_no_prompt_rules_a_label_out() -> None:
    """Each is sure of another label; below LOWEST they are as sure as each other."""
    sure, other = np.array([[0.0, -np.inf]]), np.array([[-np.inf, 0.0]])
    assert np.exp(combine([sure, other]))[0] == pytest.approx([0.5, 0.5])
    assert combine([sure, sure])[0].tolist() == [0.0, LOWEST]
    assert combine([sure])[0].tolist() == [0.0, -np.inf]


def test_what_cannot_be_combined() -> None:
    with pytest.raises(ValueError, match="an ensemble of no prompts"):
        combine([])
    with pytest.raises(ValueError, match=r"the shapes \[\(1, 2\), \(3, 2\)\]"):
        combine([np.zeros((1, 2)), np.zeros((3, 2))])


def test_only_equal_prompts_in_the_same_order_share_an_identity() -> None:
    one, two, three = make_prompt(), told(make_prompt(), "a"), told(make_prompt(), "b")
    assert ensemble_identity([one]) == one.identity()
    several = [(one, two), (two, one), (one, three), (one, two, three), (one,), (two,)]
    assert len({ensemble_identity(prompts) for prompts in several}) == len(several)
    assert ensemble_identity([one, two]) == ensemble_identity([make_prompt(), two])
