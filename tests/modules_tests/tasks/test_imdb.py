"""IMDB: the label polarity, the folder in each format, and the errors, without any network."""

import gzip
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import datasets
import huggingface_hub
import pandas as pd
import pytest

from modules.errors import UserError
from modules.tasks.imdb import DATASET, load_imdb

_ROWS = [
    {"review": "Wonderful.<br /><br />See it", "label": 0},
    {"review": "A &quot;mess&quot;", "label": 1},
]
_EXPECTED = [("Wonderful. See it", "positive"), ('A "mess"', "negative")]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BURNISH_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the network was touched")

    monkeypatch.setattr("httpx.Client.send", refuse)


def _write(folder: Path, name: str, ending: str, rows: list[dict[str, Any]]) -> None:
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}{ending}"
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    if ending == ".jsonl":
        path.write_text(lines)
    elif ending == ".jsonl.gz":
        path.write_bytes(gzip.compress(lines.encode()))
    elif ending == ".csv":
        pd.DataFrame(rows).to_csv(path, index=False)
    else:
        pd.DataFrame(rows).to_parquet(path)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.gz", ".csv", ".parquet"])
def test_a_folder_in_each_format_with_zero_as_positive(tmp_path: Path, ending: str) -> None:
    _write(tmp_path / "data", "train", ending, _ROWS)
    _write(tmp_path / "data", "test", ending, [{"review": "Fine", "label": 0}])
    loaded = load_imdb("review", tmp_path / "data")
    assert [(e.inputs["review"], e.label) for e in loaded.examples] == [
        *_EXPECTED,
        ("Fine", "positive"),
    ]
    assert loaded.revision is None
    assert not datasets.utils.are_progress_bars_disabled()


def test_empty_reviews_are_left_out_and_counted(tmp_path: Path) -> None:
    _write(tmp_path / "data", "train", ".jsonl", _ROWS)
    empty = [{"review": " ", "label": 0}, {"review": None, "label": 1}, {"review": "x", "label": 1}]
    _write(tmp_path / "data", "test", ".jsonl", empty)
    loaded = load_imdb("review", tmp_path / "data")
    assert (loaded.n_read, len(loaded.examples), loaded.left_out) == (5, 3, {"empty": 2})


def test_a_missing_or_doubled_file_is_named_with_the_layout(tmp_path: Path) -> None:
    _write(tmp_path / "data", "train", ".jsonl", _ROWS)
    with pytest.raises(UserError, match=r"--data-folder takes.*has 0 files for 'test'"):
        load_imdb("review", tmp_path / "data")
    _write(tmp_path / "data", "train", ".csv", _ROWS)
    with pytest.raises(UserError, match=r"2 files for 'train' train\.jsonl train\.csv"):
        load_imdb("review", tmp_path / "data")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        pytest.param(
            [{"text": "a", "label": 0}], "lacks 'review', it has text, label", id="column"
        ),
        pytest.param([{"review": "a", "label": 2}], "row 1 of test has 2", id="two"),
        pytest.param([{"review": "a", "label": "pos"}], "row 1 of test has 'pos'", id="word"),
        pytest.param([{"review": "a", "label": None}], "row 1 of test has None", id="null"),
        pytest.param([{"review": "a", "label": True}], "row 1 of test has True", id="bool"),
    ],
)
def test_wrong_rows_are_named(tmp_path: Path, rows: list[dict[str, Any]], message: str) -> None:
    _write(tmp_path / "data", "train", ".jsonl", _ROWS)
    _write(tmp_path / "data", "test", ".jsonl", rows)
    with pytest.raises(UserError, match=message):
        load_imdb("review", tmp_path / "data")


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    _write(tmp_path / "data", "train", ".jsonl", _ROWS)
    (tmp_path / "data" / "test.parquet").write_bytes(b"no parquet at all")
    with pytest.raises(UserError, match=r"test\.parquet cannot be read"):
        load_imdb("review", tmp_path / "data")


def _fake_hub(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []

    def load_dataset(name: str, revision: str, cache_dir: str) -> datasets.DatasetDict:
        assert name == DATASET
        asked.append(revision)
        return datasets.DatasetDict(train=datasets.Dataset.from_list(_ROWS))

    info = SimpleNamespace(sha="abc123")
    monkeypatch.setattr(
        huggingface_hub, "HfApi", lambda: SimpleNamespace(dataset_info=lambda _: info)
    )
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    return asked


def test_the_hub_is_read_at_the_commit_that_was_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _fake_hub(monkeypatch)
    loaded = load_imdb("review")
    assert asked == ["abc123"]
    assert loaded.revision == "abc123"
    assert [(e.inputs["review"], e.label) for e in loaded.examples] == _EXPECTED


def test_a_given_revision_pins_it(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = _fake_hub(monkeypatch)
    assert load_imdb("review", revision="def456").revision == "def456"
    assert asked == ["def456"]


@pytest.mark.parametrize("revision", [None, "def456"], ids=["look-up", "pinned"])
def test_no_network_is_one_clear_sentence(
    monkeypatch: pytest.MonkeyPatch, revision: str | None
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise ConnectionError("no route")

    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: SimpleNamespace(dataset_info=refuse))
    monkeypatch.setattr(datasets, "load_dataset", refuse)
    with pytest.raises(UserError, match=rf"{DATASET}.*no route.*--data-folder.*\.parquet"):
        load_imdb("review", revision=revision)
