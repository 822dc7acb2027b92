"""The answer store: what is kept comes back, what is broken is absent, nothing ever fails."""

import multiprocessing
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing.synchronize import Barrier
from pathlib import Path
from threading import Barrier as ThreadBarrier
from threading import Timer
from typing import Any

import pytest

from modules.lm.store import AnswerStore

VALUES = {f"key {n}".encode(): f"value {n} ".encode() * 40 for n in range(400)}
KEYS = list(VALUES)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database with values, closed."""
    path = tmp_path / "answers.sqlite3"
    store = AnswerStore(path)
    store.put(VALUES)
    store.close()
    return path


def sql(path: Path, query: str, *values: object) -> list[Any]:
    """Run a query on the file itself."""
    with closing(sqlite3.connect(path)) as database, database:
        return database.execute(query, values).fetchall()


def keys_in(path: Path) -> set[bytes]:
    return {key for (key,) in sql(path, "SELECT key FROM answers")}


def test_what_was_put_comes_back_here_and_from_a_new_store(tmp_path: Path) -> None:
    values = {b"": b"", b"a": b"", b"\x00\xff": b"\x00" * 100_000, b"b": bytes(range(256))}
    store = AnswerStore(tmp_path / "answers.sqlite3")
    store.put(values)
    assert store.get(list(values)) == values
    assert AnswerStore(store.path).get(list(values)) == values


def test_put_again_replaces(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "answers.sqlite3")
    store.put({b"a": b"one", b"b": b"two"})
    store.put({b"a": b"three"})
    assert store.get([b"a", b"b"]) == {b"a": b"three", b"b": b"two"}


def test_absent_keys_are_left_out(path: Path) -> None:
    store = AnswerStore(path)
    assert store.get([b"none", KEYS[3], b"KEY 3", b""]) == {KEYS[3]: VALUES[KEYS[3]]}
    assert store.get([]) == {}
    assert AnswerStore(path.with_name("new.sqlite3")).get([b"none"]) == {}


@pytest.mark.parametrize("n", [499, 500, 501, 1000, 1733])
def test_many_keys_in_one_get(tmp_path: Path, n: int) -> None:
    values = {n.to_bytes(32, "big"): str(n).encode() for n in range(n)}
    store = AnswerStore(tmp_path / "answers.sqlite3")
    store.put(values)
    assert store.get([*values, b"none", *values]) == values


def test_nothing_put_is_nothing_kept(path: Path) -> None:
    AnswerStore(path).put({})
    assert keys_in(path) == set(KEYS)


def test_a_closed_store_opens_again(path: Path) -> None:
    store = AnswerStore(path)
    for _ in range(2):
        store.close()
        assert store.get(KEYS[:2]) == {key: VALUES[key] for key in KEYS[:2]}


DAMAGES: dict[str, Callable[[bytes], object]] = {
    "a flipped bit of the value": lambda sealed: sealed[:-1] + bytes([sealed[-1] ^ 1]),
    "a flipped bit of the digest": lambda sealed: bytes([sealed[0] ^ 128]) + sealed[1:],
    "truncated": lambda sealed: sealed[:-1],
    "truncated to the digest": lambda sealed: sealed[:16],
    "truncated within the digest": lambda sealed: sealed[:5],
    "empty": lambda sealed: b"",
    "longer": lambda sealed: sealed + b"\x00",
    "text": lambda sealed: "value 7",
    "a number": lambda sealed: 7,
    "a fraction": lambda sealed: 0.5,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_value_is_absent_and_dropped(path: Path, damage: str) -> None:
    (sealed,) = sql(path, "SELECT value FROM answers WHERE key = ?", KEYS[7])[0]
    sql(path, "UPDATE answers SET value = ? WHERE key = ?", DAMAGES[damage](sealed), KEYS[7])
    _check_dropped(path, KEYS[7])


def test_a_value_under_the_key_of_another_is_absent_and_dropped(path: Path) -> None:
    other = "(SELECT value FROM answers WHERE key = ?)"
    sql(path, f"UPDATE answers SET value = {other} WHERE key = ?", KEYS[8], KEYS[7])
    _check_dropped(path, KEYS[7])


def test_a_value_that_became_undecodable_text_is_absent_and_dropped(path: Path) -> None:
    """One bit of a record's header tells a blob from text."""
    sql(path, "UPDATE answers SET value = CAST(x'00ff80' AS TEXT) WHERE key = ?", KEYS[7])
    _check_dropped(path, KEYS[7])


def test_a_value_that_became_undecodable_text_can_be_put_again(path: Path) -> None:
    sql(path, "UPDATE answers SET value = CAST(x'00ff80' AS TEXT) WHERE key = ?", KEYS[7])
    store = AnswerStore(path)
    found = store.get(KEYS)
    assert KEYS[7] not in found
    assert found.items() <= VALUES.items()
    store.put({KEYS[7]: VALUES[KEYS[7]]})
    assert store.get(KEYS) == VALUES


def _check_dropped(path: Path, key: bytes) -> None:
    expected = {k: v for k, v in VALUES.items() if k != key}
    store = AnswerStore(path)
    assert store.get(KEYS) == expected
    assert keys_in(path) == set(expected)
    assert store.get([key]) == {}
    store.put({key: b"new"})
    assert AnswerStore(path).get(KEYS) == expected | {key: b"new"}


BREAKS: dict[str, Callable[[bytes], bytes]] = {
    "garbage": lambda whole: b"no database " * 1000,
    "one byte": lambda whole: b"x",
    "zeros": lambda whole: bytes(len(whole)),
    "garbage behind the header": lambda whole: whole[:100] + b"x" * (len(whole) - 100),
    "half": lambda whole: whole[: len(whole) // 2],
    "half, within a page": lambda whole: whole[: len(whole) // 2 + 77],
    "all but the last byte": lambda whole: whole[:-1],
    "the first page": lambda whole: whole[:4096],
    "the header": lambda whole: whole[:100],
    "nothing": lambda whole: b"",
    "the second page lost": lambda whole: whole[:4096] + bytes(4096) + whole[8192:],
    "unknown page size": lambda whole: whole[:16] + b"\x00\x03" + whole[18:],
    "unknown text encoding": lambda whole: whole[:59] + b"\x09" + whole[60:],
    "unknown way to write": lambda whole: whole[:18] + b"\x09" + whole[19:],
    "unknown way to read": lambda whole: whole[:19] + b"\x09" + whole[20:],
}
NOT_REPLACED: dict[str, Callable[[bytes], bytes]] = {
    "unknown schema format": lambda whole: whole[:47] + b"\x09" + whole[48:],
    "a column of another name": lambda whole: whole.replace(b"value BLOB", b"valve BLOB"),
}


@pytest.mark.parametrize("damage", BREAKS)
def test_a_broken_file_is_replaced(path: Path, damage: str) -> None:
    _check_replaced(path, BREAKS[damage])


@pytest.mark.parametrize("damage", NOT_REPLACED)
def test_a_file_of_another_format_is_replaced(path: Path, damage: str) -> None:
    _check_replaced(path, NOT_REPLACED[damage])


def _check_replaced(path: Path, damage: Callable[[bytes], bytes]) -> None:
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert path.read_bytes() != whole
    store = AnswerStore(path)
    assert store.get(KEYS).items() <= VALUES.items()
    store.put(VALUES)
    assert store.get(KEYS) == VALUES
    assert AnswerStore(path).get(KEYS) == VALUES


def test_a_broken_file_is_replaced_by_put_too(path: Path) -> None:
    path.write_bytes(b"no database " * 1000)
    store = AnswerStore(path)
    for _ in range(2):  # the first finds it broken
        store.put({b"a": b"b"})
    assert AnswerStore(path).get([b"a"]) == {b"a": b"b"}


def test_a_file_that_breaks_while_it_is_open_is_replaced(path: Path) -> None:
    store = AnswerStore(path)
    assert store.get(KEYS[:1])
    path.write_bytes(b"no database " * 1000)
    for _ in range(3):
        assert store.get(KEYS).items() <= VALUES.items()
        store.put(VALUES)
    store.close()
    for _ in range(2):
        assert store.get(KEYS).items() <= VALUES.items()
        store.put(VALUES)
    assert AnswerStore(path).get(KEYS) == VALUES


def test_a_broken_file_that_cannot_be_deleted_never_raises(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError("in use by another process")

    path.write_bytes(b"no database " * 1000)
    monkeypatch.setattr(Path, "unlink", refuse)
    store = AnswerStore(path)
    store.put(VALUES)
    assert store.get(KEYS) == {}


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "answers.sqlite3"
    AnswerStore(path).put({b"a": b"b"})
    assert AnswerStore(path).get([b"a"]) == {b"a": b"b"}


def test_nothing_is_made_before_the_first_use(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "a" / "answers.sqlite3")
    store.close()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("there", ["a folder", "a file for the folder", "a file above the folder"])
def test_a_place_that_cannot_be_written_is_an_empty_store(tmp_path: Path, there: str) -> None:
    path = tmp_path / "a" / "b" / "answers.sqlite3"
    if there == "a folder":
        path.mkdir(parents=True)
    else:
        file = path.parent if there == "a file for the folder" else path.parent.parent
        file.parent.mkdir(exist_ok=True)
        file.write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    store = AnswerStore(path)
    for _ in range(2):
        assert store.get([b"a"]) == {}
        store.put({b"a": b"b"})
    store.close()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_locked_file_loses_the_write_and_works_again(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("modules.lm.store._BUSY_SECONDS", 0.05)
    store = AnswerStore(path)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        store.put({b"a": b"b"})
        other.execute("ROLLBACK")
    assert store.get([b"a", KEYS[0]]) == {KEYS[0]: VALUES[KEYS[0]]}
    store.put({b"a": b"b"})
    assert store.get([b"a"]) == {b"a": b"b"}


def test_beyond_the_limit_the_older_half_goes(tmp_path: Path) -> None:
    path, limit = tmp_path / "answers.sqlite3", 200_000
    store = AnswerStore(path, limit)
    keys = [bytes([255 - n]) for n in range(200)]  # the newest stands first by its key
    for n, key in enumerate(keys, start=1):
        store.put({key: key * 5000})
        there = store.get(keys)
        if len(there) < n:
            break
        sql(path, "UPDATE answers SET written = ? WHERE key = ?", n, key)
    assert 10 < n < 200
    assert list(store.get(keys[:n])) == sorted(keys[n // 2 : n])
    assert n * 5000 > limit * 0.5
    store.put({b"one more": b"x"})  # what the half left free is no reason to drop another
    assert list(store.get(keys[:n])) == sorted(keys[n // 2 : n])
    store.close()
    pages, free, size = (
        sql(path, f"PRAGMA {name}")[0][0] for name in ("page_count", "freelist_count", "page_size")
    )
    assert (pages - free) * size <= limit * 0.7


def test_the_file_stays_near_its_limit_however_much_is_written(tmp_path: Path) -> None:
    path, limit = tmp_path / "answers.sqlite3", 200_000
    store = AnswerStore(path, limit)
    for n in range(300):
        store.put({n.to_bytes(2, "big"): bytes(5000)})
    store.close()
    assert path.stat().st_size < 1.2 * limit


def test_nothing_goes_below_the_limit(path: Path) -> None:
    store = AnswerStore(path, limit=4 * path.stat().st_size)
    store.put({b"a": b"b"})
    assert store.get(KEYS) == VALUES


def _values(who: int, file: int) -> dict[bytes, bytes]:
    return {f"{who} {file} {n}".encode(): bytes(1000 + n) for n in range(20)}


def _write_files(paths: Sequence[Path], who: int, barrier: "Barrier | ThreadBarrier") -> None:
    """Write to each file at the same moment as the others, value by value."""
    for number, path in enumerate(paths):
        store = AnswerStore(path)
        barrier.wait(60)
        for key, value in _values(who, number).items():
            store.put({key: value})
        store.close()


def _made(paths: Sequence[Path]) -> Sequence[Path]:
    """Make the files, so that the writers meet in their writes alone."""
    for path in paths:
        store = AnswerStore(path)
        store.put({})
        store.close()
    return paths


def _check_all_there(paths: Sequence[Path], n_writers: int) -> None:
    for number, path in enumerate(paths):
        values = {k: v for who in range(n_writers) for k, v in _values(who, number).items()}
        assert AnswerStore(path).get(list(values)) == values


def test_two_processes_lose_nothing(tmp_path: Path) -> None:
    paths = _made([tmp_path / f"{n}" / "answers.sqlite3" for n in range(20)])
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(2)
    worker = context.Process(target=_write_files, args=(paths, 1, barrier))
    worker.start()
    _write_files(paths, 0, barrier)
    worker.join(60)
    assert worker.exitcode == 0
    _check_all_there(paths, 2)


def test_a_new_file_that_another_is_just_making_loses_nothing(tmp_path: Path) -> None:
    """The other holds the lock for a moment, as one does that changes the file to WAL."""
    path = tmp_path / "answers.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        timer = Timer(0.3, other.execute, ["COMMIT"])
        timer.start()
        AnswerStore(path).put({b"a": b"b"})
        timer.join()
    assert AnswerStore(path).get([b"a"]) == {b"a": b"b"}


def test_threads_with_a_store_each_lose_nothing(tmp_path: Path) -> None:
    paths = _made([tmp_path / f"{n}.sqlite3" for n in range(20)])
    barrier = ThreadBarrier(4)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda who: _write_files(paths, who, barrier), range(4)))
    _check_all_there(paths, 4)


def test_threads_with_one_store_lose_nothing(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "answers.sqlite3")

    def work(who: int) -> bool:
        values = _values(who, 0)
        for key, value in values.items():
            store.put({key: value})
            assert store.get([key, b"none"]) == {key: value}
        return store.get(list(values)) == values

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(4)))
    _check_all_there([store.path], 4)
