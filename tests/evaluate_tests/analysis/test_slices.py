"""Accuracy by part, on the edges of the bins."""

import math

import numpy as np
import pytest

from evaluate.analysis import by_confidence, by_length, by_rating
from modules.tasks.example import Example
from modules.tasks.strata import length_bin
from modules.wilson import wilson
from tests.evaluate_tests.analysis.answers import answer, asked, error, examples, rows

IDS = ["e0", "e1", "e2", "e3"]


def test_counts_and_intervals_by_hand() -> None:
    found = by_length(rows(*asked(2, 1), error("e3")), examples(*IDS, n_words=[9, 16, 12, 9]))
    (line,) = found.to_dict("records")
    assert (line["n"], line["n_correct"]) == (3, 2)
    assert line["accuracy"] == pytest.approx(2 / 3)
    assert (line["low"], line["high"]) == wilson(2, 3)
    assert (line["position"], line["slice"]) == (1, "9-16 words")
    assert (line["left"], line["right"]) == (8.0, 16.0)


@pytest.mark.parametrize("n_words", [0, 8, 9, 16, 17, 128, 129, 512, 513, 9000])
def test_the_length_bins_are_those_of_the_splits(n_words: int) -> None:
    found = by_length(rows(answer("e0", "positive")), examples("e0", n_words=[n_words]))
    text = " ".join(["word"] * n_words)
    assert found["position"].tolist() == [length_bin(Example(inputs={"text": text}, label="x"))]
    assert found["left"].item() <= n_words <= found["right"].item()


def test_the_outer_length_bins_have_names() -> None:
    found = by_length(rows(*asked(2, 0)), examples("e0", "e1", n_words=[513, 8]))
    assert found["slice"].tolist() == ["up to 8 words", "over 512 words"]
    assert found["right"].tolist() == [8.0, math.inf]


def _confident(*probabilities: list[float] | None) -> list[dict[str, object]]:
    return [
        answer(f"e{i}", "positive", probabilities=p, confidence=0.75)
        for i, p in enumerate(probabilities)
    ]


def test_confidence_is_that_of_the_most_probable_label_in_bins_from_chance() -> None:
    records = _confident([0.5, 0.5], [0.39, 0.61], [0.75, 0.25], [0.0, 1.0], None)
    found = by_confidence(rows(*records), n_bins=2)
    assert found["slice"].tolist() == ["50-75 %", "75-100 %"]
    assert found["n"].tolist() == [2, 2]
    thirds = by_confidence(rows(*_confident([0.2, 0.2, 0.6], [0.7, 0.2, 0.1])), n_bins=2)
    assert thirds["slice"].tolist() == ["33.3-66.7 %", "66.7-100 %"]


def test_confidence_refuses_no_bins_and_different_labels() -> None:
    with pytest.raises(ValueError, match="at least one bin, not 0"):
        by_confidence(rows(*asked(1, 0)), n_bins=0)
    with pytest.raises(ValueError, match=r"one number of labels, not \[2, 3\]"):
        by_confidence(rows(*_confident([0.5, 0.5], [0.2, 0.2, 0.6])))


def test_rating_is_binned_by_its_distance_from_neutral() -> None:
    shown = examples(*IDS, rating=[-1.0, 1.0001, math.nan, -4.5])
    found = by_rating(rows(*asked(4, 0)), shown)
    assert found["slice"].tolist() == ["0.5-1", "1-2", "over 4"]
    assert found["position"].tolist() == [1, 2, 5]
    assert found["n"].sum() == 3
    low = by_rating(rows(*asked(1, 0)), examples("e0", rating=[0.5]))
    assert low["slice"].tolist() == ["up to 0.5"]


def test_without_ratings_there_is_no_line() -> None:
    assert len(by_rating(rows(*asked(4, 0)), examples(*IDS))) == 0


@pytest.mark.parametrize("edges", [[], [1.0, 1.0], [2.0, 1.0]], ids=["none", "equal", "falling"])
def test_rating_refuses_edges_that_do_not_rise(edges: list[float]) -> None:
    with pytest.raises(ValueError, match="edges must rise"):
        by_rating(rows(*asked(4, 0)), examples(*IDS), edges)


def test_slices_add_up_to_the_whole_for_every_model_and_prompt() -> None:
    rng = np.random.default_rng(0)
    ids = [f"e{i}" for i in range(60)]
    shown = examples(*ids, n_words=rng.integers(1, 700, 60), rating=rng.uniform(-4, 4, 60))
    records = [
        record | {"probabilities": [0.5 + i / 200, 0.5 - i / 200]}
        for model in "ab"
        for prompt in ("naive", "frozen")
        for i, record in enumerate(asked(40, 20, model=model, prompt=prompt))
    ]
    for found in (
        by_length(rows(*records), shown),
        by_confidence(rows(*records)),
        by_rating(rows(*records), shown),
    ):
        sums = found.groupby(["model", "prompt"])[["n", "n_correct"]].sum()
        assert sums.to_numpy().tolist() == [[60, 40]] * 4
