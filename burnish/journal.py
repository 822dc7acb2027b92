"""The journal: answers in the order of a table's rows, on disk while a run goes on.

The first line says what the answers are of; every other line is one row's. A batch is appended with
one write, so a process that is killed leaves at most one torn line, and the next one goes on behind
the last whole batch. It holds answers only: the table is read again when all are there.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Any, NamedTuple

from burnish.tables import Added
from modules.errors import UserError
from modules.locked import open_locked

VERSION = 1

_MAX_HEAD = 65_536


class _Found(NamedTuple):
    """What a journal holds: whole answers, the byte behind them, and the seal, if it has one."""

    n_rows: int
    end: int
    seal: str | None


class Journal:
    """An open journal; no other process has it open.

    Args:
        path: the file, made if absent.
        identity: what the answers depend on, name to value; another journal is not gone on from.
        batch: rows of a batch: what is kept is a multiple of it.
        anew: begin anew where there is a journal of something else.

    Raises:
        UserError: the file is of something else, in use, or cannot be written.
    """

    def __init__(
        self, path: Path, identity: Mapping[str, str], batch: int, *, anew: bool = False
    ) -> None:
        self.path = path
        self.n_rows = 0
        self.seal_found: str | None = None
        self._head = _line({"journal": VERSION, **identity})
        self._file = open_locked(self.path)
        try:
            self._take_up(batch, anew)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def append(self, answers: Sequence[Added]) -> None:
        """Add a batch of answers.

        Raises:
            UserError: the disk refuses; what was there stays.
        """
        self._write(b"".join(map(_line, answers)))
        self.n_rows += len(answers)

    def answers(self) -> Iterator[Added]:
        """Give the answers from the first on."""
        with self.path.open("rb") as file:
            file.readline()
            for _ in range(self.n_rows):
                yield Added(*json.loads(file.readline()))

    def seal(self, digest: str) -> None:
        """Note the digest of the file that was made of the answers, before it takes its name."""
        self._write(_line({"written": digest}))

    def remove(self) -> None:
        """Delete the file."""
        self.path.unlink(missing_ok=True)

    def _take_up(self, batch: int, anew: bool) -> None:
        self._file.seek(0)
        with self.path.open("rb") as file:
            head = file.readline(_MAX_HEAD)
            same = head == self._head
            torn = self._head.startswith(head)  # killed before its first line was whole
            if not (same or torn):
                _check_same(self.path, head, self._head, anew)
            found = _read(file, len(head), batch) if same else _Found(0, 0, None)
        self._file.truncate(found.end)
        if not found.end:
            self._write(self._head)
        self.n_rows, self.seal_found = found.n_rows, found.seal

    def _write(self, content: bytes) -> None:
        try:
            view = memoryview(content)
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            raise UserError(
                f"cannot write {self.path}: {error.strerror}; run the same command again to go on"
            ) from error


def _read(file: IO[bytes], start: int, batch: int) -> _Found:
    """Count the whole answers up to the first line that is none."""
    n_rows, end, at, seal = 0, start, start, None
    n_seen = 0
    for line in file:
        value = _parsed(line)
        if isinstance(value, dict):
            seal, n_rows, end = value.get("written"), n_seen, at
            break
        if value is None:
            break
        n_seen, at = n_seen + 1, at + len(line)
        if n_seen % batch == 0:
            n_rows, end = n_seen, at
    return _Found(n_rows, end, seal)


def _parsed(line: bytes) -> Any:
    """Give an answer as a list, the seal as a dict, or None."""
    if not line.endswith(b"\n"):
        return None
    value = _json(line)
    if isinstance(value, dict):
        return value
    return value if isinstance(value, list) and len(value) == len(Added._fields) else None


def _json(line: bytes) -> Any:
    """Give a JSON value, None where it is not one."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _line(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode() + b"\n"


def _check_same(path: Path, head: bytes, expected: bytes, anew: bool) -> None:
    """Refuse a journal that is not of what was asked, and a file that is none at all."""
    theirs, ours = _json(head), json.loads(expected)
    if not isinstance(theirs, dict) or "journal" not in theirs:
        raise UserError(
            f"{path} is not the journal of a labelling: move it away, or give another --out"
        )
    names = [name for name, value in ours.items() if theirs.get(name) != value]
    if not anew:
        raise UserError(
            f"{path} was begun with another {' and another '.join(names)}: finish it with what it "
            "was begun with, begin anew with --force, or give another --out"
        )
