"""The artifact: a frozen prompt as a plain JSON file, with its provenance and its own digest.

It is the only thing that passes from the search to the held-out evaluation. Loading reads one file
and nothing else; no code runs and no path in it is followed.
"""

import json
import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from modules.errors import UserError
from modules.files import canonical_json, make_folder, sha256_text, write_atomic
from modules.prompts.prompt import SCHEMA_VERSION, Frozen, Prompt

_MAX_BYTES = 10_000_000

Count = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Score(Frozen):
    """How a prompt did on one split: correct of n, 95 % Wilson interval, mean log-loss in nats."""

    n: Annotated[int, Field(ge=1)]
    n_correct: Count
    accuracy: Share
    low: Share
    high: Share
    log_loss: Annotated[float, Field(ge=0)]


class LabelRecord(Frozen):
    """A label of the task and what it means."""

    name: str
    meaning: str


class TaskRecord(Frozen):
    """Which task the prompt was made for, and how to load the very same splits again."""

    name: str
    source: dict[str, Any]
    split_seed: int
    sizes: dict[str, Count]
    data_hash: Digest
    test_hash: Digest
    metric: str
    input_field: str
    output_field: str
    labels: tuple[LabelRecord, ...]


class ModelRecord(Frozen):
    """Which model it was made for."""

    name: str
    source: str
    revision: str
    digest: Digest
    dtype: str


class SearchRecord(Frozen):
    """How the prompt was found, and what that cost in forward tokens."""

    optimizer: str
    seed: int
    budget_tokens: Count
    spent: dict[str, Count]
    n_trials: Count
    n_pruned: Count
    n_finalists: Count


class Artifact(Frozen):
    """A frozen prompt with its provenance. It holds no date, so equal runs give equal bytes.

    `scores` maps a split ("dev", "confirm") to the frozen prompt's score there; `prompt_id` is the
    prompt's identity and `sha256` the digest of everything else in the file.
    """

    schema_version: Literal[1] = SCHEMA_VERSION
    prompt: Prompt
    prompt_id: Digest
    scores: dict[str, Score]
    task: TaskRecord
    model: ModelRecord
    search: SearchRecord
    versions: dict[str, str]
    command: str
    sha256: str = ""

    def digest(self) -> str:
        """Give the sha256 of the canonical JSON of all fields but `sha256`."""
        return sha256_text(canonical_json(self.model_dump(mode="json", exclude={"sha256"})))

    def sealed(self) -> "Artifact":
        """Give the artifact with its own digest filled in."""
        return self.model_copy(update={"sha256": self.digest()})


def artifact_path(folder: Path, task: str, model: str, seed: int) -> Path:
    """Give where an artifact lies below the artifacts folder: `<task>/<model>/seed-<seed>.json`."""
    return folder / file_name(task) / file_name(model) / f"seed-{seed}.json"


def file_name(text: str) -> str:
    """Make a name safe as one part of a path: anything but letters, digits, `.`, `_`, `-` goes."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-") or "unnamed"


def save_artifact(artifact: Artifact, path: Path) -> Artifact:
    """Seal an artifact and write it, whole or not at all.

    Raises:
        UserError: the folder cannot be written to.
    """
    sealed = artifact.sealed()
    make_folder(path.parent)
    text = json.dumps(sealed.model_dump(mode="json"), indent=2, ensure_ascii=False)
    write_atomic(path, f"{text}\n")
    return sealed


def load_artifact(path: Path) -> Artifact:
    """Read an artifact and check it.

    Raises:
        UserError: no such file, not an artifact, a newer schema, or a changed byte.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise UserError(f"{path} is larger than {_MAX_BYTES:,} bytes: not an artifact")
        raw = path.read_bytes().decode("utf-8")
        value = json.loads(raw)
    except OSError as error:
        raise UserError(f"cannot read the artifact {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not an artifact: it is not JSON ({error})") from error
    if not isinstance(value, dict) or "schema_version" not in value:
        raise UserError(f"{path} is not an artifact: it has no schema_version")
    _check_version(value["schema_version"], path)
    try:
        artifact = Artifact.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UserError(f"{path} is a broken artifact: {where}: {first['msg']}") from error
    if artifact.sha256 != artifact.digest() or artifact.prompt_id != artifact.prompt.identity():
        raise UserError(f"{path} was changed after it was frozen: its digest does not fit")
    return artifact


def find_artifacts(folder: Path, task: str) -> list[tuple[Path, Artifact]]:
    """Give all artifacts of a task below the artifacts folder, in the order of their paths.

    Raises:
        UserError: there is no such folder or it holds none, or one of them is broken.
    """
    found = sorted((folder / file_name(task)).glob("*/*.json"))
    if not found:
        raise UserError(
            f"no frozen prompts for the task {task} under {folder}: run python -m optimize first"
        )
    return [(path, load_artifact(path)) for path in found]


def _check_version(version: Any, path: Path) -> None:
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise UserError(f"{path} is not an artifact: schema_version is {version!r}")
    if version > SCHEMA_VERSION:
        raise UserError(
            f"{path} has schema_version {version}, newer than {SCHEMA_VERSION}: update Burnish"
        )
