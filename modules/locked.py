"""A file that one process appends to at a time: opened, and locked as long as it is open."""

import fcntl
from pathlib import Path
from typing import IO

from modules.errors import UserError


class LockedError(UserError):
    """Another process has the file open."""


def open_locked(path: Path) -> IO[bytes]:
    """Open a file to read and append, unbuffered, made if absent, for this process alone.

    Raises:
        LockedError: another process has it open so.
        UserError: it cannot be written.
    """
    try:
        file = path.open("a+b", buffering=0)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise LockedError(
            f"another process is writing {path}; wait for it, or give another --out"
        ) from error
    return file
