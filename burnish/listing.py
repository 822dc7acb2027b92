"""`burnish list`: the frozen prompts below a folder, with their scores and what they cost."""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from burnish.aligned import aligned
from burnish.provenance import tokens
from burnish.scores import accuracy, told
from burnish.terminal import Piece, Screen, add_display_options, clipped, columns, harmless
from modules.errors import USER_MISTAKE, UserError
from modules.prompts import Artifact, load_artifact
from modules.prompts.artifact import RUN_RECORD

_PATTERN = "*/*/*.json"
_SPLITS = ("dev", "confirm")
_SCORES = ("dev % [95 % CI]", "n", "confirm % [95 % CI]", "n")
_HEADINGS = ("task", "model", "seed", *_SCORES, "tokens", "path")
_LEFT = (0, 1, len(_HEADINGS) - 1)
_MOST = 40


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file of the folder: the artifact that it holds, or the reason why it holds none."""

    path: Path
    artifact: Artifact | None
    reason: str = ""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `burnish list`."""
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        default=Path("artifacts"),
        help="the folder that TASK/MODEL/*.json lie in (default: artifacts)",
    )
    add_display_options(parser)


def run(options: argparse.Namespace) -> int:
    """Print all frozen prompts of a folder, broken files with their reason.

    Returns:
        0, or 2 where a file is broken.

    Raises:
        UserError: there is none.
    """
    entries = list(find(options.folder))
    if not entries:
        raise UserError(_nothing(options.folder))
    if options.json:
        print(json.dumps(to_json(entries), indent=2))
    else:
        print("\n".join(drawn(entries, Screen.of(options.color))))
    return 0 if all(entry.artifact for entry in entries) else USER_MISTAKE


def find(folder: Path) -> Iterator[Entry]:
    """Give the files below a folder where frozen prompts lie, in the order of their paths."""
    for path in sorted(folder.glob(_PATTERN)):
        if path.name == RUN_RECORD:
            continue
        try:
            yield Entry(path=path, artifact=load_artifact(path))
        except UserError as error:
            yield Entry(path=path, artifact=None, reason=" ".join(str(error).split()))


def to_json(entries: Sequence[Entry]) -> dict[str, Any]:
    """Give the list as plain JSON values."""
    return {
        "artifacts": [
            {
                "path": str(entry.path),
                "sha256": entry.artifact.sha256,
                "prompt_id": entry.artifact.prompt_id,
                "n_prompts": len(entry.artifact.prompts),
                "task": entry.artifact.task.name,
                "model": entry.artifact.model.name,
                "seed": entry.artifact.search.seed,
                "scores": {k: v.model_dump() for k, v in entry.artifact.scores.items()},
                "forward_tokens": tokens(entry.artifact.search),
            }
            for entry in entries
            if entry.artifact is not None
        ],
        "broken": [
            {"path": str(entry.path), "reason": entry.reason}
            for entry in entries
            if entry.artifact is None
        ],
    }


def drawn(entries: Sequence[Entry], screen: Screen) -> list[str]:
    """Give the lines of the list: a table where it fits, else a few lines a prompt."""
    whole = [(entry.path, entry.artifact) for entry in entries if entry.artifact is not None]
    lines = _table(whole) if whole else []
    if screen.width is not None and any(columns(line) > screen.width for line in lines):
        lines = [line for path, artifact in whole for line in _card(path, artifact, screen)]
    elif lines:
        lines = [*screen.heading(lines[0]), *lines[1:]]
    broken = [entry.reason for entry in entries if entry.artifact is None]
    for reason in broken:
        lines += screen.lines([Piece("broken: ", "removed"), Piece(reason)], "", "  ")
    return lines


def _table(whole: Sequence[tuple[Path, Artifact]]) -> list[str]:
    rows = [[*_cells(artifact), harmless(str(path))] for path, artifact in whole]
    return aligned([_HEADINGS, *rows], left=_LEFT)


def _cells(artifact: Artifact) -> list[str]:
    cells = [artifact.task.name, _model(artifact), str(artifact.search.seed)]
    for split in _SPLITS:
        score = artifact.scores.get(split)
        cells += ["-", "-"] if score is None else [accuracy(score), f"{score.n:,}"]
    spent = tokens(artifact.search)
    return [clipped(cell, _MOST) for cell in [*cells, "-" if spent is None else f"{spent:,}"]]


def _model(artifact: Artifact) -> str:
    """Give the model's name, and of how many prompts an ensemble is."""
    if not artifact.members:
        return artifact.model.name
    said = f" (ensemble of {len(artifact.prompts)})"
    return clipped(artifact.model.name, _MOST - len(said)) + said


def _card(path: Path, artifact: Artifact, screen: Screen) -> list[str]:
    task, model, seed, *_, spent = _cells(artifact)
    scores = [(s, told(artifact.scores[s])) for s in _SPLITS if s in artifact.scores]
    return [
        *screen.heading(str(path)),
        *screen.lines(f"{task}, {model}, seed {seed}, {spent} tokens", "  "),
        *screen.facts(scores),
    ]


def _nothing(folder: Path) -> str:
    if folder.is_file():
        return f"{folder} is a file, and burnish list takes a folder: burnish show {folder}"
    there = "holds no frozen prompts" if folder.is_dir() else "is not there"
    return (
        f"{folder} {there} (TASK/MODEL/*.json below it): run burnish optimize, "
        "or give the folder that it wrote to"
    )
