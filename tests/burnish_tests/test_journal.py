"""The journal: whatever a kill leaves of it, what is read back is whole batches of its own."""

from pathlib import Path

import pytest

from burnish.journal import Journal
from burnish.tables import Added
from modules.errors import UserError

IDENTITY = {"frozen prompt": "a" * 64, "data": "b" * 64}
ANSWERS = [Added("ñ\n", 0.1 + 0.2, "ok"), Added(None, None, "invalid"), Added("b", 1e-300, "ok")]


def written(path: Path, n_batches: int = 3) -> bytes:
    with Journal(path, IDENTITY, 3) as journal:
        for _ in range(n_batches):
            journal.append(ANSWERS)
    return path.read_bytes()


def test_what_was_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.partial"
    written(path)
    with Journal(path, IDENTITY, 3) as journal:
        assert journal.n_rows == 9
        assert list(journal.answers()) == ANSWERS * 3
        journal.append(ANSWERS[:1])
        assert list(journal.answers()) == [*ANSWERS * 3, ANSWERS[0]]
        journal.remove()
    assert not path.exists()


def test_any_beginning_of_it_is_gone_on_with(tmp_path: Path) -> None:
    """As if the process had been killed behind any byte."""
    path = tmp_path / "a.partial"
    whole = written(path)
    head = whole.index(b"\n") + 1
    lines = whole[head:].splitlines(keepends=True)
    ends = [head + len(b"".join(lines[: 3 * n])) for n in range(4)]
    for cut in range(len(whole) + 1):
        path.write_bytes(whole[:cut])
        with Journal(path, IDENTITY, 3) as journal:
            n_batches = sum(end <= cut for end in ends[1:])
            assert journal.n_rows == 3 * n_batches
            for _ in range(3 - n_batches):
                journal.append(ANSWERS)
        assert path.read_bytes() == whole


@pytest.mark.parametrize("damage", [b"\0" * 30, b"[1,2]\n", b"{\n", b"null\n"])
def test_what_stands_behind_a_broken_line_is_dropped(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "a.partial"
    whole = written(path)
    first = len(written(tmp_path / "b.partial", 1))
    path.write_bytes(whole[:first] + damage + whole[first:])
    with Journal(path, IDENTITY, 3) as journal:
        assert journal.n_rows == 3
    assert path.read_bytes() == whole[:first]


def test_another_batch_size_keeps_what_is_a_multiple_of_it(tmp_path: Path) -> None:
    path = tmp_path / "a.partial"
    written(path)
    with Journal(path, IDENTITY, 4) as journal:
        assert journal.n_rows == 8
        assert list(journal.answers()) == (ANSWERS * 3)[:8]


def test_the_seal_keeps_every_row(tmp_path: Path) -> None:
    path = tmp_path / "a.partial"
    written(path)
    with Journal(path, IDENTITY, 3) as journal:
        journal.append(ANSWERS[:2])
        journal.seal("c" * 64)
    with Journal(path, IDENTITY, 3) as journal:
        assert journal.n_rows == 11
        assert journal.seal_found == "c" * 64
    with Journal(path, IDENTITY, 3) as journal:  # the seal was taken off
        assert journal.n_rows == 9
        assert journal.seal_found is None


def test_another_journal_is_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.partial"
    whole = written(path)
    other = IDENTITY | {"data": "c" * 64}
    with pytest.raises(UserError, match=r"begun with another data: .* begin anew with --force"):
        Journal(path, other, 3)
    with pytest.raises(UserError, match="another frozen prompt and another data"):
        Journal(path, dict.fromkeys(IDENTITY, "d"), 3)
    assert path.read_bytes() == whole
    with Journal(path, other, 3, anew=True) as journal:
        assert journal.n_rows == 0
    with Journal(path, other, 3, anew=True) as journal:
        journal.append(ANSWERS)
    with Journal(path, other, 3, anew=True) as journal:  # one's own is gone on with all the same
        assert journal.n_rows == 3


@pytest.mark.parametrize("content", [b"my notes\n", b"{}\n", b"\xff\x00", b"[" * 100_000])
def test_a_file_that_is_no_journal_is_refused_and_kept(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.partial"
    path.write_bytes(content)
    with pytest.raises(UserError, match="is not the journal of a labelling: move it away"):
        Journal(path, IDENTITY, 3, anew=True)
    assert path.read_bytes() == content


def test_one_process_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "a.partial"
    with Journal(path, IDENTITY, 3), pytest.raises(UserError, match="another process is writing"):
        Journal(path, IDENTITY, 3)
    with pytest.raises(UserError, match=r"cannot write .*: No such file"):
        Journal(tmp_path / "no" / "a", IDENTITY, 3)


def test_a_full_disk_loses_nothing(tmp_path: Path) -> None:
    with (
        Journal(tmp_path / "a.partial", IDENTITY, 3) as journal,
        Path("/dev/full").open("wb", buffering=0) as full,
    ):
        journal.append(ANSWERS)
        own, journal._file = journal._file, full
        with pytest.raises(UserError, match="No space left on device; run the same command"):
            journal.append(ANSWERS)
        journal._file = own
        assert journal.n_rows == 3
