"""`burnish verify`: equal bits where all is the same, and what differs where it does not."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from burnish.__main__ import main
from burnish.finding import data_finding
from burnish.probing import TOLERANCES, compare, tolerance
from modules.errors import UserError
from modules.lm import load_model
from modules.lm.store import AnswerStore
from modules.prompts import (
    answers,
    calibrated,
    combine,
    evidence_words,
    load_artifact,
    render,
    save_artifact,
)
from modules.tasks import SealedSplit
from tests.burnish_tests.conftest import Searched
from tests.imports import ROOT
from tests.modules_tests.programs.task import make_prompt
from tests.modules_tests.test_artifact import artifact_of, probe_of


def verify(
    capsys: pytest.CaptureFixture[str], path: Path, *more: str
) -> tuple[int | None, dict[str, Any]]:
    capsys.readouterr()
    status = main(["verify", str(path), "--json", *more])
    return status, json.loads(capsys.readouterr().out)


def verdicts(found: dict[str, Any]) -> dict[str, str]:
    return {finding["what"]: finding["verdict"] for finding in found["findings"]}


SAME = dict.fromkeys(["weights", "dtype", "libraries", "processor", "data"], "same")


def test_the_same_machine_gives_the_same_bits(
    searched: Searched, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("the answer cache or the test split was opened")

    monkeypatch.setattr(AnswerStore, "get", never)
    monkeypatch.setattr(SealedSplit, "unseal", never)
    status, found = verify(capsys, searched.path)
    assert (status, found["verified"], found["reasons"]) == (0, True, [])
    assert verdicts(found) == SAME
    assert list(verdicts(found)) == list(SAME)  # the order in which they are told
    assert found["probes"] == {
        "n": 8,
        "n_equal": 8,
        "n_within": 8,
        "n_relabelled": 0,
        "largest": 0.0,
        "tolerance": 0.0,
    }
    assert main(["verify", str(searched.path)]) == 0
    screen = capsys.readouterr().out
    assert "probes     same         8 of 8 with equal bits" in screen
    assert screen.endswith("verified: 8 examples give the same bits\n")


def test_some_examples(searched: Searched, capsys: pytest.CaptureFixture[str]) -> None:
    for n in (3, 99):
        status, found = verify(capsys, searched.path, "--n", str(n))
        assert (status, found["probes"]["n_equal"]) == (0, min(n, 8))


def shift(by: float) -> Callable[[dict[str, Any]], None]:
    """Move the first probe's two log-probabilities apart, by about `by`, and keep their sum 1."""

    def change(value: dict[str, Any]) -> None:
        logp = np.array(value["probes"][0]["log_probabilities"])
        logp[0] += by
        logp -= np.log(np.exp(logp).sum())
        value["probes"][0]["log_probabilities"] = logp.tolist()

    return change


def on(field: str, text: str, by: float) -> Callable[[dict[str, Any]], None]:
    def change(value: dict[str, Any]) -> None:
        shift(by)(value)
        holder, _, key = field.partition(".")
        value[holder][key] = text

    return change


@pytest.mark.parametrize(
    ("change", "status", "reason", "told"),
    [
        (shift(1e-9), 1, "1 example gives other bits", SAME),
        (
            on("versions.optuna", "0.1", 1e-9),
            1,
            "1 example gives other bits",
            SAME | {"libraries": "other"},
        ),
        (on("model.processor", "vax", 1e-9), 0, "", SAME | {"processor": "other"}),
        (on("versions.torch", "0.1", 1e-9), 0, "", SAME | {"libraries": "other"}),
        (
            on("model.processor", "vax", 0.01),
            1,
            "1 example gives numbers that are more than 0.001 away",
            SAME | {"processor": "other"},
        ),
        (
            on("model.dtype", "bfloat16", 0.01),
            0,
            "",
            SAME,
        ),
    ],
    ids=["bits", "optuna", "processor", "torch", "too-far", "dtype"],
)
def test_what_differs(
    searched: Searched,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[dict[str, Any]], None],
    status: int,
    reason: str,
    told: dict[str, str],
) -> None:
    path = searched.changed(tmp_path / "a.json", change)
    more = ["--dtype", "float32"]
    found_status, found = verify(capsys, path, *more)
    assert found_status == status
    assert "; ".join(found["reasons"]).startswith(reason)
    if "bfloat16" in path.read_text():
        told = told | {"dtype": "other"}
        assert found["probes"]["tolerance"] == TOLERANCES["bfloat16"]
    assert verdicts(found) == told


def test_other_kernels_give_the_same_numbers_within_the_tolerance(searched: Searched) -> None:
    """PyTorch's kernels without vector instructions are another processor, as far as bits go."""
    done = subprocess.run(
        [sys.executable, "-m", "burnish", "verify", str(searched.path), "--json"],
        capture_output=True,
        text=True,
        env=os.environ | {"ATEN_CPU_CAPABILITY": "default"},
        cwd=ROOT,
        check=False,
    )
    found = json.loads(done.stdout)
    if verdicts(found)["processor"] == "same":
        pytest.skip("this processor has no other kernels")
    assert (done.returncode, verdicts(found)) == (0, SAME | {"processor": "other"})
    assert found["probes"]["tolerance"] == TOLERANCES["float32"]
    assert found["probes"]["largest"] < 1e-4


def test_a_label_that_changes_is_told(
    searched: Searched, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = searched.changed(tmp_path / "a.json", shift(9.0))
    _, found = verify(capsys, path)
    path = searched.changed(tmp_path / "b.json", shift(-9.0))
    _, other = verify(capsys, path)
    # whatever the label is, one of the two pushes makes the record another
    assert found["probes"]["n_relabelled"] + other["probes"]["n_relabelled"] == 1
    assert found["probes"]["largest"] > 1


def test_other_weights_are_not_verified_whatever_the_numbers(
    searched: Searched, capsys: pytest.CaptureFixture[str]
) -> None:
    config = searched.model / "tokenizer_config.json"
    before = config.read_bytes()
    try:
        config.write_bytes(before + b"\n")
        status, found = verify(capsys, searched.path)
    finally:
        config.write_bytes(before)
    assert (status, found["reasons"]) == (1, ["the weights differ"])
    assert verdicts(found) == SAME | {"weights": "other"}
    assert found["probes"]["n_equal"] == 8


def test_other_data_are_not_verified_and_absent_ones_not_checked(
    searched: Searched, capsys: pytest.CaptureFixture[str]
) -> None:
    before = searched.table.read_bytes()
    try:
        searched.table.write_bytes(before + b"one more text,positive\n")
        status, found = verify(capsys, searched.path)
        assert (status, found["reasons"]) == (1, ["the data differ"])
        assert "the examples are others" in found["findings"][-1]["told"]
        searched.table.unlink()
        status, found = verify(capsys, searched.path)
        assert (status, found["verified"]) == (0, True)
        assert verdicts(found) == SAME | {"data": "not checked"}
        assert "there is no file" in found["findings"][-1]["told"]
    finally:
        searched.table.write_bytes(before)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ({}, "a task needs a name"),
        ({"name": "file", "data": "a\0.csv"}, "null byte"),
        ({"name": "file", "data": "/dev/zero.csv"}, "there is no file"),
        ({"name": "file", "data": "a.csv", "sizes": {"train": "x"}}, "train is 'x'"),
        ({"name": "snippets", "x": 1}, "got x"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_source_that_leads_nowhere_is_not_checked(source: dict[str, Any], told: str) -> None:
    artifact = artifact_of(make_prompt())
    task = artifact.task.model_copy(update={"source": source})
    finding, none = data_finding(artifact.model_copy(update={"task": task}))
    assert (finding.verdict, none) == ("not checked", None)
    assert told in finding.told


def test_a_probe_that_is_no_confirm_example(
    searched: Searched, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def relabel(value: dict[str, Any]) -> None:
        probe = value["probes"][2]
        probe["label"] = {"negative": "positive", "positive": "negative"}[probe["label"]]

    status, found = verify(capsys, searched.changed(tmp_path / "a.json", relabel))
    assert status == 1
    assert "1 probes are not in the confirm split" in found["findings"][-1]["told"]


def test_version_1_says_what_could_be_checked(
    searched: Searched, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def old(value: dict[str, Any]) -> None:
        value["schema_version"] = 1
        del value["reading"], value["probes"], value["model"]["processor"]
        del value["search"]["settings"]
        value["prompt"].pop("evidence", None)

    status, found = verify(capsys, searched.changed(tmp_path / "a.json", old))
    assert status == 1
    assert found["reasons"] == [
        "a file of version 1 holds no examples to run again; "
        "search anew (burnish optimize) for one that does"
    ]
    assert verdicts(found) == SAME | {"processor": "not checked"}


@pytest.mark.parametrize("n", ["0", "-1"])
def test_no_examples_asked_for(searched: Searched, n: str) -> None:
    with pytest.raises(UserError, match=f"--n must be at least 1, got {n}"):
        main(["verify", str(searched.path), "--n", n])


def test_no_model_and_no_file(searched: Searched, tmp_path: Path) -> None:
    def elsewhere(value: dict[str, Any]) -> None:
        value["model"]["name"] = "nobody"

    with pytest.raises(UserError, match="unknown model 'nobody'"):
        main(["verify", str(searched.changed(tmp_path / "a.json", elsewhere))])
    with pytest.raises(UserError, match="cannot read the artifact"):
        main(["verify", str(tmp_path / "no.json")])


def ensemble(searched: Searched, path: Path) -> Path:
    """Freeze an ensemble of the prompt that was found and two variants, with its own probes."""
    artifact = load_artifact(searched.path)
    first = artifact.prompt
    after = first.layout.model_copy(update={"instruction": "both"})
    members = (
        first.model_copy(update={"bias": (1.5, -1.5)}),
        first.model_copy(update={"layout": after, "demos": (), "bias": (-0.25, 0.25)}),
    )
    model = load_model(artifact.model.name, dtype=artifact.model.dtype)
    prompts = (first, *members)
    logps = [
        model.choose(
            [render(one, p.text) for p in artifact.probes],
            answers(one),
            words=evidence_words(one),
        )
        for one in prompts
    ]
    together = combine(
        [
            calibrated(prompt, one.log_probabilities(), one.word_logits)
            for prompt, one in zip(prompts, logps, strict=True)
        ]
    )
    probes = [
        probe.model_copy(update={"log_probabilities": tuple(row)})
        for probe, row in zip(artifact.probes, together.tolist(), strict=True)
    ]
    update = {"members": members, "probes": tuple(probes)}
    save_artifact(artifact.model_copy(update=update), path)
    return path


def test_an_ensemble_is_run_again_with_all_its_prompts(
    searched: Searched, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = ensemble(searched, tmp_path / "a.json")
    status, found = verify(capsys, path)
    assert (status, found["verified"], found["probes"]["n_equal"]) == (0, True, 8)
    for change in (
        lambda v: v["members"].pop(),
        lambda v: v["members"][1].update(evidence=None, bias=[9.0, -9.0]),
    ):
        other = searched._replace(path=path).changed(tmp_path / "b.json", change)
        status, found = verify(capsys, other)
        assert (status, found["verified"]) == (1, False)
        assert found["probes"]["largest"] > 0


def test_comparing_is_by_bits_without_a_tolerance() -> None:
    """Derived by hand: log-probabilities of two probes, moved by 0, then 2**-53 and 0.5."""
    prompt = make_prompt(bias=(0.0, 0.0))
    half = float(np.log(0.5))
    probes = (probe_of("a", "neg", half, half), probe_of("b", "pos", half, half))
    found = np.array([[half, half], [half, np.nextafter(half, 0)]])
    exact = compare([prompt], probes, found, 0.0)
    assert (exact.n_equal, exact.n_within, exact.holds) == (1, 1, False)
    assert exact.n_relabelled == 1  # a tie goes to the first label, and it is no tie any more
    far = compare([prompt], probes, found - 0.5, 0.4)
    assert (far.n_within, far.largest) == (0, pytest.approx(0.5))
    assert compare([prompt], probes, found - 0.5, 0.51).holds


def test_the_coarser_dtype_decides() -> None:
    assert tolerance("float32", "float32") == 1e-3
    assert tolerance("float32", "bfloat16") == 0.25
    assert tolerance("float64", "float32") == 1e-3
    assert tolerance("float8", "float64") == 1e-6
