"""The grid goes on where it was stopped, and a block is taken only for what it is of."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from evaluate.draws import Entry, Plan
from evaluate.grid import Grid, prompt_records
from evaluate.row_journal import Block, RowJournal
from evaluate.rows import frame
from modules.errors import UserError
from modules.lm import LocalModel
from modules.programs.naive import naive_prompt
from modules.tasks.example import Task
from tests import tables
from tests.evaluate_tests.records import INVALID, record

PLAN = Plan(temperatures=(0.5,), seeds=(0, 1), max_tokens=3, max_reason_tokens=3)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    return tables.tiny_model(tables.model_folder(tmp_path_factory.mktemp("tiny") / "m", chat=True))


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return tables.file_task(tmp_path_factory.mktemp("table"))


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evaluate.grid._BLOCK", {"choose": 7, "generate": 3, "think": 2})


@pytest.fixture
def grid(task: Task) -> Grid:
    return Grid(task=task, sample=task.splits.dev[:20], n_generated=5, plan=PLAN)


@pytest.fixture
def entry(task: Task) -> Entry:
    return Entry(name="naive", prompt=naive_prompt(task, is_chat=True))


def test_blocks_of_any_size_give_the_same_rows(
    model: LocalModel, grid: Grid, entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rows(path: Path) -> object:
        with RowJournal(path) as journal:
            made = frame(prompt_records(grid, model, entry, journal)[0])
        keys = ["decoding", "temperature", "seed", "example_id"]
        return made.sort_values(keys, ignore_index=True)

    small = rows(tmp_path / "small")
    monkeypatch.setattr("evaluate.grid._BLOCK", {"choose": 128, "generate": 32, "think": 16})
    assert small.equals(rows(tmp_path / "large"))  # type: ignore[attr-defined]


def test_a_stop_at_any_byte_loses_at_most_a_block(
    model: LocalModel, grid: Grid, entry: Entry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with RowJournal(tmp_path / "whole") as journal:
        expected = frame(prompt_records(grid, model, entry, journal)[0])
    whole = (tmp_path / "whole").read_bytes()
    ends = [at + 1 for at, byte in enumerate(whole) if byte == 10]
    assert len(ends) == 3 + 2
    from evaluate import grid as module

    run = module._run
    for cut in (0, 1, ends[0] - 1, ends[0], ends[2] + 40, len(whole) - 1, len(whole)):
        path = tmp_path / f"cut-{cut}"
        path.write_bytes(whole[:cut])
        n_run = 0

        def counted(*given: object) -> Block:
            nonlocal n_run
            n_run += 1
            return run(*given)  # type: ignore[arg-type]

        monkeypatch.setattr("evaluate.grid._run", counted)
        with RowJournal(path) as journal:
            again = frame(prompt_records(grid, model, entry, journal)[0])
        assert again.equals(expected)
        assert n_run == len(ends) - sum(end <= cut for end in ends)


@pytest.mark.parametrize(
    "change",
    [
        {"plan": replace(PLAN, seeds=(0,))},
        {"plan": replace(PLAN, temperatures=(0.6,))},
        {"plan": replace(PLAN, max_tokens=4)},
    ],
    ids=["seeds", "temperature", "tokens"],
)
def test_other_draws_are_other_blocks(
    model: LocalModel,
    grid: Grid,
    entry: Entry,
    change: dict[str, Plan],
    tmp_path: Path,
) -> None:
    with RowJournal(tmp_path / "j") as journal:
        prompt_records(grid, model, entry, journal)
        other = replace(grid, **change)  # type: ignore[arg-type]
        made, _ = prompt_records(other, model, entry, journal)
    with RowJournal(tmp_path / "fresh") as journal:
        assert frame(made).equals(frame(prompt_records(other, model, entry, journal)[0]))


def test_another_prompt_of_the_same_name_is_another_block(
    model: LocalModel, grid: Grid, entry: Entry, tmp_path: Path
) -> None:
    other = replace(entry, prompt=entry.prompt.model_copy(update={"bias": (3.0, -3.0)}))
    with RowJournal(tmp_path / "j") as journal:
        prompt_records(grid, model, entry, journal)
        made = frame(prompt_records(grid, model, other, journal)[0])
    assert set(made["prompt_id"]) == {other.id}


def test_the_ways_of_asking(grid: Grid, entry: Entry) -> None:
    assert [(way, len(examples)) for way, examples in grid.ways(entry)] == [
        ("choose", 20),
        ("generate", 5),
    ]
    thinking = replace(entry, thinks=True)
    assert [(way, len(examples)) for way, examples in grid.ways(thinking)] == [("think", 5)]
    assert [way for way, _ in replace(grid, n_generated=0).ways(entry)] == ["choose"]
    assert replace(grid, n_generated=0).ways(thinking) == []
    cold = replace(grid, plan=replace(PLAN, temperatures=()))
    assert [way for way, _ in cold.ways(entry)] == ["choose"]


def test_what_a_journal_holds_comes_back(tmp_path: Path) -> None:
    records = [record(), record(example_id="e2", **INVALID)]
    with RowJournal(tmp_path / "j") as journal:
        journal.put("a", Block(records, 1.5, 90, 7))
        journal.put("b", Block([], 0.25, 0, 0))
    with RowJournal(tmp_path / "j") as journal:
        block = journal.get("a")
        assert block is not None
        assert frame(block.records).equals(frame(records))
        assert block[1:] == (1.5, 90, 7)
        assert "b" in journal
        assert journal.get("c") is None
    with RowJournal(tmp_path / "j", anew=True) as journal:
        assert "a" not in journal
    assert not (tmp_path / "j").exists()  # without a block there is no file


def test_a_damaged_line_is_run_again_and_others_stay(tmp_path: Path) -> None:
    path = tmp_path / "j"
    with RowJournal(path) as journal:
        for key in "abc":
            journal.put(key, Block([record()], 1.0, 9, 0))
    first, second, third = path.read_bytes().splitlines(keepends=True)
    value = json.loads(second)
    value["columns"]["gold"] = []  # columns of different lengths
    path.write_bytes(first + json.dumps(value).encode() + b"\n" + third)
    with RowJournal(path) as journal:
        assert [key in journal for key in "abc"] == [True, False, True]
        journal.put("b", Block([record()], 1.0, 9, 0))
    with RowJournal(path) as journal:
        assert [key in journal for key in "abc"] == [True, True, True]


def test_another_file_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("my diary\n")
    with pytest.raises(UserError, match="is not the journal of an evaluation"):
        RowJournal(path)
    assert path.read_text() == "my diary\n"


def test_two_processes_do_not_write_one_journal(tmp_path: Path) -> None:
    with RowJournal(tmp_path / "j"), pytest.raises(UserError, match="another process is writing"):
        RowJournal(tmp_path / "j")
