"""`burnish predict`: every row labelled once, the same bytes after any kill, mistakes in a line."""

import csv
import io
import json
import random
import signal
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from burnish import Answer, load, predict
from burnish.__main__ import main
from modules.errors import UserError, exit_code
from modules.prompts import load_artifact
from tests.burnish_tests.frozen import freeze
from tests.burnish_tests.labelling_process import start
from tests.modules_tests.programs.task import make_prompt

NEW = ["label", "confidence", "outcome"]


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return freeze(tmp_path_factory.mktemp("frozen"), make_prompt())


def some_texts(n: int) -> list[str]:
    rng = random.Random(1)
    texts = ["".join(rng.choices('abdegil mnorst,"\n', k=rng.randint(1, 60))) for _ in range(n)]
    texts[:4] = ["", " ", "a " * 3000, "007"]
    return texts


def csv_of(path: Path, n: int) -> Path:
    frame = pd.DataFrame({"id": [f"{i:05}" for i in range(n)], "text": some_texts(n)})
    frame.to_csv(path, index=False)
    return path


def arguments(frozen: Path, data: Path | str, *more: str | Path) -> list[str]:
    return [str(part) for part in (frozen, "--data", data, *more)]


def run(frozen: Path, data: Path | str, *more: str | Path) -> int | None:
    return main(["predict", *arguments(frozen, data, *more)])


def fake(monkeypatch: pytest.MonkeyPatch, answer: Callable[[str], Answer]) -> list[int]:
    """Put a classifier that needs no model in the command's way; give the sizes of its calls."""
    sizes: list[int] = []

    def classify(texts: Sequence[str], _: object) -> list[Answer]:
        sizes.append(len(texts))
        return [answer(text) for text in texts]

    classify.model = SimpleNamespace(  # type: ignore[attr-defined]
        identity=SimpleNamespace(dtype="d", processor="p")
    )
    classify.artifact = SimpleNamespace(sha256="s")  # type: ignore[attr-defined]
    monkeypatch.setattr(predict, "_classifier", lambda *_: classify)
    return sizes


def by_length(text: str) -> Answer:
    p = 1 / (1 + len(text))
    return Answer(label="n" if p < 0.1 else "y", confidence=p, probabilities={}, outcome="ok")


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


class Killed(BaseException):
    """What stands for SIGKILL where the moment has to be exact: nothing catches it."""


@pytest.mark.parametrize("ending", [".csv", ".jsonl", ".parquet"])
def test_stopped_anywhere_it_ends_with_the_same_bytes(
    monkeypatch: pytest.MonkeyPatch, frozen: Path, tmp_path: Path, ending: str
) -> None:
    """Stopped before and after each step on the disk, and in each batch."""
    data = csv_of(tmp_path / "a.csv", 20)
    fake(monkeypatch, by_length)
    first, out = tmp_path / f"whole{ending}", tmp_path / f"b{ending}"
    run(frozen, data, "--out", first, "--batch", "3")
    whole = first.read_bytes()
    n_steps = left = 0

    def step() -> None:
        nonlocal n_steps, left
        n_steps, left = n_steps + 1, left - 1
        if left == 0:
            raise Killed

    def around(owner: Any, name: str) -> None:
        does = getattr(owner, name)

        def stepped(*given: Any, **named: Any) -> Any:
            step()
            result = does(*given, **named)
            step()
            return result

        monkeypatch.setattr(owner, name, stepped)

    for owner, name in (
        ("burnish.journal.Journal", "append"),
        ("burnish.journal.Journal", "seal"),
        ("burnish.journal.Journal", "remove"),
        ("pathlib.Path", "replace"),
    ):
        module, _, cls = owner.rpartition(".")
        around(getattr(sys.modules[module], cls), name)
    run(frozen, data, "--out", out, "--batch", "3")
    total = n_steps
    assert total == 2 * (7 + 3)
    for moment in range(1, total + 1):
        out.unlink()
        left = moment
        with pytest.raises(Killed):
            run(frozen, data, "--out", out, "--batch", "3")
        left = 0
        if out.exists() and moment == total:  # it was all done
            assert not (tmp_path / f"{out.name}.partial").exists()
        else:
            run(frozen, data, "--out", out, "--batch", "3")
        assert out.read_bytes() == whole
        assert {path.name for path in tmp_path.iterdir()} == {"a.csv", first.name, out.name}


def test_killed_at_random_it_ends_with_the_same_bytes(frozen: Path, tmp_path: Path) -> None:
    data = csv_of(tmp_path / "a.csv", 100)
    whole, out = tmp_path / "whole.parquet", tmp_path / "b.parquet"
    given = arguments(frozen, data, "--batch", "4", "--out")
    for _ in range(2):  # the first one also starts the server
        begun = time.monotonic()
        process = start([*given, str(whole), "--force"])
        process.join()
        assert process.exitcode == 0
    lasted = time.monotonic() - begun
    rng = random.Random(0)
    n_kills = 0
    while n_kills < 20 or not out.exists():
        out.unlink(missing_ok=True)
        process = start([*given, str(out)])
        process.join(rng.uniform(0, lasted) if n_kills < 20 else None)
        process.kill()
        process.join()
        assert process.exitcode in (0, -signal.SIGKILL)
        n_kills += process.exitcode != 0
        if out.exists():
            assert out.read_bytes() == whole.read_bytes()
    (tmp_path / "b.parquet.partial").unlink(missing_ok=True)  # killed behind the rename
    assert {path.name for path in tmp_path.iterdir()} == {"a.csv", whole.name, out.name}


def test_what_is_done_is_not_done_again(
    monkeypatch: pytest.MonkeyPatch,
    frozen: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    data = csv_of(tmp_path / "a.csv", 50)

    def stops(text: str) -> Answer:
        if sum(sizes) > 30:
            raise KeyboardInterrupt
        return by_length(text)

    sizes = fake(monkeypatch, stops)
    assert exit_code(lambda: run(frozen, data, "--batch", "10")) == 130
    assert "run the same command again to go on" in capsys.readouterr().err
    assert sizes == [10, 10, 10, 10]
    sizes = fake(monkeypatch, by_length)
    run(frozen, data, "--batch", "10")
    assert sizes == [10, 10]
    printed = capsys.readouterr().out
    assert "going on behind row 30" in printed
    assert "50 rows; 20 labelled in" in printed


def test_another_input_does_not_go_on(
    monkeypatch: pytest.MonkeyPatch, frozen: Path, tmp_path: Path
) -> None:
    data = csv_of(tmp_path / "a.csv", 20)
    fake(monkeypatch, lambda _: 1 / 0)  # type: ignore[arg-type,return-value]
    with pytest.raises(ZeroDivisionError):
        run(frozen, data)
    data.write_bytes(data.read_bytes().replace(b"007", b"008"))
    sizes = fake(monkeypatch, by_length)
    with pytest.raises(UserError, match=r"a\.labelled\.csv\.partial was begun with another data"):
        run(frozen, data)
    with pytest.raises(UserError, match="another data and another text column"):
        run(frozen, data, "--text-column", "id")
    assert sizes == []
    run(frozen, data, "--force")
    assert sizes == [20]


def test_data_that_change_meanwhile_are_not_written(
    monkeypatch: pytest.MonkeyPatch, frozen: Path, tmp_path: Path
) -> None:
    data = csv_of(tmp_path / "a.csv", 20)

    def changes(text: str) -> Answer:
        data.write_bytes(data.read_bytes() + b"1,more\n")
        return by_length(text)

    fake(monkeypatch, changes)
    with pytest.raises(UserError, match="changed while it was read; nothing was written"):
        run(frozen, data)
    assert not (tmp_path / "a.labelled.csv").exists()


def test_a_finished_file_is_kept(
    monkeypatch: pytest.MonkeyPatch, frozen: Path, tmp_path: Path
) -> None:
    data = csv_of(tmp_path / "a.csv", 20)
    fake(monkeypatch, by_length)
    out = tmp_path / "a.labelled.csv"
    out.write_bytes(b"mine")
    with pytest.raises(UserError, match=r"a\.labelled\.csv exists; give another --out, or --force"):
        run(frozen, data)
    (tmp_path / "a.labelled.csv.partial").write_bytes(b"")
    with pytest.raises(UserError, match="exists; give another"):
        run(frozen, data)
    assert out.read_bytes() == b"mine"
    with pytest.raises(UserError, match="is the data; give another --out"):
        run(frozen, data, "--out", data, "--force")
    run(frozen, data, "--force")
    assert len(out.read_bytes()) > 100


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
