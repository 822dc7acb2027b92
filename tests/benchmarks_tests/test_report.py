"""The report of the matrix: its tables, its sentences, its command."""

import dataclasses
import json
from pathlib import Path

import pytest

from benchmarks import common
from benchmarks.search import protocol
from benchmarks.search.__main__ import main
from benchmarks.search.analysis import analyse, as_json
from benchmarks.search.journal import add_result
from benchmarks.search.report import markdown
from modules.errors import UserError
from tests.benchmarks_tests.cells import hand_made, result


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


def test_controls_alone_are_no_verdict() -> None:
    assert analyse([result("10"), result("11", optimizer="naive")], {}, "optuna").verdicts == []


def test_the_report_counts_silent_defaults() -> None:
    found = [
        result("1100", optimizer="capo", seed=seed, notes={"n_defaulted": seed + 1, "n_steps": 2})
        for seed in range(2)
    ]

    text = markdown(analyse(found, {}, "optuna"), "optuna")

    assert "| t | m | large | `capo` | 2, 2 | 37.5 % |" in text


def test_the_report_command_writes_tables_of_the_seeds_it_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(common, "RESULTS", tmp_path / "dated")
    for one in (
        *(result("11", seed=seed) for seed in (0, 1)),
        *(result("10", optimizer="capo", seed=seed) for seed in (0, 1)),
        result("11", optimizer="labeled"),
    ):
        add_result(tmp_path, one)

    main(["report", "--out", str(tmp_path), "--seeds", "0", "1"])

    (path,) = (tmp_path / "dated").iterdir()
    dated = json.loads(path.read_text())
    assert path.name.endswith("-search-seed-0-seed-1.json")
    line = f"python -m benchmarks.search report --out {tmp_path} --seeds 0 1"
    assert dated["command"] == line
    assert {line["contestant"] for line in dated["lines"]} == {"optuna", "capo"}
    text = (tmp_path / "report.md").read_text()
    assert "mean lead +50.0 points" in text
    assert "labeled" in text.split("Missing: ")[1].splitlines()[0]
    assert text in capsys.readouterr().out


def test_a_report_needs_a_cell_of_ours_with_these_seeds(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="run first"):
        main(["report", "--out", str(tmp_path), "--seeds", "1"])
    for one in (result("1"), result("1", optimizer="capo", seed=1)):
        add_result(tmp_path, one)
    with pytest.raises(UserError, match="no finished cell of optuna with these seeds"):
        main(["report", "--out", str(tmp_path), "--seeds", "1"])
