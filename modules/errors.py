"""The one error that a user can cause, and the one place where it becomes an exit code.

Everything below a command line raises `UserError` with a sentence that says the rule, the value
received, where it stood and what to do; only `exit_code` turns it into a line and a status.
"""

import errno
import os
import sys
from collections.abc import Callable
from typing import NoReturn

USER_MISTAKE = 2
INTERRUPTED = 130
_NO_READER = 141  # as a shell says it of a process that SIGPIPE ended
_FULL = (errno.ENOSPC, errno.EDQUOT)


class UserError(Exception):
    """A mistake in what the user gave: one clear line, exit code 2, never a traceback."""


def exit_code(command: Callable[[], int | None]) -> int:
    """Run a command line's body and give its exit status.

    Returns:
        What the body gives (0 for None) when it came to its end, 2 after a `UserError`, which is
        printed to standard error as one line, 130 after Ctrl-C. Any other exception is our own bug
        and passes through.
    """
    try:
        return command() or 0
    except UserError as error:
        print(f"error: {_line(str(error))}", file=sys.stderr)
        return USER_MISTAKE
    except KeyboardInterrupt:
        print("stopped; run the same command again to go on", file=sys.stderr)
        return INTERRUPTED


def leave(command: Callable[[], int | None]) -> NoReturn:
    """Run a command line's body and leave the process with its exit status.

    It is 141, without a word, where the reader of standard output has seen enough, as `head` has,
    and 2, with a line, where a device is full that was written to.
    """
    try:
        status = exit_code(command)
        sys.stdout.flush()
    except BrokenPipeError:
        status = no_reader()
    except OSError as error:
        if error.errno not in _FULL:
            raise
        print(f"error: nothing more can be written ({error.strerror})", file=sys.stderr)
        _drop_output()
        status = USER_MISTAKE
    sys.exit(status)


def no_reader() -> int:
    """Give the exit status for a reader that has gone; what Python still writes goes nowhere."""
    _drop_output()
    return _NO_READER


def _drop_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _line(text: str) -> str:
    """Give a text as one line in which nothing is hidden: it may quote what a file holds."""
    line = " ".join(text.split())
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)
