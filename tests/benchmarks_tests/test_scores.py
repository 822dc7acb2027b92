"""The numbers of the matrix: lines, comparisons, verdicts, and who is compared."""

import math

import numpy as np
import pytest

from benchmarks.search.analysis import analyse
from benchmarks.search.report import markdown
from benchmarks.search.scores import Clusters
from benchmarks.search.selection import on_equal_seeds
from tests.benchmarks_tests.cells import hand_made, result


def test_lines_of_a_hand_made_journal() -> None:
    found = analyse(hand_made(), {}, "optuna")
    lines = {line.contestant: line for line in found.lines if line.group.budget == "large"}

    assert [*lines] == ["optuna", "capo+choose", "capo", "labeled"]
    ours = lines["optuna"]
    assert (ours.accuracy, ours.n, ours.seeds) == (0.9, 20, (0, 1))
    assert ours.low < 0.9 < ours.high
    assert ours.dev == pytest.approx(0.95)
    assert ours.confirm == pytest.approx(0.95)
    assert lines["capo"].forward_tokens == 100


def test_the_best_peer_is_the_one_that_ours_leads_by_least() -> None:
    found = analyse(hand_made(), {}, "optuna")
    (verdict,) = found.verdicts
    (best,) = verdict.best

    assert (verdict.budget, best.peer) == ("large", "capo+choose")
    assert (best.n_only_ours, best.n_only_peer) == (2, 0)
    assert best.p == 0.5  # two of two discordant answers: 2 * (1/2)^2
    assert verdict.adjusted == (0.5,)
    assert (verdict.n_ahead, verdict.n_surely_ahead) == (1, 0)
    assert verdict.lead == pytest.approx(0.1)
    labeled = next(one for one in found.comparisons if one.peer == "labeled")
    assert labeled.p == pytest.approx(2 * 0.5**8)


def test_of_equal_peers_the_one_that_spent_less_is_the_best() -> None:
    """A hard rival for a share of tokens: capo has what labeled has, for four times as many."""
    found = analyse(
        [
            result("11", budget="small", forward_tokens=50),
            result("10", budget="small", optimizer="capo", forward_tokens=400),
            result("10", budget="small", optimizer="labeled", forward_tokens=100),
        ],
        {},
        "optuna",
    )

    (one,) = found.efficiencies
    assert (one.peer, one.share_tokens) == ("labeled", 0.5)


def test_holm_is_over_the_pairs_of_a_budget() -> None:
    other = [
        result("1111111111", task="u"),
        result("0000000000", task="u", optimizer="labeled"),
    ]
    (verdict,) = analyse(hand_made() + other, {}, "optuna").verdicts

    assert dict(zip([one.group.task for one in verdict.best], verdict.adjusted, strict=True)) == {
        "t": 0.5,
        "u": pytest.approx(2 * 2 * 0.5**10),
    }
    assert verdict.n_surely_ahead == 1


def test_the_smallest_budget_that_reaches_the_best_peer() -> None:
    (found,) = analyse(hand_made(), {}, "optuna").efficiencies

    assert (found.peer, found.peer_budget) == ("capo+choose", "large")
    assert (found.budget, found.target, found.accuracy) == ("small", 0.8, 0.8)
    assert found.share_tokens == pytest.approx(40 / 200)
    assert found.share_seconds == pytest.approx(0.1)


def test_a_peer_of_a_smaller_budget_is_reached_with_less() -> None:
    """A peer's 7 of 10 at 40 tokens: ours has 6 with 4 tokens, 7 with 10, 9 with 40."""
    found = [
        result("1111111110", budget="small", forward_tokens=40, seconds=8.0),
        result("1111110000", budget="1/20", forward_tokens=4, seconds=1.0),
        result("1111111000", budget="1/10", forward_tokens=10, seconds=2.0),
        result("0001111111", budget="small", optimizer="capo", forward_tokens=40, seconds=20.0),
    ]

    analysis = analyse(found, {}, "optuna")
    (reached,) = analysis.efficiencies

    assert (reached.peer_budget, reached.budget, reached.accuracy) == ("small", "1/10", 0.7)
    assert (reached.share_tokens, reached.share_seconds) == (0.25, 0.1)
    row = "| t | m | small | `capo` | 70.0 % | 1/10 | 70.0 % | 25 % | 10 % |"
    assert row in markdown(analysis, "optuna")


def test_seeds_that_only_one_has_are_not_compared() -> None:
    found = [result("11"), result("11", seed=1), result("10", optimizer="labeled")]
    (one,) = analyse(found, {}, "optuna").comparisons

    assert (one.seeds, one.n, one.ours, one.theirs) == ((0,), 2, 1.0, 0.5)


def test_clusters_resample_a_text_with_all_its_answers() -> None:
    """The same 40 texts in two seeds are as sure as one seed, 80 texts surer."""
    answers = np.array([1.0, 0.0] * 20)
    ids = [f"text {n}" for n in range(40)]
    one = Clusters({0: ids}, n_resamples=4_000).draws({0: answers})
    same = Clusters({0: ids, 1: ids}, n_resamples=4_000).draws({0: answers, 1: answers})
    apart = Clusters({0: ids, 1: [i + "!" for i in ids]}, n_resamples=4_000)

    assert np.array_equal(one, same)
    assert one.std() == pytest.approx(math.sqrt(0.25 / 40), rel=0.1)
    both = apart.draws({0: answers, 1: answers})
    assert both.std() == pytest.approx(math.sqrt(0.25 / 80), rel=0.1)


def test_contestants_meet_on_seeds_that_all_of_them_finished() -> None:
    """In t ours has seeds 0 to 2, capo 0 and 1, labeled 1, and knn failed in 1; in u ours has 0."""
    cells = [
        *(result("1", seed=seed) for seed in (0, 1, 2)),
        *(result("1", optimizer="capo", seed=seed) for seed in (0, 1)),
        result("1", optimizer="labeled", seed=1),
        result("1", optimizer="knn"),
        result("", optimizer="knn", seed=1, error="ValueError: no"),
        result("1", task="u"),
        result("1", task="u", optimizer="labeled"),
        result("1", task="u", optimizer="labeled", seed=1),
        result("1", optimizer="mipro", budget="small"),
    ]

    kept = [
        (one.cell.task, one.cell.optimizer, one.cell.seed)
        for one in on_equal_seeds(cells, [0, 1], "optuna")
    ]

    assert kept == [
        *(("t", "optuna", 0), ("t", "optuna", 1), ("t", "capo", 0), ("t", "capo", 1)),
        *(("t", "knn", 1), ("u", "optuna", 0), ("u", "labeled", 0)),
    ]
