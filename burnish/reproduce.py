"""`burnish reproduce`: run the search again from what a file records; do the same bytes come out?

Nothing is taken from the first search: the journal is new and the answer cache is not used.
"""

import argparse
import shlex
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from burnish.finding import Finding, data_finding, machine_findings
from burnish.probing import repeat
from burnish.provenance import short, tokens
from burnish.sameness import other_fields
from burnish.terminal import Piece, Screen, add_colour_option
from modules.errors import INTERRUPTED, UserError
from modules.files import make_folder
from modules.lm import LocalModel, load_as_named
from modules.prompts import OWN_OPTIMIZER, Artifact, ensemble_identity, load_artifact
from modules.prompts.artifact import SCHEMA_VERSION
from modules.prompts.records import SearchRecord
from modules.tasks import Task
from optimize.config import Budget, SearchConfig
from optimize.search import run_search
from optimize.views.display import Display

OTHER = 1


@dataclass(frozen=True, kw_only=True)
class Start:
    """What a search starts from: the recorded artifact, and what is here."""

    artifact: Artifact
    model: LocalModel
    task: Task
    findings: tuple[Finding, ...]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `burnish reproduce`."""
    parser.add_argument("artifact", type=Path, help="a frozen prompt")
    parser.add_argument(
        "--runs",
        type=Path,
        help="keep the journal and the new file below this folder; the same command goes on from "
        "there (default: a temporary folder)",
    )
    add_colour_option(parser)


def run(options: argparse.Namespace) -> int:
    """Search again and say what came out.

    Returns:
        0 the same bytes, 1 others, 130 after Ctrl-C.

    Raises:
        UserError: the file is no artifact, or its data or its model cannot be had.
    """
    screen = Screen.of(options.color)
    artifact = load_artifact(options.artifact)
    _say(screen.heading(str(options.artifact)))
    start = _start(artifact)
    _say(screen.facts([finding.fact() for finding in start.findings]))
    _say(screen.lines(_forecast(start)))
    kept = None if options.runs is None else make_folder(options.runs)
    folder = kept or Path(tempfile.mkdtemp(prefix="burnish-"))
    work = folder / f"reproduce-{short(artifact.sha256)}"
    if any(work.rglob("*.journal")):
        _say(screen.lines(f"going on with the journal in {work}"))
    began = time.perf_counter()
    try:
        new, path = _search(start, work)
    except KeyboardInterrupt:
        again = ["burnish", "reproduce", str(options.artifact), "--runs", str(folder)]
        print(f"stopped; to go on: {shlex.join(again)}", file=sys.stderr)
        return INTERRUPTED
    except UserError:
        if kept is None:
            shutil.rmtree(folder)
        raise
    _say(screen.lines(f"{_cost(new)} in {_duration(time.perf_counter() - began)}"))
    is_same = path.read_bytes() == artifact.to_text().encode()
    if is_same and kept is None:
        shutil.rmtree(folder)
    said = _same(new) if is_same else _other(start, new, options.artifact, path)
    _say([line for pieces in said for line in screen.lines(pieces)])
    return 0 if is_same else OTHER


def _start(artifact: Artifact) -> Start:
    """Load what the file names.

    Raises:
        UserError: it cannot be had, or another optimizer is named.
    """
    if artifact.search.optimizer != OWN_OPTIMIZER:
        raise UserError(
            f"only a search by {OWN_OPTIMIZER} can be run again; this prompt was found by "
            f"{artifact.search.optimizer}"
        )
    model = load_as_named(artifact.model)
    data, task = data_finding(artifact)
    if task is None:
        raise UserError(f"the data of the search cannot be had: {data.told}")
    findings = (*machine_findings(artifact, model.identity), data)
    return Start(artifact=artifact, model=model, task=task, findings=findings)


def _search(start: Start, folder: Path) -> tuple[Artifact, Path]:
    """Run the recorded search, or go on with it where the folder has its journal."""
    recorded = start.artifact
    settings = recorded.search.settings
    config = SearchConfig(
        budget=_budget(recorded.search),
        seed=recorded.search.seed,
        out=folder / "artifacts",
        runs=folder / "journals",
        command=recorded.command,
        **({"evidence": False} | ({} if settings is None else settings.model_dump())),
    )
    with Display(start.task, config.budget.tokens) as display:
        return run_search(start.task, start.model, config, display)


def _budget(search: SearchRecord) -> Budget:
    return Budget(
        tokens=search.budget_tokens, calls=search.budget_calls, seconds=search.budget_seconds
    )


def _forecast(start: Start) -> str:
    """Say what the search cost the first time and how long it may take here."""
    recorded, rate = start.artifact, _tokens_per_s(start)
    spent = tokens(recorded.search)
    said = f"recorded: {_cost(recorded)}"
    if not rate or not spent:
        return said
    return f"{said}; at this moment's speed that takes {_duration(spent / rate)}"


def _tokens_per_s(start: Start) -> float | None:
    """Time the recorded examples, after once to warm up; None where they cannot be run."""
    recorded, model = start.artifact, start.model
    if not recorded.probes:
        return None
    try:
        repeat(model, recorded.prompts, recorded.probes, 0.0)
        before, began = model.ledger.account, time.perf_counter()
        repeat(model, recorded.prompts, recorded.probes, 0.0)
    except (UserError, ValueError):  # another model, which cannot read the prompt
        return None
    seconds, after = time.perf_counter() - began, model.ledger.account
    n_reused = after.reused_tokens - before.reused_tokens
    return (after.forward_tokens - before.forward_tokens - n_reused) / seconds


def _cost(artifact: Artifact) -> str:
    search, spent = artifact.search, tokens(artifact.search)
    told = "an unknown number" if spent is None else f"{spent:,}"
    return f"{search.n_trials:,} trials, {told} of {search.budget_tokens:,} forward tokens"


def _duration(seconds: float) -> str:
    whole = max(1, round(seconds))
    return f"{whole} s" if whole < 120 else f"{round(whole / 60)} min"


def _same(new: Artifact) -> list[list[Piece]]:
    return [[Piece("the same bytes", "added"), Piece(f": sha256 {short(new.sha256)}…")]]


def _other(start: Start, new: Artifact, old_path: Path, path: Path) -> list[list[Piece]]:
    """Say which fields are other ones, why that can be, and where the new file lies."""
    is_same = ensemble_identity(new.prompts) == ensemble_identity(start.artifact.prompts)
    prompt = "but the same prompt" if is_same else "and another prompt"
    fields = ", ".join(other_fields(start.artifact, new))
    look = shlex.join(["burnish", "diff", str(old_path), str(path)])
    return [
        [Piece("other bytes", "removed"), Piece(f", {prompt}")],
        [Piece(f"  fields: {fields}")],
        [Piece(f"  why: {'; '.join(_reasons(start))}")],
        [Piece(f"  look: {look}")],
    ]


def _reasons(start: Start) -> Sequence[str]:
    reasons = [f"{f.what}: {f.told}" for f in start.findings if f.verdict == "other"]
    if start.artifact.schema_version < SCHEMA_VERSION:
        reasons.append("the file is of an older version of the schema")
    if start.artifact.search.budget_seconds is not None:
        reasons.append("the search was bounded in seconds, which depends on the machine's speed")
    return reasons or ["nothing that the file records is another here: python -m modules.lm check"]


def _say(lines: Sequence[str]) -> None:
    print("\n".join(lines), flush=True)
