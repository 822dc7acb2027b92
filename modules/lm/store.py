"""The answer store: what a model computed, kept on disk for the next run.

One SQLite file, shared by processes. Every value carries a digest of itself and of its key; one
that does not fit is dropped and computed again, and so is a file that is no database.
"""

import hashlib
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

DEFAULT_LIMIT = 2**30

_DIGEST_BYTES = 16
_BUSY_SECONDS = 30.0
_RETRY_SECONDS = 0.01
_KEYS_A_QUERY = 500
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    key BLOB PRIMARY KEY, value BLOB NOT NULL, written INTEGER NOT NULL DEFAULT (unixepoch())
) WITHOUT ROWID
"""
_DROP_OLDER_HALF = """
DELETE FROM answers WHERE key IN
    (SELECT key FROM answers ORDER BY written LIMIT (SELECT count(*) / 2 FROM answers))
"""


class Store(Protocol):
    """Values by key; what is absent is computed again."""

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Give the values that are there, by key."""

    def put(self, values: Mapping[bytes, bytes]) -> None:
        """Keep values; what is there already is written again."""


class MemoryStore:
    """A store that lasts as long as this object."""

    def __init__(self) -> None:
        self._values: dict[bytes, bytes] = {}

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Give the values that are there, by key."""
        return {key: self._values[key] for key in keys if key in self._values}

    def put(self, values: Mapping[bytes, bytes]) -> None:
        """Keep values."""
        self._values.update(values)


class AnswerStore:
    """Values by key, in one file.

    A store never fails its caller: what cannot be read is absent, what cannot be written is lost.

    Args:
        path: the database; made with its folder if absent, made again if it is broken.
        limit: bytes of the file; when it is passed, the older half of the entries goes.
    """

    def __init__(self, path: Path, limit: int = DEFAULT_LIMIT) -> None:
        self.path = path
        self.limit = limit
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def get(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        """Give the values that are there, by key."""
        found: dict[bytes, bytes] = {}

        def read(database: sqlite3.Connection) -> None:
            broken: list[tuple[bytes]] = []
            for at in range(0, len(keys), _KEYS_A_QUERY):
                some = keys[at : at + _KEYS_A_QUERY]
                marks = ",".join("?" * len(some))
                query = f"SELECT key, value FROM answers WHERE key IN ({marks})"
                for key, sealed in database.execute(query, some):
                    value = _checked(key, sealed)
                    if value is None:
                        broken.append((key,))
                    else:
                        found[key] = value
            if broken:
                database.executemany("DELETE FROM answers WHERE key = ?", broken)

        self._run(read)
        return found

    def put(self, values: Mapping[bytes, bytes]) -> None:
        """Keep values; what is there already is written again."""
        rows = [(key, _seal(key, value)) for key, value in values.items()]

        def write(database: sqlite3.Connection) -> None:
            database.executemany("INSERT OR REPLACE INTO answers (key, value) VALUES (?, ?)", rows)
            if _n_bytes(database) > self.limit:
                database.execute(_DROP_OLDER_HALF)

        self._run(write)

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            self._forget()

    def _run(self, work: Callable[[sqlite3.Connection], None]) -> None:
        """Do work in one transaction; one that fails is undone. A broken file is deleted."""
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = self._connect()
                with self._connection as database:
                    work(database)
            except OSError:
                self._forget()
            except sqlite3.DatabaseError as error:
                self._forget()
                if _is_broken(error):
                    self._delete()

    def _delete(self) -> None:
        with suppress(OSError):
            for end in ("", "-wal", "-shm"):
                self.path.with_name(self.path.name + end).unlink(missing_ok=True)

    def _connect(self) -> sqlite3.Connection:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        database = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, check_same_thread=False)
        database.text_factory = bytes  # a value that became text need not be UTF-8
        _change_to_wal(database)
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute(_SCHEMA)
        return database

    def _forget(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None


def _change_to_wal(database: sqlite3.Connection) -> None:
    """Let readers and a writer work side by side; SQLite does not wait for the lock by itself."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            database.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_SECONDS)
        else:
            return


def _is_broken(error: sqlite3.DatabaseError) -> bool:
    """Whether the file is at fault: not a lock held for too long, a full disk, a folder's rights.

    SQLITE_ERROR is what another format gives: a column or a page layout that is unknown.
    """
    if isinstance(error, sqlite3.OperationalError):
        return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_ERROR
    return True


def _n_bytes(database: sqlite3.Connection) -> int:
    """Give the bytes in use: pages that deletions left free are not counted."""
    pages, free, size = (
        database.execute(f"PRAGMA {name}").fetchone()[0]
        for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _digest(key: bytes, value: bytes) -> bytes:
    return hashlib.sha256(key + value).digest()[:_DIGEST_BYTES]


def _seal(key: bytes, value: bytes) -> bytes:
    return _digest(key, value) + value


def _checked(key: bytes, sealed: object) -> bytes | None:
    """Give the value, or None if it is not what was written under this key."""
    if not isinstance(sealed, bytes):
        return None
    value = sealed[_DIGEST_BYTES:]
    return value if sealed[:_DIGEST_BYTES] == _digest(key, value) else None
