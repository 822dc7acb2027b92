"""Quiet: DSPy and its helpers print and draw bars; a search's output belongs to its watcher."""

import contextlib
import logging
import os
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import TextIO

_LOGGERS = ("dspy", "gepa", "optuna")

Aloud = Callable[[], contextlib.AbstractContextManager[None]]


@contextlib.contextmanager
def quiet() -> Iterator[Aloud]:
    """Silence standard output, standard error and the optimizers' loggers.

    Gives a context manager inside which both streams are the caller's own again.
    """
    own = sys.stdout, sys.stderr
    levels = {name: logging.getLogger(name).level for name in _LOGGERS}
    with open(os.devnull, "w", encoding="utf-8") as nowhere, _streams(nowhere, nowhere):
        for name in _LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                yield lambda: _streams(*own)
        finally:
            for name, level in levels.items():
                logging.getLogger(name).setLevel(level)


@contextlib.contextmanager
def _streams(out: TextIO, err: TextIO) -> Iterator[None]:
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        yield
