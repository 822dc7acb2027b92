"""The planner: its n by hand, its draw as properties, its account against counts."""

import math
from collections import Counter
from statistics import mean, median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluate.planner import plan_sample
from modules.errors import UserError
from modules.tasks.example import Example
from modules.tasks.strata import length_bin

LABELS = ("bad", "good")


def _example(number: int, label: str, n_words: int) -> Example:
    return Example(inputs={"text": " ".join([f"w{number}"] * n_words)}, label=label)


# 300 good and 100 bad; half of each with 5 words, the other half with 12.
WHOLE = [_example(i, "bad" if i % 4 == 0 else "good", 5 if i % 8 < 4 else 12) for i in range(400)]


@pytest.mark.parametrize(
    ("wishes", "n"),
    [
        # see test_precision and test_power for the derivations
        pytest.param({"half_width": 0.08}, 58, id="half-width"),
        pytest.param({"half_width": 0.05, "accuracy": 1.0}, 35, id="half-width-at-1"),
        pytest.param({"detectable": 0.1}, 155, id="difference"),
        pytest.param({"detectable": 0.2, "discordance": 0.2}, 37, id="largest-difference"),
        pytest.param({"half_width": 0.08, "detectable": 0.1}, 155, id="the-greater-of-both"),
        pytest.param({"half_width": 0.08, "detectable": 0.2}, 58, id="the-greater-of-both-other"),
    ],
)
def test_n(wishes: dict[str, float], n: int) -> None:
    sample = plan_sample(WHOLE, LABELS, **wishes, seed=0)
    assert sample.n == sample.n_wanted == n
    assert sample.n_whole == 400
    assert len({example.id for example in sample.examples}) == n


@settings(max_examples=30, deadline=None)
@given(st.floats(0.02, 0.3), st.integers(0, 300), st.integers())
def test_shares_are_those_of_the_whole(width: float, start: int, seed: int) -> None:
    whole = WHOLE[start:]
    sample = plan_sample(whole, LABELS, half_width=width, seed=seed)
    counts = Counter(example.label for example in sample.examples)
    for label, size in Counter(example.label for example in whole).items():
        assert abs(counts[label] - sample.n * size / len(whole)) < 1
    # a stratum is within 1 of its share of a label's count, and that within 1 of its own
    assert abs(sample.widest.gap) < 2 / sample.n
    assert sum(stratum.n_sample for stratum in sample.strata) == sample.n
    assert math.fsum(stratum.share_whole for stratum in sample.strata) == pytest.approx(1)


def test_of_two_samples_a_stratum_of_the_smaller_begins_the_larger() -> None:
    small, large = (
        plan_sample(WHOLE, LABELS, half_width=width, seed=0).examples for width in (0.1, 0.05)
    )
    assert len(small) < len(large)
    for key in {(example.label, length_bin(example)) for example in WHOLE}:
        first, second = (
            [one.id for one in part if (one.label, length_bin(one)) == key]
            for part in (small, large)
        )
        assert first == second[: len(first)]
        assert first != sorted(first)


def test_without_a_wish_everything_is_taken() -> None:
    sample = plan_sample(WHOLE, LABELS, seed=0)
    assert {one.id for one in sample.examples} == {one.id for one in WHOLE}
    assert sample.n == sample.n_wanted == sample.n_whole == 400
    assert sample.lines()[0] == "all 400 examples are taken"
    # the same order as of a sample that a wish makes as large
    assert sample.examples == plan_sample(WHOLE, LABELS, half_width=0.001, seed=0).examples


def test_the_order_of_the_input_is_no_matter_and_the_seed_is() -> None:
    samples = [
        plan_sample(whole, LABELS, half_width=0.08, seed=seed).examples
        for whole, seed in ((WHOLE, 0), (WHOLE[::-1], 0), (WHOLE, 1), (WHOLE, -1))
    ]
    assert samples[0] == samples[1]
    assert len(set(map(frozenset, ([one.id for one in part] for part in samples)))) == 3
    # random order: neither all labels apart nor the order of the input
    assert [one.label for one in samples[0]] != sorted(one.label for one in samples[0])


def test_the_account_against_counts() -> None:
    whole = [
        *(_example(i, "good", 3) for i in range(2)),
        *(_example(i, "good", 20) for i in range(2, 4)),
        *(_example(i, "bad", 600) for i in range(4, 8)),
    ]
    sample = plan_sample(whole, LABELS, half_width=0.33, accuracy=0.5, seed=0)
    # 2 of 4: 1.96 sqrt(1 + 0.96) / 7.84 = 0.350; 2 of 5: 1.96 sqrt(1.2 + 0.96) / 8.84 = 0.326
    assert sample.n == 5
    strata = {(one.label, one.length): one for one in sample.strata}
    assert list(strata) == [("bad", "over 512"), ("good", "up to 8"), ("good", "17 to 32")]
    for (label, length), n_words, n_whole in (
        (("bad", "over 512"), 600, 4),
        (("good", "up to 8"), 3, 2),
        (("good", "17 to 32"), 20, 2),
    ):
        one = strata[label, length]
        n_sample = sum(len(ex.inputs["text"].split()) == n_words for ex in sample.examples)
        assert (one.n_sample, one.n_whole) == (n_sample, n_whole)
        assert (one.share_sample, one.share_whole) == (n_sample / 5, n_whole / 8)
        assert abs(one.gap) <= abs(sample.widest.gap)
    words = [len(example.inputs["text"].split()) for example in sample.examples]
    assert sample.words_sample == (mean(words), median(words))
    # (2 * 3 + 2 * 20 + 4 * 600) / 8; the middle two of eight are 20 and 600
    assert sample.words_whole == (305.75, 310.0)


def test_what_it_says() -> None:
    sample = plan_sample(WHOLE, LABELS, detectable=0.1, seed=0)
    size, precision, likeness = sample.lines()
    assert size == (
        "to find a difference of 10.0 points needs 155 examples: drawn from 400, stratified by "
        "label and length"
    )
    # 90 % of 155 is 139.5, which Python rounds to the even 140
    assert precision == (
        f"with 155 examples an accuracy of 90 % is known to ±{100 * sample.half_width:.1f} points; "
        "where exactly one of two prompts is right on 20 % of the examples, a paired test "
        "(McNemar, level 5 %) finds a difference of 10.0 points with a power of 80 %"
    )
    assert 0.046 < sample.half_width < 0.048
    # strata of the whole: 3/8, 3/8, 1/8, 1/8; the labels get 116 and 39 of 155, and the lengths
    # 58, 58 and 20, 19: 58/155 - 3/8 = -0.08 points, 20/155 - 1/8 = 0.40, 19/155 - 1/8 = -0.24
    assert likeness.startswith(
        "the largest gap between the sample and the whole in any of 4 strata is 0.4 points (bad, "
    )
    assert likeness.endswith("against 8.5, in the median 5 against 8.5")


def test_it_is_capped_and_says_so() -> None:
    sample = plan_sample(WHOLE[:40], LABELS, half_width=0.03, seed=0)
    assert sample.n == 40
    assert {one.id for one in sample.examples} == {one.id for one in WHOLE[:40]}
    assert sample.widest.gap == 0
    assert sample.lines()[0] == (
        "to know an accuracy of 90 % to ±3.0 points needs 389 examples, but there are only 40: all "
        "of them are taken"
    )


def test_where_nothing_can_be_found_it_says_so() -> None:
    sample = plan_sample(WHOLE[:20], LABELS, half_width=0.1, seed=0)
    assert math.isnan(sample.detectable)
    assert "finds no difference with a power of 80 %" in sample.lines()[1]
    assert (
        plan_sample(WHOLE[:1], LABELS, half_width=0.1, seed=0)
        .lines()[1]
        .startswith("with 1 example an accuracy")
    )


def test_a_label_cannot_break_a_line() -> None:
    label = "go\nod\u202e\x1b[31m"
    whole = [_example(i, label, 5) for i in range(10)]
    line = plan_sample(whole, [label], half_width=0.3, seed=0).lines()[2]
    assert "(go od[31m, up to 8 words)" in line


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        pytest.param({"half_width": 0.0}, "between 0 and 0.5; got 0.0", id="no-width"),
        pytest.param({"half_width": math.nan}, "between 0 and 0.5; got nan", id="nan"),
        pytest.param({"detectable": 0.3}, "discordance 0.2; got 0.3", id="beyond-discordance"),
        pytest.param({"detectable": 0.0}, "above 0 .* got 0.0", id="no-difference"),
        pytest.param({"half_width": 0.1, "accuracy": 1.5}, "got 1.5 and 0.2", id="accuracy"),
        pytest.param({"half_width": 0.1, "discordance": 0.0}, "got 0.9 and 0.0", id="discordance"),
    ],
)
def test_a_wish_out_of_range_is_a_user_error(wishes: dict[str, float], message: str) -> None:
    with pytest.raises(UserError, match=message):
        plan_sample(WHOLE, LABELS, **wishes, seed=0)


def test_broken_examples_are_refused() -> None:
    with pytest.raises(UserError, match="got none"):
        plan_sample([], LABELS, half_width=0.1, seed=0)
    with pytest.raises(ValueError, match="an id comes twice"):
        plan_sample([WHOLE[0], WHOLE[0]], LABELS, half_width=0.1, seed=0)
    with pytest.raises(ValueError, match=r"among \['bad'\], not \['good'\]"):
        plan_sample(WHOLE, ["bad"], half_width=0.1, seed=0)
