"""The task that it all began with, from one command, with miniature models."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import pandas as pd
import pytest

from burnish.__main__ import main
from evaluate.ladder import NAMES
from evaluate.loaded import load_evaluation
from modules.errors import exit_code
from tests.evaluate_tests import slm_models


class Compared(NamedTuple):
    """A finished comparison: its folders, and what it printed."""

    out: Path
    artifacts: Path
    models: tuple[str, str]
    arguments: tuple[str, ...]
    printed: str


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Compared:
    root = tmp_path_factory.mktemp("slm")
    models = tuple(str(path) for path in slm_models.write_models(root))
    arguments = (
        *("compare", "--preset", "slm-comparison", "--models", *models),
        *("--data-folder", str(slm_models.write_reviews(root / "imdb"))),
        *("--n-train", "16", "--n-dev", "20", "--n-confirm", "20", "--n-test", "60"),
        *("--budget-tokens", "12000", "--dtype", "float64", "--no-cache"),
        *("--half-width", "12", "--n-generated", "3", "--max-tokens", "3", "--n-parity", "2"),
        *("--artifacts", str(root / "artifacts"), "--out", str(root / "out")),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        printed = _printed(arguments)
    return Compared(root / "out", root / "artifacts", (models[0], models[1]), arguments, printed)


def _printed(arguments: Sequence[str]) -> str:
    """Run the command in this process and give what it wrote."""
    import contextlib
    import io

    with contextlib.redirect_stdout(io.StringIO()) as out:
        assert exit_code(lambda: main(list(arguments))) == 0
    return out.getvalue()


def test_every_prompt_of_the_ladder_at_both_temperatures(compared: Compared) -> None:
    rows = load_evaluation(compared.out).rows
    models = set(compared.models)
    asked = rows[rows["decoding"] != "classifier"]
    assert set(asked["model"]) == models
    for model in models:
        (other,) = models - {model}
        mine = asked[asked["model"] == model]
        assert set(mine["prompt"]) == {*NAMES[:-1], f"frozen for {other}"}
        for prompt, part in mine.groupby("prompt"):
            cells = part.groupby(["decoding", "temperature"])["seed"].agg(set).to_dict()
            assert cells == {
                ("choose", 0.0): {0},
                ("choose", 0.2): {0, 1, 2},
                ("choose", 0.8): {0, 1, 2},
                ("generate", 0.2): {0, 1, 2},
                ("generate", 0.8): {0, 1, 2},
            }, prompt
    n = asked.groupby(["model", "prompt", "decoding"])["example_id"].nunique()
    assert set(n[n.index.get_level_values("decoding") == "generate"]) == {3}
    assert set(rows["task"]) == {"imdb"}


def test_zero_is_positive(compared: Compared) -> None:
    gold = load_evaluation(compared.out).examples.set_index("text")["gold"]
    data = pd.concat(
        [
            pd.read_json(compared.out.parent / "imdb" / f"{name}.jsonl", lines=True)
            for name in ("train", "test")
        ]
    ).set_index("review")["label"]
    assert {(data[text], label) for text, label in gold.items()} == {
        (0, "positive"),
        (1, "negative"),
    }


def test_the_templates_of_the_models_are_read(compared: Compared) -> None:
    run = load_evaluation(compared.out).run
    shown = {
        (one.model.name, prompt.name): prompt.shown for one in run.models for prompt in one.prompts
    }
    phi, qwen = compared.models
    assert shown[phi, "naive"].startswith("<|user|>\n")
    assert shown[phi, "naive"].endswith("{review}<|end|>\n<|assistant|>\n")
    assert shown[qwen, "naive"].startswith("<|im_start|>system\nYou are a helpful assistant.")
    assert shown[qwen, "chain-of-thought"].endswith("<|im_start|>assistant\nReasoning:")
    assert shown[phi, "few-shot"].count("<|user|>") == 5  # two demos a label, and the input


def test_the_report_answers_the_questions(compared: Compared) -> None:
    text = (compared.out / "report.md").read_text(encoding="utf-8")
    for heading in (
        "How often the answers are right",
        "What temperature does",
        "How the prompts were found",
        "One prompt, another model",
        "What it costs",
        "Run it yourself",
    ):
        assert f"## {heading}" in text
    assert "Best here: " in text
    assert "burnish compare --preset slm-comparison" in text.replace("\\", "")
    assert (compared.out / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_the_same_command_again_runs_no_model_and_gives_the_same_bytes(
    compared: Compared, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("rows.parquet", "examples.parquet", "blocks.jsonl")
    before = {name: (compared.out / name).read_bytes() for name in names}
    frozen = {path: path.read_bytes() for path in compared.artifacts.rglob("*.json")}
    monkeypatch.chdir(compared.out.parent)
    monkeypatch.setattr("optimize.__main__.main", _never)
    monkeypatch.setattr("evaluate.grid._run", _never)
    _printed(compared.arguments)
    assert {name: (compared.out / name).read_bytes() for name in names} == before
    assert {path: path.read_bytes() for path in compared.artifacts.rglob("*.json")} == frozen


def test_the_report_alone_needs_neither_model_nor_data(
    compared: Compared, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = (compared.out / "report.html").read_bytes()
    monkeypatch.setattr("evaluate.comparison.load_recorded", _never)
    printed = _printed(["evaluate", "--task", "imdb", "--out", str(compared.out), "--report-only"])
    assert str(compared.out / "report.html") in printed
    assert (compared.out / "report.html").read_bytes() == page


def test_without_the_weights_one_line_says_what_to_download(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert exit_code(lambda: main(["compare", "--preset", "slm-comparison"])) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "phi-3-mini" in line
    assert "hf download microsoft/Phi-3-mini-4k-instruct" in line


def _never(*_: object, **__: object) -> None:
    raise AssertionError("nothing has to be run")
