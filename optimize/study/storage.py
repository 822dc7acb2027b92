"""Where a study lies: a journal file that survives any kill, or any storage that Optuna knows."""

import fcntl
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import optuna
from optuna.storages import BaseStorage, JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.storages.journal._file import BaseJournalFileLock

from modules.errors import UserError
from modules.files import make_folder

Direction = Literal["minimize", "maximize"]

_UNREADABLE = (OSError, ValueError, KeyError, TypeError, AttributeError)


class JournalLock(BaseJournalFileLock):
    """Locks a journal for one process's write, and mends what a killed one left half written.

    The lock is the system's own, which lets go when its process dies; a line without its end would
    spoil the next one that is appended.
    """

    def __init__(self, journal: Path) -> None:
        self._journal = journal
        self._file: int | None = None

    def acquire(self) -> bool:
        """Wait for the lock, then cut off a last line that has no end."""
        self._file = os.open(f"{self._journal}.lock", os.O_CREAT | os.O_RDWR, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            self._drop_torn_line()
        except BaseException:
            self.release()
            raise
        return True

    def release(self) -> None:
        """Let go."""
        assert self._file is not None
        os.close(self._file)
        self._file = None

    def _drop_torn_line(self) -> None:
        with self._journal.open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            if size == 0:
                return
            file.seek(size - 1)
            if file.read(1) != b"\n":
                file.seek(0)
                file.truncate(file.read().rfind(b"\n") + 1)


def open_study(where: Path | str, name: str, directions: Sequence[Direction]) -> optuna.Study:
    """Open a study, made if absent, in a journal file (a path) or in a storage (a URL).

    Raises:
        UserError: it cannot be opened, or is something else.
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if isinstance(where, Path):
        make_folder(where.parent)
    try:
        return _created(where, name, directions)
    except Exception as error:
        first = str(error).strip().partition("\n")[0]
        if isinstance(where, Path) and isinstance(error, _UNREADABLE):
            raise UserError(
                f"{where} is not a study journal that can be read ({first}); move it away to start "
                "anew"
            ) from error
        raise UserError(
            f"cannot open the storage {without_password(str(where))}: {first}"
        ) from error


def _created(
    where: Path | str, name: str, directions: Sequence[Direction], tries: int = 6
) -> optuna.Study:
    """Create or load; processes that make a new database at once get into each other's way."""
    while True:
        try:
            return optuna.create_study(
                storage=_journal(where) if isinstance(where, Path) else where,
                study_name=name,
                directions=list(directions),
                sampler=optuna.samplers.RandomSampler(),  # the points come from the proposer
                load_if_exists=True,
            )
        except Exception as error:
            tries -= 1
            is_database = type(error).__module__.startswith("sqlalchemy")
            if tries == 0 or not is_database:
                raise
            time.sleep(0.3)


def _journal(path: Path) -> BaseStorage:
    lock = JournalLock(path)
    if path.exists():
        lock.acquire()  # mends it before the first read
        lock.release()
    return JournalStorage(JournalFileBackend(str(path), lock_obj=lock))


def without_password(text: str) -> str:
    """Give a text with the password of a URL in it, if it has one, replaced by three stars.

    It may stand before the host or in the query (`?password=`).
    """
    hidden = re.sub(r"(://[^/@:\s]*):[^@\s]*@", r"\1:***@", text)
    return re.sub(r"([?&](?:password|passwd)=)[^&#\s'\"]*", r"\1***", hidden, flags=re.IGNORECASE)
