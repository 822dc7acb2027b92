"""`burnish predict` stopped and run again: the same bytes, no work twice, nothing overwritten."""

import random
import signal
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from burnish import Answer
from modules.errors import UserError, exit_code
from tests.burnish_tests.frozen import freeze
from tests.burnish_tests.labelling_process import start
from tests.burnish_tests.predicting import arguments, by_length, csv_of, fake, run
from tests.modules_tests.programs.task import make_prompt


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return freeze(tmp_path_factory.mktemp("frozen"), make_prompt())


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
