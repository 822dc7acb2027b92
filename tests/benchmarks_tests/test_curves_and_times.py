"""The curves of accuracy against tokens, and the times to the best peer."""

import dataclasses
from pathlib import Path

import pytest

from benchmarks.search.curves import panels
from benchmarks.search.journal import Result, add_result
from benchmarks.search.protocol import Cell
from benchmarks.search.times import measure, reached
from modules.errors import UserError
from tests.benchmarks_tests.cells import result


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
