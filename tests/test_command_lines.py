"""Both command lines from end to end, and every mistake of a user: one line, exit code 2."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest

from evaluate.__main__ import main as evaluate_main
from evaluate.rows import load as load_rows
from evaluate.run_record import load_run
from modules.errors import UserError, exit_code
from modules.prompts import load_artifact
from optimize.__main__ import main as optimize_main
from tests import tables
from tests.imports import ROOT

SPLITS = ["--n-train", "12", "--n-dev", "20", "--n-confirm", "20", "--n-test", "24"]


class Place(NamedTuple):
    """A user's table, model folder and a first frozen prompt."""

    table: Path
    model: Path
    out: Path
    artifact: Path


def search_arguments(place: Place, **changes: str) -> list[str]:
    given = {
        "--data": str(place.table),
        "--model": str(place.model),
        "--budget-tokens": "9000",
        "--out": str(place.out),
        "--runs": str(place.out.parent / "runs"),
    } | {f"--{key.replace('_', '-')}": value for key, value in changes.items()}
    return [*SPLITS, *(part for pair in given.items() for part in pair)]


def proof_arguments(place: Place, out: Path, *more: str) -> list[str]:
    return [
        *("--task", "file-table", "--artifacts", str(place.out), "--out", str(out)),
        *("--n-generated", "5", "--n-parity", "3", "--max-tokens", "4", *more),
    ]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    root = tmp_path_factory.mktemp("user")
    table = tables.write_table(root / "table.csv", n=240)
    place = Place(table, tables.model_folder(root / "m", chat=True), root / "artifacts", root)
    assert exit_code(lambda: optimize_main(search_arguments(place))) == 0
    (artifact,) = place.out.glob("file-table/*/seed-0.json")
    return place._replace(artifact=artifact)


def test_the_search_freezes_and_says_so(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = place.artifact.read_bytes()
    optimize_main(search_arguments(place))
    printed = capsys.readouterr().out
    assert "task file-table: Classify the text as negative or positive." in printed
    assert f"{place.artifact} (the same bytes as before)" in printed
    assert place.artifact.read_bytes() == before
    artifact = load_artifact(place.artifact)
    score = artifact.scores["confirm"]
    assert f"{score.accuracy:.1%} on confirm" in printed
    assert f"n = {score.n}" in printed
    assert artifact.command.startswith("python -m optimize --n-train 12")


def test_ctrl_c_keeps_what_is_done_and_the_same_command_goes_on(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """SIGINT behind the first trial; in the end the same is frozen as by an undisturbed run."""
    stopped, whole = (place._replace(out=tmp_path / name / "out") for name in ("a", "b"))
    process = subprocess.Popen(
        [sys.executable, "-m", "optimize", *search_arguments(stopped, budget_tokens="24000")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    next(line for line in process.stdout if line.startswith("  trial"))
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=120)

    assert process.returncode == 130
    assert "stopped; run the same command again to go on" in errors
    assert "Traceback" not in errors
    assert not list(stopped.out.glob("*/*/*.json"))

    for one in (stopped, whole):
        optimize_main(search_arguments(one, budget_tokens="24000"))
    assert capsys.readouterr().out.count("of an earlier run") == 1
    resumed, plain = (load_artifact(next(one.out.glob("*/*/*.json"))) for one in (stopped, whole))
    assert (resumed.prompt, resumed.scores, resumed.search) == (
        plain.prompt,
        plain.scores,
        plain.search,
    )


def test_one_optimizer_that_fails_does_not_stop_the_rest(
    place: Place,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`--optimizer all` of two: our own is frozen, the other one's reason is told."""
    elsewhere = place._replace(out=tmp_path / "out")
    monkeypatch.setattr("optimize.__main__.names", lambda _: ["optuna", "gepa"])

    def failing(*_: object) -> None:
        raise UserError("nothing was found")

    monkeypatch.setattr("optimize.__main__.run_dspy_optimizer", failing)
    optimize_main(search_arguments(elsewhere))
    printed = capsys.readouterr().out
    assert "  gepa: nothing was found\n" in printed
    assert "leaderboard-file-table-" in printed
    assert [path.name for path in elsewhere.out.glob("*/*/*.json")] == ["seed-0.json"]

    monkeypatch.setattr("optimize.__main__.run_search", failing)
    with pytest.raises(UserError, match="no optimizer came to an end"):
        optimize_main(search_arguments(elsewhere))


def test_each_prompt_of_an_ensemble_is_printed_with_its_number(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    elsewhere = place._replace(out=tmp_path / "out")
    optimize_main(search_arguments(elsewhere, ensemble="2"))
    printed = capsys.readouterr().out
    assert "frozen: 2 prompts together, " in printed
    assert [line for line in printed.splitlines() if line.startswith("  prompt ")] == [
        "  prompt 1 of 2:",
        "  prompt 2 of 2:",
    ]


def test_the_proof_prints_a_table_and_is_the_same_twice(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        evaluate_main(proof_arguments(place, tmp_path / name, "--seeds", "0", "1"))
    printed = capsys.readouterr().out
    assert "majority class" in printed
    assert "of 3 answers" in printed
    files = {path.name for path in (tmp_path / "a").iterdir()}
    assert files == {
        *("rows.parquet", "examples.parquet", "run.json", "blocks.jsonl"),
        *("report.md", "report.html", "figures", "tables"),
    }
    for name in (
        *("rows.parquet", "examples.parquet", "figures/accuracy.png"),
        *("tables/accuracy.csv", "tables/comparisons.csv"),
    ):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    rows = load_rows(tmp_path / "a" / "rows.parquet")
    # 2 prompts: choose at 0, and at 2 temperatures with 2 seeds; generate on 5 examples
    asked = rows[rows["decoding"] != "classifier"]
    assert len(asked) == 2 * (24 * 5 + 5 * 4)
    assert set(rows.groupby(["model", "prompt"])["example_id"].nunique()) == {24}
    assert len(load_run(tmp_path / "a").timings) == 4


def test_both_as_processes(place: Place, tmp_path: Path) -> None:
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    optimize = [sys.executable, "-m", "optimize", *search_arguments(place, seed="1")]
    proof = [sys.executable, "-m", "evaluate", *proof_arguments(place, tmp_path / "p")]
    for command in (optimize, [*proof, "--search-seed", "1"]):
        done = subprocess.run(
            command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
    assert "majority class" in done.stdout


def refused(command: Callable[[], None], capsys: pytest.CaptureFixture[str], message: str) -> None:
    """Assert exit code 2 and one line that says what is wrong."""
    capsys.readouterr()
    assert exit_code(command) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert message in lines[0]


def csv(**columns: list[Any]) -> bytes:
    return pd.DataFrame(columns).to_csv(index=False).encode()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"text,label\n", "has none"),
        (b"\x00\x01\xff\xfe binary", "must be UTF-8 text"),
        (csv(text=["a b", "c d"] * 60, label=["x"] * 120), "needs at least two labels"),
        (csv(body=["a"], label=["x"]), "has no column 'text'"),
        (csv(text=["a b", "c d"], label=["x", "y"]), "every split needs"),
        (csv(text=[f"a{i}" for i in range(99)], label=["Y", "y", "n"] * 33), "case and spaces"),
        (csv(text=[f"a{i}" for i in range(99)], label=["y" * 300, "n", "m"] * 33), "at most 200"),
    ],
    ids=["empty", "no-rows", "binary", "one-class", "column", "tiny", "alike", "long-label"],
)
def test_a_table_that_is_none(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, message: str
) -> None:
    table = tmp_path / "t.csv"
    table.write_bytes(content)
    before = place.artifact.read_bytes()
    arguments = search_arguments(place, data=str(table))
    refused(lambda: optimize_main(arguments), capsys, message)
    assert place.artifact.read_bytes() == before
    assert table.read_bytes() == content


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model": "nobody"}, "unknown model 'nobody'"),
        ({"model": "."}, "is not a model folder"),
        ({"task": "nothing"}, "a task must be one of"),
        ({"task": "snippets"}, "data is a setting of the task file"),
        ({"data": "no.csv"}, "there is no file no.csv"),
        ({"data": "a.txt"}, "must end in one of"),
        ({"text_column": "x"}, "has no column 'x'"),
        ({"label_column": "text"}, "text and label must be two columns"),
        ({"meaning": "positive"}, "--meaning takes LABEL=MEANING"),
        ({"meaning": "good=fine"}, "one for 'good'"),
        ({"budget_tokens": "-5"}, "--budget-tokens must be at least 1 and below 2^63, got -5"),
        ({"budget_tokens": "10"}, "the budget of 10 forward tokens is too small"),
        ({"n_dev": "-1"}, "dev is -1"),
        ({"n_train": "0"}, "train is 0"),
        ({"dtype": "float8"}, "unknown dtype 'float8'"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else None,
)
def test_a_mistake_in_the_options_of_the_search(
    place: Place, capsys: pytest.CaptureFixture[str], changes: dict[str, str], message: str
) -> None:
    before = place.artifact.read_bytes()
    refused(lambda: optimize_main(search_arguments(place, **changes)), capsys, message)
    assert place.artifact.read_bytes() == before


@pytest.mark.parametrize("option", ["out", "runs"])
def test_a_folder_below_a_file(
    place: Place, capsys: pytest.CaptureFixture[str], option: str
) -> None:
    before = place.table.read_bytes()
    arguments = search_arguments(place, **{option: str(place.table / "x")})
    refused(lambda: optimize_main(arguments), capsys, "cannot write to the folder")
    proof = proof_arguments(place, place.table / "x")
    refused(lambda: evaluate_main(proof), capsys, "cannot write to the folder")
    assert place.table.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda text: text[:-50], "is not JSON"),
        (lambda text: text.replace("0.2.0", "0.2.1"), "was changed after it was frozen"),
        (lambda text: text.replace('"schema_version": 4', '"schema_version": 9'), "newer than 4"),
        (lambda _: "", "is not JSON"),
    ],
    ids=["cut", "changed", "newer", "empty"],
)
def test_a_broken_artifact_is_refused_and_kept(
    place: Place,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[str], str],
    message: str,
) -> None:
    path = tmp_path / "out" / place.artifact.relative_to(place.out)
    path.parent.mkdir(parents=True)
    path.write_text(change(place.artifact.read_text()))
    before = path.read_bytes()
    broken = place._replace(out=tmp_path / "out")
    refused(lambda: evaluate_main(proof_arguments(broken, tmp_path / "p")), capsys, message)
    refused(lambda: optimize_main(search_arguments(broken)), capsys, message)
    assert path.read_bytes() == before
    assert not list(tmp_path.glob("p/*"))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--task", "none"], "no frozen prompts for the task none"),
        (["--models", "nobody"], "no frozen prompt for nobody"),
        (["--search-seed", "7"], "no frozen prompt for any model with search seed 7"),
        (["--temperatures", "-1"], "temperatures lie between 0 and 10"),
        (["--temperatures", "nan"], "temperatures lie between 0 and 10"),
        (["--n-generated", "-1"], "--n-generated"),
        (["--n-parity", "-1"], "--n-parity"),
        (["--max-tokens", "0"], "--max-tokens"),
        (["--max-tokens", "100000"], "context"),
        (["--seeds", "99999999999999999999"], "--seeds"),
        (["--dtype", "float8"], "unknown dtype 'float8'"),
    ],
    ids=lambda value: "".join(value) if isinstance(value, list) else None,
)
def test_a_mistake_in_the_options_of_the_proof(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str], message: str
) -> None:
    arguments = proof_arguments(place, tmp_path / "p", *more)
    refused(lambda: evaluate_main(arguments), capsys, message)
    assert not list(tmp_path.glob("p/*"))


def test_a_negative_seed_is_a_seed(place: Place, tmp_path: Path) -> None:
    evaluate_main(proof_arguments(place, tmp_path / "p", "--seeds", "-1"))
    assert set(load_rows(tmp_path / "p" / "rows.parquet")["seed"]) == {-1}


def test_changed_data_is_refused(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = place.table.read_bytes()
    try:
        place.table.write_bytes(before + b"one more text,positive\n")
        arguments = proof_arguments(place, tmp_path / "p")
        refused(lambda: evaluate_main(arguments), capsys, "is not what the prompts were frozen on")
    finally:
        place.table.write_bytes(before)


def test_other_weights_are_refused(
    place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = place.model / "tokenizer_config.json"
    before = config.read_bytes()
    try:
        config.write_bytes(before + b"\n")
        arguments = proof_arguments(place, tmp_path / "p")
        refused(lambda: evaluate_main(arguments), capsys, "was frozen for")
    finally:
        config.write_bytes(before)
