"""The matrix: the order of its cells, its journal, and its run."""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.search import protocol
from benchmarks.search.journal import (
    RESULTS_FILE,
    Result,
    add_result,
    add_test,
    read_results,
    read_tests,
)
from benchmarks.search.protocol import Cell, cells
from benchmarks.search.running import check_journal, expected_seconds, run_matrix
from modules.errors import UserError
from modules.files import make_folder
from modules.locked import open_locked
from tests.benchmarks_tests.cells import cell, result


def test_cells_come_group_by_group_and_seed_by_seed() -> None:
    found = cells(
        tasks=["a", "b"],
        models=["m", "n"],
        seeds=[0, 1],
        budgets=["small", "large"],
        optimizers=["x", "y"],
    )

    groups = [(one.seed, one.task, one.model) for one in found]
    assert groups == sorted(groups)
    assert [(one.budget, one.optimizer) for one in found[:4]] == [
        ("small", "x"),
        ("small", "y"),
        ("large", "x"),
        ("large", "y"),
    ]
    assert len({one.key for one in found}) == len(found) == 32


def test_budgets_grow_with_the_texts() -> None:
    assert protocol.budget_tokens("snippets", "small") == 40_000
    assert protocol.budget_tokens("snippets", "large") == 200_000
    assert protocol.budget_tokens("snippets", "1/20") == 10_000
    assert protocol.budget_tokens("imdb", "small") == 200_000


def test_the_smallest_budget_takes_fewer_labelled_examples_and_the_same_test_split() -> None:
    few, all_ = (
        protocol.task_spec("snippets", n_test=500, data_folder=None, budget=budget).sizes
        for budget in ("1/50", "small")
    )

    assert protocol.budget_tokens("snippets", "1/50") == 4_000
    assert (few.train, few.dev, few.confirm, few.test) == (60, 70, 30, 500)
    assert (all_.train, all_.dev, all_.confirm, all_.test) == (60, 90, 50, 500)


def test_a_result_comes_back_from_the_journal(tmp_path: Path) -> None:
    one = result("0110", guided="1111", dev=0.5, forward_tokens=7)

    add_result(tmp_path, one)

    assert read_results(tmp_path) == [one]


def test_a_torn_line_is_passed_over_and_cut_off(tmp_path: Path) -> None:
    first, second = result("01"), result("10", seed=1)
    add_result(tmp_path, first)
    with (tmp_path / RESULTS_FILE).open("ab") as file:
        file.write(b'{"schema_version":1,"cell":{"ta')

    assert read_results(tmp_path) == [first]
    add_result(tmp_path, second)
    assert read_results(tmp_path) == [first, second]


def test_the_last_of_equal_cells_counts(tmp_path: Path) -> None:
    add_result(tmp_path, result("01"))
    add_result(tmp_path, result("11"))

    assert [one.correct for one in read_results(tmp_path)] == ["11"]


def test_a_newer_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / RESULTS_FILE).write_text('{"schema_version":99}\n')

    with pytest.raises(UserError, match="newer than 1"):
        read_results(tmp_path)


def test_a_test_split_is_kept_once(tmp_path: Path) -> None:
    add_test(tmp_path, "hash", ["a", "b"])
    add_test(tmp_path, "hash", ["a", "b"])

    assert read_tests(tmp_path) == {"hash": ["a", "b"]}


def test_another_test_size_is_refused(tmp_path: Path) -> None:
    add_result(tmp_path, result("0110"))

    check_journal(tmp_path, 4)
    with pytest.raises(UserError, match="--n-test is 3"):
        check_journal(tmp_path, 3)


def counting(seen: list[str], seconds: float = 1.0) -> Callable[[Cell], Result]:
    """What runs a cell in no time, and notes its key."""

    def run(one: Cell) -> Result:
        seen.append(one.key)
        return result("1", seconds=seconds, **one.to_json())

    return run


def test_a_resumed_run_skips_what_is_finished(tmp_path: Path) -> None:
    wanted = [cell(seed=seed) for seed in range(3)]
    add_result(tmp_path, result("1", **wanted[1].to_json()))
    seen: list[str] = []

    assert run_matrix(wanted, tmp_path, 60, counting(seen)) == 0
    assert seen == [wanted[0].key, wanted[2].key]
    assert run_matrix(wanted, tmp_path, 60, counting(seen)) == 0
    assert len(seen) == 2


def test_a_cell_of_another_process_is_passed_over(tmp_path: Path) -> None:
    """Whether that one is still at it, or has finished it since this process began."""
    wanted = [cell(seed=seed) for seed in range(3)]
    seen: list[str] = []
    run = counting(seen)

    def in_company(one: Cell) -> Result:
        add_result(tmp_path, result("1", **wanted[2].to_json()))
        return run(one)

    make_folder((tmp_path / "claims" / wanted[0].key).parent)
    with open_locked(tmp_path / "claims" / wanted[0].key):
        assert run_matrix(wanted, tmp_path, 60, in_company) == 1
    assert seen == [wanted[1].key]
    assert run_matrix(wanted, tmp_path, 60, run) == 0
    assert seen == [wanted[1].key, wanted[0].key]


def test_a_folder_that_cannot_be_written_is_an_error_and_no_company(tmp_path: Path) -> None:
    (tmp_path / "claims").write_text("in the way")
    with pytest.raises(UserError, match="cannot write to the folder"):
        run_matrix([cell()], tmp_path, 60, counting([]))


def test_errors_are_run_again_when_asked_for(tmp_path: Path) -> None:
    wanted = [cell(seed=seed) for seed in range(2)]
    add_result(tmp_path, result("", error="ValueError: no", **wanted[0].to_json()))
    seen: list[str] = []

    assert run_matrix(wanted, tmp_path, 60, counting(seen)) == 0
    assert run_matrix(wanted, tmp_path, 60, counting(seen), retry=True) == 0
    assert seen == [wanted[1].key, wanted[0].key]
    assert all(one.ok for one in read_results(tmp_path))


def test_no_cell_is_started_that_would_pass_the_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 0.0

    def run(one: Cell) -> Result:
        nonlocal now
        now += 40
        return result("1", seconds=40.0, **one.to_json())

    wanted = [cell(seed=seed) for seed in range(5)]
    assert run_matrix(wanted, tmp_path, 1.5, run, clock=lambda: now) == 3
    assert "about 40 s would pass the time" in capsys.readouterr().out


def test_the_forecast_takes_the_same_optimizer_and_scales_with_the_budget() -> None:
    finished = [
        result("1", budget="small", seconds=30.0, test_seconds=5.0),
        result("1", budget="small", optimizer="capo", seconds=300.0, test_seconds=5.0),
    ]

    assert expected_seconds(cell(), finished) == pytest.approx(155)
    assert expected_seconds(cell(optimizer="mipro", budget="small"), finished) == 305
    assert expected_seconds(cell(task="other"), finished) == 0
