"""`burnish list`: every file below the folder has its line, the broken ones too."""

import json
from pathlib import Path

import pytest

from burnish.__main__ import main
from burnish.listing import drawn, find
from burnish.terminal import Screen, columns
from modules.errors import UserError
from modules.prompts import artifact_path, find_artifacts, save_artifact
from tests.modules_tests.programs.task import make_prompt
from tests.modules_tests.test_artifact import artifact_of, ensemble_of, told


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for model, seed in (("m2", 0), ("m1", -1)):
        artifact = artifact_of(make_prompt())
        artifact = artifact.model_copy(
            update={
                "model": artifact.model.model_copy(update={"name": model}),
                "search": artifact.search.model_copy(update={"seed": seed}),
                "task": artifact.task.model_copy(update={"split_seed": seed}),
            }
        )
        save_artifact(artifact, artifact_path(tmp_path, "file", model, seed))
    return tmp_path


def test_a_table_in_the_order_of_the_paths(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", str(folder)]) == 0
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    scores = "73.3 [55.6, 85.8] 30 70.0 [48.1, 85.5] 20 90"
    assert lines == [
        "task model seed dev % [95 % CI] n confirm % [95 % CI] n tokens path",
        f"file m1 -1 {scores} {folder}/file/m1/seed--1.json",
        f"file m2 0 {scores} {folder}/file/m2/seed-0.json",
    ]


def test_an_ensemble_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    artifact = ensemble_of(make_prompt(), told(make_prompt(), "One."))
    long = artifact.model.model_copy(update={"name": "m" * 90})
    save_artifact(artifact, artifact_path(tmp_path, "file", "m", 0))
    save_artifact(
        artifact.model_copy(update={"model": long}), artifact_path(tmp_path, "file", "n", 0)
    )
    main(["list", str(tmp_path)])
    lines = capsys.readouterr().out.splitlines()
    assert "  m (ensemble of 2) " in lines[1]
    assert "… (ensemble of 2) " in lines[2]
    main(["list", str(tmp_path), "--json"])
    found = json.loads(capsys.readouterr().out)["artifacts"]
    assert [one["n_prompts"] for one in found] == [2, 2]


def test_a_narrow_terminal_gets_a_few_lines_a_prompt(folder: Path) -> None:
    lines = drawn(list(find(folder)), Screen(width=80))
    assert lines[-3:] == [
        "  file, m2, seed 0, 90 tokens",
        "  dev      73.3 % [55.6, 85.8], 22 of 30",
        "  confirm  70.0 % [48.1, 85.5], 14 of 20",
    ]
    for width in (30, 40, 80):
        narrow = drawn(list(find(folder)), Screen(width=width))
        assert all(columns(line) <= width for line in narrow)


def test_a_broken_file_is_told_last_and_is_exit_code_2(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = folder / "file" / "m1" / "seed-0.json"
    broken.write_text('{"a": 1}')
    (folder / "file" / "m3" / "folder.json").mkdir(parents=True)
    assert main(["list", str(folder)]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    assert lines[3] == f"broken: {broken} is not an artifact: it has no schema_version"
    assert lines[4].startswith("broken: ")
    assert "folder.json" in lines[4]


def test_a_name_in_a_file_does_nothing_to_the_terminal(tmp_path: Path) -> None:
    artifact = artifact_of(make_prompt())
    task = artifact.task.model_copy(update={"name": "\x1b[31mred\n" + "x" * 99})
    save_artifact(artifact.model_copy(update={"task": task}), tmp_path / "t" / "m" / "a\x1b.json")
    (tmp_path / "t" / "m" / "b.json").write_text('{"schema_version": 2, "\x1b[2J": 1}')
    for width in (None, 80):
        lines = drawn(list(find(tmp_path)), Screen(width=width))
        assert "\x1b" not in "".join(lines)
        assert any("\\x1b[31mred\\n" in line for line in lines)
        assert all("\n" not in line for line in lines)


def test_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "file" / "m1" / "x.json").write_text("")
    assert main(["list", str(folder), "--json"]) == 2
    value = json.loads(capsys.readouterr().out)
    assert [(item["model"], item["seed"]) for item in value["artifacts"]] == [("m1", -1), ("m2", 0)]
    assert value["artifacts"][0]["scores"]["dev"]["n_correct"] == 22
    assert value["artifacts"][0]["forward_tokens"] == 90
    assert [Path(item["path"]).name for item in value["broken"]] == ["x.json"]


def test_the_record_of_an_evaluation_is_no_broken_prompt(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "file" / "report").mkdir()
    (folder / "file" / "report" / "run.json").write_text("{}")
    assert main(["list", str(folder)]) == 0
    assert "broken" not in capsys.readouterr().out
    assert len(find_artifacts(folder, "file")) == 2


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"holds no frozen prompts .*: run burnish optimize"):
        main(["list", str(tmp_path)])
    with pytest.raises(UserError, match=r"is not there .*: run burnish optimize"):
        main(["list", str(tmp_path / "no")])
    path = tmp_path / "a.json"
    save_artifact(artifact_of(make_prompt()), path)
    with pytest.raises(UserError, match=r"is a file, .*: burnish show "):
        main(["list", str(path)])
