"""A file that one process appends to at a time: opened, and locked as long as it is open."""

import fcntl
from pathlib import Path
from typing import IO

from modules.errors import UserError


def open_locked(path: Path) -> IO[bytes]:
    """Open a file to read and append, unbuffered, made if absent, for this process alone.

    Raises:
        UserError: it cannot be written, or another process has it open so.
    """
    try:
        file = path.open("a+b", buffering=0)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror}") from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise UserError(
            f"another process is writing {path}; wait for it, or give another --out"
        ) from error
    return file
