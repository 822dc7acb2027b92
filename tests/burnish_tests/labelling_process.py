"""`burnish predict` in a process of its own, for tests that kill it."""

import multiprocessing
import os
from collections.abc import Sequence
from multiprocessing.context import ForkServerProcess

from burnish.__main__ import main


def start(arguments: Sequence[str]) -> ForkServerProcess:
    """Start it from a server that has the model library already: that is quick."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["burnish.classifier", "burnish.predict"])
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # many small passes: threads would only wait
    process = context.Process(target=main, args=(["predict", *arguments],))
    process.start()
    return process
