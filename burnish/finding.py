"""What is here as it was when a prompt was frozen: weights, dtype, libraries, processor, data.

These are what bits can depend on, in the order in which they are told.
"""

import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from burnish.provenance import short
from burnish.terminal import Piece, Said
from modules.errors import UserError
from modules.lm import ModelIdentity
from modules.prompts import Artifact
from modules.tasks import Task, TaskSpec, load_task

Verdict = Literal["same", "other", "not checked"]

COMPUTING = ("burnish", "numpy", "tokenizers", "torch", "transformers")
"""The libraries that a log-probability is computed with; it does not depend on the others."""

_STYLES = {"same": "added", "other": "warning", "not checked": "dim"}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Whether one thing is the same here, and what it is in a few words."""

    what: str
    verdict: Verdict
    told: str

    def to_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return {"what": self.what, "verdict": self.verdict, "told": self.told}

    def fact(self) -> tuple[str, Said]:
        """Give it for the screen."""
        verdict = Piece(f"{self.verdict:<11}  ", _STYLES[self.verdict])
        return self.what, [verdict, Piece(self.told)]


def machine_findings(artifact: Artifact, here: ModelIdentity) -> list[Finding]:
    """Compare the model that was loaded, and what it runs on, with what the file records."""
    record = artifact.model
    found = [
        _finding("weights", f"sha256 {short(record.digest)}…", f"sha256 {short(here.digest)}…"),
        _finding("dtype", record.dtype, here.dtype),
        library_finding(artifact.versions),
    ]
    if record.processor is None:
        return [*found, Finding(what="processor", verdict="not checked", told="not recorded")]
    return [*found, _finding("processor", record.processor, here.processor)]


def library_finding(versions: Mapping[str, str]) -> Finding:
    """Compare recorded versions with the installed ones."""
    here = {name: installed(name) for name in versions}
    other = [
        f"{name} was {version}, is {here[name] or 'not installed'}"
        for name, version in versions.items()
        if here[name] != version
    ]
    if not other:
        told = ", ".join(f"{name} {versions[name]}" for name in COMPUTING if name in versions)
        return Finding(what="libraries", verdict="same", told=told)
    return Finding(what="libraries", verdict="other", told="; ".join(other))


def computes_alike(versions: Mapping[str, str]) -> bool:
    """Whether the libraries that log-probabilities are computed with have the recorded versions."""
    return all(versions.get(name) == installed(name) for name in COMPUTING)


def installed(name: str) -> str | None:
    """Give the installed version of a distribution, None where there is none of that name."""
    try:
        return importlib.metadata.version(name)
    except (importlib.metadata.PackageNotFoundError, ValueError):  # ValueError: an empty name
        return None


def data_finding(artifact: Artifact) -> tuple[Finding, Task | None]:
    """Load the task as the file names it and compare its splits; the test split stays closed.

    Returns:
        The finding, "not checked" with the reason where the data cannot be had, and the task.
    """
    record = artifact.task
    try:
        task, _ = load_task(TaskSpec.from_json(record.source), record.split_seed)
    except (
        UserError,
        ValueError,
    ) as error:  # ValueError: a zero byte in a path that the file names
        told = " ".join(str(error).split())
        return Finding(what="data", verdict="not checked", told=told), None
    other = _other_data(artifact, task)
    if other:
        return Finding(what="data", verdict="other", told="; ".join(other)), task
    sizes = ", ".join(f"{split} {n:,}" for split, n in record.sizes.items())
    told = f"sha256 {short(task.data_hash)}…, {sizes}"
    return Finding(what="data", verdict="same", told=told), task


def _other_data(artifact: Artifact, task: Task) -> list[str]:
    record = artifact.task
    confirm = {example.id: example.label for example in task.splits.confirm}
    strangers = [probe for probe in artifact.probes if confirm.get(probe.example_id) != probe.label]
    pairs = {
        "examples": (record.data_hash, task.data_hash),
        "test examples": (record.test_hash, task.splits.test.digest),
        "split sizes": (record.sizes, task.splits.sizes()),
        "labels": (
            [(label.name, label.meaning) for label in record.labels],
            [(label.name, label.meaning) for label in task.labels],
        ),
    }
    other = [f"the {name} are others" for name, (was, now) in pairs.items() if was != now]
    if strangers:
        other.append(f"{len(strangers)} probes are not in the confirm split with their label")
    return other


def _finding(what: str, was: str, now: str) -> Finding:
    if was == now:
        return Finding(what=what, verdict="same", told=now)
    return Finding(what=what, verdict="other", told=f"was {was}, is {now}")
