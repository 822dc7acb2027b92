"""Lines of a text file or of standard input: UTF-8 or an error that says which line is not."""

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from modules.errors import UserError

STANDARD_INPUT = "standard input"


class Lines:
    """The lines of a text, with their ends as they stand. A file can be read again and again.

    Args:
        path: the file; None is standard input, which can be read once.
        newline: what ends a line: "\\n", or "" for any of \\n, \\r\\n and \\r.
    """

    def __init__(self, path: Path | None, newline: str) -> None:
        self.name = STANDARD_INPUT if path is None else str(path)
        self._path = path
        self._newline = newline

    def __iter__(self) -> Iterator[str]:
        """Give each line.

        Raises:
            UserError: the file cannot be read, or is not UTF-8 text.
        """
        try:
            with self._open() as file:
                for number, line in enumerate(file, start=1):
                    yield self._checked(line, number)
        except OSError as error:
            raise UserError(f"cannot read {self.name}: {error.strerror or error}") from error

    def _open(self) -> io.TextIOWrapper:
        # a byte that is no UTF-8 becomes half a surrogate pair, which shows where it stood
        binary = sys.stdin.buffer if self._path is None else self._path.open("rb")
        return io.TextIOWrapper(
            binary, encoding="utf-8", errors="surrogateescape", newline=self._newline
        )

    def _checked(self, line: str, number: int) -> str:
        try:
            line.encode()
        except UnicodeEncodeError as error:
            byte = ord(line[error.start]) & 0xFF
            raise UserError(
                f"a table must be UTF-8 text; line {number} of {self.name} has the byte "
                f"0x{byte:02x}, which is not: save the file as UTF-8"
            ) from error
        if "\0" in line:
            raise UserError(
                f"a table must be UTF-8 text; line {number} of {self.name} has a zero byte: it is "
                "binary, or UTF-16 text"
            )
        return line
