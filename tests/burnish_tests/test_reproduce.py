"""`burnish reproduce`: the same bytes come out, or which fields are others and why."""

from pathlib import Path
from typing import Any

import pytest

import burnish.reproduce
from burnish.__main__ import main
from modules.errors import INTERRUPTED, UserError
from modules.lm.store import AnswerStore
from modules.prompts import Artifact, load_artifact
from tests.burnish_tests.conftest import Searched, search_in


@pytest.fixture(autouse=True)
def temporary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A place of this test for temporary folders."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))
    return place


def test_the_same_bytes_come_out_and_nothing_is_left(
    searched: Searched,
    temporary: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the answer cache was read")

    monkeypatch.setattr(AnswerStore, "get", never)
    before = searched.path.read_bytes()
    assert main(["reproduce", str(searched.path)]) == 0
    printed = capsys.readouterr().out
    assert "of 5,000 forward tokens; at this moment's speed that takes " in printed
    assert "  trial   0  " in printed
    assert printed.splitlines()[-1].startswith("the same bytes: sha256 ")
    assert list(temporary.iterdir()) == []
    assert searched.path.read_bytes() == before


def test_a_bound_of_calls_is_set_again(
    searched: Searched, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One that never binds: only the record of it could be another."""

    def bounded(value: dict[str, Any]) -> None:
        value["search"]["budget_calls"] = 10**9

    path = searched.changed(tmp_path / "a.json", bounded)
    assert main(["reproduce", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("the same bytes: sha256 ")


def test_other_bytes_are_named_with_the_reason(
    searched: Searched, tmp_path: Path, temporary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def elsewhere(value: dict[str, Any]) -> None:
        value["model"]["processor"] = "vax"
        value["versions"]["torch"] = "0.1"
        value["prompt"]["cap"]["words"] = 9
        value["prompt_id"] = Artifact.model_validate(
            value | {"prompt": value["prompt"]}, strict=False
        ).prompt.identity()

    path = searched.changed(tmp_path / "a.json", elsewhere)
    assert main(["reproduce", str(path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-4] == "other bytes, and another prompt"
    assert lines[-3] == "  fields: prompt.cap.words, model.processor, versions.torch"
    assert lines[-2].startswith("  why: libraries: torch was 0.1, is ")
    assert "; processor: was vax, is " in lines[-2]
    (kept,) = temporary.rglob("seed-0.json")
    assert lines[-1] == f"  look: burnish diff {path} {kept}"


def watched(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Give a list that every trial which ends from now on is put into."""
    ended: list[Any] = []

    class Watched(burnish.reproduce.Display):
        def trial_ended(self, trial: Any, *told: Any) -> None:
            ended.append(trial)
            super().trial_ended(trial, *told)

    monkeypatch.setattr(burnish.reproduce, "Display", Watched)
    return ended


def test_a_stop_is_gone_on_from(
    searched: Searched,
    temporary: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Stopped(burnish.reproduce.Display):
        def trial_ended(self, *told: Any) -> None:
            super().trial_ended(*told)
            raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(burnish.reproduce, "Display", Stopped)
        assert main(["reproduce", str(searched.path)]) == INTERRUPTED
    (folder,) = temporary.iterdir()
    told = capsys.readouterr().err.strip()
    assert told == f"stopped; to go on: burnish reproduce {searched.path} --runs {folder}"
    ended = watched(monkeypatch)
    assert main(["reproduce", str(searched.path), "--runs", str(folder)]) == 0
    assert len(ended) == load_artifact(searched.path).search.n_trials - 1  # one was in the journal
    assert "the same bytes" in capsys.readouterr().out
    assert list(folder.rglob("seed-0.json")) != []


def test_a_second_call_with_the_journal_runs_no_trial(
    searched: Searched,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    arguments = ["reproduce", str(searched.path), "--runs", str(tmp_path / "runs")]
    ended = watched(monkeypatch)
    assert main(arguments) == 0
    assert len(ended) == load_artifact(searched.path).search.n_trials
    assert main(arguments) == 0
    assert len(ended) == load_artifact(searched.path).search.n_trials
    printed = capsys.readouterr().out
    assert f"going on with the journal in {tmp_path / 'runs'}" in printed


def test_version_1_cannot_come_out_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It had no evidence either, so none is weighed."""
    searched = search_in(tmp_path, "--no-evidence")
    capsys.readouterr()

    def old(value: dict[str, Any]) -> None:
        value["schema_version"] = 1
        del value["reading"], value["probes"], value["model"]["processor"]
        del value["search"]["settings"]

    assert main(["reproduce", str(searched.changed(tmp_path / "a.json", old))]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[-4] == "other bytes, but the same prompt"
    settings = ["sampler", "at_once", "ensemble", "racing", "writer"]
    fields = ["schema_version", "model.processor", *(f"search.settings.{s}" for s in settings)]
    assert lines[-3] == f"  fields: {', '.join(fields)}, probes"
    assert lines[-2] == "  why: the file is of an older version of the schema"


def test_what_cannot_be_run_again(searched: Searched, tmp_path: Path, temporary: Path) -> None:
    def by_another(value: dict[str, Any]) -> None:
        value["search"]["optimizer"] = "dice"

    def of_nothing(value: dict[str, Any]) -> None:
        value["task"]["source"]["data"] = "no.csv"

    def too_small(value: dict[str, Any]) -> None:
        value["search"] |= {"budget_tokens": 10, "spent": {}}

    for change, message in (
        (by_another, "only a search by optuna can be run again; .* by dice"),
        (of_nothing, "the data of the search cannot be had: there is no file no.csv"),
        (too_small, "the budget of 10 forward tokens is too small"),
    ):
        path = searched.changed(tmp_path / "a.json", change)
        with pytest.raises(UserError, match=message):
            main(["reproduce", str(path)])
        assert list(temporary.iterdir()) == []
