"""The contestants as processes of their own, each loaded once and asked in turn."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

_FOLDER = Path(__file__).parent / "contestants"


class Contestant:
    """One contestant's process.

    Args:
        name: the script in `contestants/`.
        python: the interpreter, of an environment that has what the script imports.
        job: what to load; see the scripts.
        log: where it may write what it has to say.
    """

    def __init__(self, name: str, python: str, job: dict[str, Any], log: Path) -> None:
        self.name = name
        root = str(_FOLDER.parent.parent)
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
        if python == sys.executable:
            environment["PYTHONPATH"] = root
        with log.open("w") as errors:
            self._process = subprocess.Popen(
                [python, str(_FOLDER / f"{name}.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment,
            )
        self._log = log
        self._ask(job)

    def __enter__(self) -> "Contestant":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()

    def answer(self, numbers: Sequence[int]) -> tuple[float, list[str]]:
        """Answer the prompts with these numbers: seconds, and a label each ("" for none)."""
        found = self._ask(list(numbers))
        return found["seconds"], found["answers"]

    def _ask(self, what: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(what) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise RuntimeError(f"{self.name} stopped; see {self._log}")
        found: dict[str, Any] = json.loads(line)
        return found
