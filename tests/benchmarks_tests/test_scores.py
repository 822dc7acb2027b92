"""The numbers of the matrix: lines, comparisons, verdicts, curves, times and the report."""

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.search import protocol
from benchmarks.search.curves import panels
from benchmarks.search.journal import Result, add_result
from benchmarks.search.protocol import Cell
from benchmarks.search.report import analyse, as_json, markdown
from benchmarks.search.scores import Clusters
from benchmarks.search.times import measure, reached
from modules.errors import UserError
from tests.benchmarks_tests.cells import result


def hand_made() -> list[Result]:
    """Two seeds of 10 examples: ours 18 of 20, capo 12 (16 by choose), labeled 10, mipro failed."""
    return [
        result("1111111110", dev=1.0, confirm=0.9, forward_tokens=100, seconds=10.0),
        result("1111111110", seed=1, dev=0.9, confirm=1.0, forward_tokens=100, seconds=10.0),
        result("1111111100", seed=0, budget="small", forward_tokens=20, seconds=3.0),
        result("1111111100", seed=1, budget="small", forward_tokens=20, seconds=3.0),
        result(
            "1111110000", guided="1111111100", optimizer="capo", forward_tokens=80, seconds=30.0
        ),
        result(
            *("1111110000",),
            guided="1111111100",
            optimizer="capo",
            seed=1,
            forward_tokens=120,
            seconds=30.0,
        ),
        result("1111100000", optimizer="labeled"),
        result("1111100000", optimizer="labeled", seed=1),
        result("", optimizer="mipro", error="ValueError: no"),
    ]


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


def test_the_report_says_what_was_found() -> None:
    found = analyse(hand_made(), {}, "optuna")
    text = markdown(found, "optuna")
    value = as_json(found, "optuna")

    assert "| t | m | 2 | 90.0 % | `capo+choose` | 80.0 % | +10.0 [" in text
    assert "Ahead of the best peer in 1 of 1 pairs" in text
    assert "t/m/seed-0/large/mipro: ValueError: no" in text
    assert "silent defaults" not in text
    assert value["errors"] == {"t/m/seed-0/large/mipro": "ValueError: no"}
    assert value["verdicts"][0]["n_ahead"] == 1


def test_a_pair_that_not_every_peer_has_is_named() -> None:
    whole = [result("10", task="u", optimizer=name) for name in protocol.PEERS]
    found = analyse([*hand_made(), result("11", task="u"), *whole], {}, "optuna")
    text = markdown(found, "optuna")
    missing = [name for name in protocol.PEERS if name not in ("capo", "labeled")]

    assert found.verdicts[0].missing == (tuple(missing), ())
    assert "Ahead of the best peer in 2 of 2 pairs" in text
    assert f"in 1 of them. Missing: t with m: {', '.join(missing)}.\n" in text
    assert "every peer" not in markdown(
        analyse([result("11", task="u"), *whole], {}, "optuna"), "optuna"
    )


def test_controls_are_compared_with_and_are_no_peers() -> None:
    """`labeled` is right in 2 of 4, with our calibration in 3; the naive prompt in 4."""
    found = analyse(
        [
            result("1110"),
            dataclasses.replace(result("1100", optimizer="labeled", dev=0.5), biased="1110"),
            result("1111", optimizer="naive"),
        ],
        {},
        "optuna",
    )
    text = markdown(found, "optuna")

    (verdict,) = found.verdicts
    assert [(one.peer, one.theirs) for one in verdict.best] == [("labeled", 0.5)]
    assert {one.peer: one.theirs for one in found.comparisons} == {
        "labeled": 0.5,
        "labeled+bias": 0.75,
        "naive": 1.0,
    }
    lines = {line.contestant: line for line in found.lines}
    assert (lines["labeled"].dev, lines["labeled+bias"].dev) == (0.5, None)
    peers, controls = text.split("Against each peer")[1].split("Against each control")
    assert "| `labeled` | 1 | 1 | +25.0 | +25.0 |" in peers
    assert "naive" not in peers
    assert "| `naive` | 1 | 0 | -25.0 | -25.0 |" in controls
    assert "| `labeled+bias` | 1 | 0 | +0.0 | +0.0 |" in controls


def test_the_curves_show_peers_and_no_controls(tmp_path: Path) -> None:
    for one in (
        result("1110"),
        result("1100", budget="1/50"),
        dataclasses.replace(result("1000", optimizer="labeled"), biased="1111"),
        result("1111", optimizer="naive"),
    ):
        add_result(tmp_path, one)

    (panel,) = panels(tmp_path, "optuna")
    assert [(line.group.budget, line.accuracy) for line in panel.ours] == [
        ("1/50", 0.5),
        ("large", 0.75),
    ]
    assert [(line.contestant, line.accuracy) for line in panel.peers] == [("labeled", 0.25)]


def test_what_reaches_the_best_peer_is_timed_in_turn() -> None:
    """At 1/20 ours has what the peer has at the small budget; 2 and 3 s against 20 and 30 s."""
    found = [
        result("1000", budget="1/50"),
        result("1100", budget="1/20"),
        result("1111", budget="small"),
        result("1100", optimizer="mipro", budget="small"),
        result("1111", task="u", budget="small"),
        result("1111", task="u", optimizer="mipro", budget="small"),
    ]
    asked: list[tuple[str, str]] = []
    seconds = iter([9.0, 2.0, 20.0, 3.0, 30.0])

    def search(cell: Cell) -> Result:
        asked.append((cell.optimizer, cell.budget))
        return dataclasses.replace(result("1"), cell=cell, seconds=next(seconds))

    (one,) = reached(found, "optuna", tasks=["t"], models=["m"])
    pair = measure(one, "optuna", seed=0, rounds=2, search=search)

    assert asked == [("optuna", "1/20")] + 2 * [("optuna", "1/20"), ("mipro", "small")]
    assert pair["seconds"]["ours"] == {"median": 2.5, "min": 2.0, "max": 3.0}
    assert pair["share_seconds"] == 0.1


def test_nothing_is_timed_where_nothing_is_reached() -> None:
    found = [
        result("1000", budget="small"),
        result("1100", optimizer="mipro", budget="small"),
    ]

    with pytest.raises(UserError, match="reaches a peer"):
        reached(found, "optuna", tasks=["t"], models=["m"])


def test_controls_alone_are_no_verdict() -> None:
    assert analyse([result("10"), result("11", optimizer="naive")], {}, "optuna").verdicts == []


def test_the_report_counts_silent_defaults() -> None:
    found = [
        result("1100", optimizer="capo", seed=seed, notes={"n_defaulted": seed + 1, "n_steps": 2})
        for seed in range(2)
    ]

    text = markdown(analyse(found, {}, "optuna"), "optuna")

    assert "| t | m | large | `capo` | 2, 2 | 37.5 % |" in text
