"""A command line as it is recorded: in frozen prompts, beside reports, in benchmarks' results."""

import shlex

from modules.errors import UserError
from modules.shown import is_utf8


def recorded(*words: str) -> str:
    """Give a command line as one string, quoted for a shell.

    Raises:
        UserError: a word is not UTF-8, as names of files may be, and no record could hold it.
    """
    for word in words:
        if not is_utf8(word):
            raise UserError(
                f"the command line has {word!r}, which is not UTF-8 and could not be recorded; "
                "rename the file or folder"
            )
    return shlex.join(words)
