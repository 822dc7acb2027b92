"""How a contestant is talked to: a job on the first line, then one line a round, JSON both ways."""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

Answer = Callable[[Sequence[int]], list[str]]


def serve(prepare: Callable[[dict[str, Any]], Answer]) -> None:
    """Load as the job says, then answer rounds until the input ends.

    Args:
        prepare: takes the job and gives what answers the prompts with these numbers, with a label's
            name each ("" where it has none).
    """
    talk = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what libraries print is not an answer
    answer = prepare(json.loads(sys.stdin.readline()))
    print(json.dumps({"ready": True}), file=talk, flush=True)
    for line in sys.stdin:
        numbers = json.loads(line)
        start = time.perf_counter()
        answers = answer(numbers)
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "answers": answers}), file=talk, flush=True)
