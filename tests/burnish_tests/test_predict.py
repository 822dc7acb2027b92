"""`burnish predict`: every row is labelled, in any format, and a mistake is one line."""

import csv
import io
import json
import os
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from burnish import Answer, load, predict
from modules.errors import UserError, exit_code
from modules.prompts import load_artifact
from tests.burnish_tests.frozen import freeze
from tests.burnish_tests.predicting import by_length, csv_of, fake, run, some_texts
from tests.modules_tests.programs.task import make_prompt

NEW = ["label", "confidence", "outcome"]


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return freeze(tmp_path_factory.mktemp("frozen"), make_prompt())


def test_a_table_comes_out_with_the_classifier_s_answers(
    frozen: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = csv_of(tmp_path / "a.csv", 60)
    before = data.read_bytes()
    assert run(frozen, data, "--batch", "7") is None
    out = tmp_path / "a.labelled.csv"
    rows = list(csv.reader(out.open(newline="")))
    given = list(csv.reader(data.open(newline="")))
    assert [row[:2] for row in rows] == given
    assert rows[0][2:] == NEW
    found = load(frozen)([row[1] for row in given[1:]])
    assert [row[2] or None for row in rows[1:]] == [a.label for a in found]
    assert [float(row[3] or "nan") for row in rows[1:]] == pytest.approx(
        [a.confidence for a in found], abs=0, nan_ok=True
    )
    assert [row[4] for row in rows[1:]] == [a.outcome for a in found]
    assert [row[4] for row in rows[1:5]] == ["no_text", "no_text", "lm_error", "ok"]
    assert data.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.csv", "a.labelled.csv"]
    printed = capsys.readouterr().out
    n_neg = sum(a.label == "neg" for a in found)
    assert "60 rows; 60 labelled in" in printed
    assert f"neg       {n_neg:>2}  {n_neg / 60:6.1%}\n" in printed
    assert "no_text    2    3.3%\n" in printed
    assert "lm_error   1    1.7%\n" in printed
    assert f"  {out}\n" in printed


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("source", [".csv", ".jsonl", ".parquet"])
def test_all_formats_give_the_same_answers(
    monkeypatch: pytest.MonkeyPatch, frozen: Path, tmp_path: Path, source: str, ending: str
) -> None:
    fake(monkeypatch, by_length)
    texts = [text or "x" for text in some_texts(30)]
    frame = pd.DataFrame({"text": texts, "n": ["1"] * 30})
    data, out = tmp_path / f"a{source}", tmp_path / "out" / f"b{ending}"
    match source:
        case ".csv":
            frame.to_csv(data, index=False)
        case ".jsonl":
            frame.to_json(data, orient="records", lines=True)
        case _:
            frame.to_parquet(data)
    run(frozen, data, "--out", out, "--batch", "8")
    match ending:
        case ".csv" | ".tsv":
            read = pd.read_csv(out, sep="\t" if ending == ".tsv" else ",", dtype={"n": str})
        case ".jsonl":
            read = pd.read_json(out, lines=True, dtype={"n": str})
        case _:
            read = pd.read_parquet(out)
    assert list(read.columns) == ["text", "n", *NEW]
    assert read["text"].tolist() == texts
    assert read["label"].tolist() == [by_length(text).label for text in texts]
    assert read["confidence"].tolist() == pytest.approx([by_length(t).confidence for t in texts])


def test_a_prefix_makes_room(monkeypatch: pytest.MonkeyPatch, frozen: Path, tmp_path: Path) -> None:
    data = tmp_path / "a.csv"
    data.write_bytes(b"text,label\na,1\n")
    fake(monkeypatch, by_length)
    with pytest.raises(UserError, match="already has the column 'label'"):
        run(frozen, data)
    run(frozen, data, "--prefix", "model_")
    head = (tmp_path / "a.labelled.csv").read_text().splitlines()[0]
    assert head == "text,label,model_label,model_confidence,model_outcome"


@pytest.mark.parametrize("name", ["csv", "jsonl"])
def test_standard_input_is_answered_on_standard_output(
    monkeypatch: pytest.MonkeyPatch,
    frozen: Path,
    capfdbinary: pytest.CaptureFixture[bytes],
    name: str,
) -> None:
    sizes = fake(monkeypatch, by_length)
    data = {"csv": b"n,text\n01,ab\n02,c\n03,", "jsonl": b'{"text":"b"}\n{"text":"c"}\n{}\n'}[name]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    run(frozen, "-", "--format", name, "--batch", "2")
    out, err = capfdbinary.readouterr()
    assert sizes == [2, 1]
    assert (
        out.decode()
        == {
            "csv": "n,text,label,confidence,outcome\n"
            "01,ab,y,0.3333333333333333,ok\n02,c,y,0.5,ok\n03,,y,1.0,ok",
            "jsonl": '{"text":"b", "label": "y", "confidence": 0.5, "outcome": "ok"}\n'
            '{"text":"c", "label": "y", "confidence": 0.5, "outcome": "ok"}\n'
            '{"label": "y", "confidence": 1.0, "outcome": "ok"}\n',
        }[name]
    )
    assert b"3 rows; 3 labelled" in err


def test_a_reader_that_goes_away_is_no_error(
    monkeypatch: pytest.MonkeyPatch, frozen: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    def gone(text: str) -> Answer:
        raise BrokenPipeError

    fake(monkeypatch, gone)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"text\na\n")))
    monkeypatch.setattr(os, "dup2", lambda *_: None)
    assert run(frozen, "-") == 141
    assert "Traceback" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--data", "no.csv"], "there is no file no.csv"),
        (["--data", "a.txt"], "must end in one of .csv, .tsv, .jsonl, .parquet"),
        (["--text-column", "body"], "has no column 'body'; its columns are 'id', 'text'"),
        (["--out", "b.txt"], "must end in one of"),
        (["--batch", "0"], "--batch must be at least 1"),
        (["--dtype", "float8"], "unknown dtype 'float8'"),
        (["--data", "-", "--out", "b.csv"], "--out cannot go with it"),
    ],
    ids=lambda value: "".join(value) if isinstance(value, list) else None,
)
def test_a_mistake_is_one_line(
    frozen: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    message: str,
) -> None:
    data = csv_of(tmp_path / "a.csv", 5)
    assert exit_code(lambda: run(frozen, data, *more)) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert message in line
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_a_label_may_be_called_like_an_outcome(
    monkeypatch: pytest.MonkeyPatch,
    frozen: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fake(monkeypatch, lambda _: Answer(label="ok", confidence=1.0, probabilities={}, outcome="ok"))
    run(frozen, csv_of(tmp_path / "a.csv", 5))
    assert "  ok  5  100.0%\n" in capsys.readouterr().out


def test_label_names_cannot_write_to_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
    frozen: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    label = "\x1b[31m\n\u202e"
    fake(
        monkeypatch,
        lambda _: Answer(label=label, confidence=1.0, probabilities={}, outcome="ok"),
    )
    run(frozen, csv_of(tmp_path / "a.csv", 5), "--out", tmp_path / "b.jsonl")
    assert "  \\x1b[31m\\n\\u202e  5  100.0%\n" in capsys.readouterr().out
    assert json.loads((tmp_path / "b.jsonl").read_text().splitlines()[0])["label"] == label


@pytest.mark.parametrize("ending", [".csv", ".jsonl"])
def test_memory_is_bounded(
    monkeypatch: pytest.MonkeyPatch, frozen: Path, tmp_path: Path, ending: str
) -> None:
    """The peak does not grow with the rows, and is smaller than the larger table."""
    fake(monkeypatch, by_length)
    artifact = load_artifact(frozen)  # reading one takes 10 MB for a moment, which would hide much
    monkeypatch.setattr(predict, "load_artifact", lambda _: artifact)
    peaks = []
    for n in (1_500, 6_000):
        data, out = tmp_path / f"{n}{ending}", tmp_path / f"{n}.out{ending}"
        texts = [f"{i} {'and some words ' * 60}" for i in range(n)]
        frame = pd.DataFrame({"text": texts, "n": np.arange(n)})
        match ending:
            case ".csv":
                frame.to_csv(data, index=False)
            case _:
                frame.to_json(data, orient="records", lines=True)
        del frame, texts
        tracemalloc.start()
        run(frozen, data, "--out", out)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0] + 50_000
    assert peaks[1] < 3_500_000 < 6_000 * 60 * 15
