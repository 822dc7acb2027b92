"""Drawing one token: the distribution, its cut-offs, and the streams."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest

from modules.lm.sampling import Sampling, pick, pick_all, stream, token_probabilities

LOG_P = torch.log(torch.tensor([0.1, 0.4, 0.2, 0.25, 0.05], dtype=torch.float64))


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        pytest.param({"temperature": 1.0}, [0.1, 0.4, 0.2, 0.25, 0.05], id="all"),
        pytest.param({"temperature": 1.0, "top_k": 2}, [0, 0.4 / 0.65, 0, 0.25 / 0.65, 0], id="k"),
        pytest.param({"temperature": 1.0, "top_k": 99}, [0.1, 0.4, 0.2, 0.25, 0.05], id="k > V"),
        # 0.4 + 0.25 = 0.65 < 0.7, so the third goes in as well.
        pytest.param(
            {"temperature": 1.0, "top_p": 0.7}, [0, 0.4 / 0.85, 0.2 / 0.85, 0.25 / 0.85, 0], id="p"
        ),
        pytest.param({"temperature": 1.0, "top_p": 1e-9}, [0, 1, 0, 0, 0], id="p keeps one"),
        # Of the top two, 0.615 of the mass is the first's: it alone reaches 0.6.
        pytest.param(
            {"temperature": 1.0, "top_k": 2, "top_p": 0.6}, [0, 1, 0, 0, 0], id="k before p"
        ),
        # Half the temperature squares the probabilities: 1, 16, 4, 6.25, 0.25 of 27.5.
        pytest.param(
            {"temperature": 0.5},
            [1 / 27.5, 16 / 27.5, 4 / 27.5, 6.25 / 27.5, 0.25 / 27.5],
            id="temperature",
        ),
    ],
)
def test_token_probabilities_by_hand(settings: dict[str, Any], expected: list[float]) -> None:
    got = token_probabilities(LOG_P, Sampling(**settings))
    assert got.tolist() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    "settings",
    [{}, {"top_k": 3}, {"top_p": 0.8}, {"temperature": 2.0, "top_k": 4, "top_p": 0.9}],
    ids=["plain", "top_k", "top_p", "all"],
)
def test_pick_draws_from_token_probabilities(settings: dict[str, Any]) -> None:
    sampling = Sampling(**({"temperature": 1.0} | settings))
    p = token_probabilities(LOG_P, sampling).numpy()
    draws = stream("chi-square", 1)
    n = 4000
    seen = np.bincount([pick(LOG_P, sampling, draws.random()) for _ in range(n)], minlength=5)
    assert seen[p == 0].sum() == 0
    assert chisquare(seen[p > 0], n * p[p > 0]).pvalue > 1e-3


@given(
    st.lists(st.floats(-50, 50), min_size=2, max_size=8),
    st.floats(0, 1, exclude_max=True),
    st.floats(0.05, 5),
    st.floats(0.01, 1),
    st.integers(0, 5),
)
def test_pick_never_takes_a_token_without_probability(
    logits: list[float], u: float, temperature: float, top_p: float, top_k: int
) -> None:
    sampling = Sampling(temperature=temperature, top_p=top_p, top_k=top_k)
    row = torch.tensor(logits)
    p = token_probabilities(row, sampling)
    assert float(p.sum()) == pytest.approx(1, abs=1e-12)
    assert p[pick(row, sampling, u)] > 0


def test_pick_inverts_the_distribution_function_in_token_order() -> None:
    edges = [(0.0, 0), (0.099, 0), (0.101, 1), (0.499, 1), (0.501, 2), (0.699, 2), (0.9999, 4)]
    sampling = Sampling(temperature=1.0)
    assert [(u, pick(LOG_P, sampling, u)) for u, _ in edges] == edges


def test_temperature_zero_takes_the_lowest_of_the_best() -> None:
    row = torch.tensor([1.0, 3.0, 3.0, 2.0, 3.0])
    assert {pick(row, Sampling(), u) for u in (0.0, 0.5, 0.999)} == {1}


def test_a_low_temperature_goes_to_the_greedy_token() -> None:
    assert pick(LOG_P, Sampling(temperature=1e-3), 0.999) == pick(LOG_P, Sampling(), 0.0)


def test_the_same_key_gives_the_same_numbers() -> None:
    key = ("seed", 0, "éxample", ("x", 1))
    assert stream(*key).random(5).tolist() == stream(*key).random(5).tolist()


@pytest.mark.parametrize(
    "other",
    [(1, "id", 0), (0, "id", 1), (0, "ID", 0), (0, "id"), ("0", "id", 0), ((0, "id"), 0)],
    ids=repr,
)
def test_another_key_gives_other_numbers(other: tuple[object, ...]) -> None:
    assert stream(*other).random() != stream(0, "id", 0).random()


def test_streams_of_neighbouring_keys_are_uniform() -> None:
    assert kstest([stream(0, n).random() for n in range(500)], "uniform").pvalue > 1e-3


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"temperature": -0.1}, "temperature must be >= 0 and finite, got -0.1"),
        ({"temperature": math.nan}, "temperature must be >= 0 and finite, got nan"),
        ({"temperature": math.inf}, "temperature must be >= 0 and finite, got inf"),
        ({"max_tokens": 0}, "max_tokens must be >= 1, got 0"),
        ({"top_p": 0.0}, r"top_p must be in \(0, 1\], got 0.0"),
        ({"top_p": 1.1}, r"top_p must be in \(0, 1\], got 1.1"),
        ({"top_k": -1}, "top_k must be >= 0, got -1"),
    ],
)
def test_sampling_refuses(settings: dict[str, Any], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        Sampling(**settings)


def test_rows_picked_together_are_the_rows_picked_one_by_one() -> None:
    """Greedy and drawn rows mixed, two rows with a tie at the top."""
    rows = torch.randn((6, 5), generator=torch.Generator().manual_seed(0))
    rows[0, [1, 3]] = rows[4, [0, 2]] = 9.0
    samplings = [Sampling(temperature=t) for t in (0.0, 1.0, 0.0, 2.0, 0.0, 0.7)]
    us = [0.1, 0.9, 0.5, 0.3, 0.2, 0.99]
    together = pick_all(rows, samplings, us)
    assert together == [pick(*one) for one in zip(rows, samplings, us, strict=True)]
    assert (together[0], together[4]) == (1, 0)
