"""The artifact: a frozen prompt as a plain JSON file, with its provenance and its own digest.

It is the only thing that passes from the search to the held-out evaluation. Loading reads one file
and nothing else; no code runs and no path in it is followed.
"""

import json
import re
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, ValidationError, model_validator

from modules.errors import UserError
from modules.files import canonical_json, make_folder, sha256_text, write_atomic
from modules.prompts.plain_json import parse_json, read_regular, visible
from modules.prompts.prompt import Grown, Line, Prompt, Text
from modules.prompts.reading import Reading, reading
from modules.prompts.records import (
    Digest,
    ModelRecord,
    Name,
    Probe,
    Score,
    SearchRecord,
    TaskRecord,
    check_probes,
)

SCHEMA_VERSION: Final = 4
OWN_OPTIMIZER: Final = "optuna"
"""The name of our own search among the optimizers, after the library that keeps its study."""
RUN_RECORD: Final = "run.json"
"""What the record of an evaluation is called; a report may lie where frozen prompts do."""

MAX_MEMBERS: Final = 15
"""How many prompts may stand beside the first in an ensemble."""

_SCORED = ("dev", "confirm")


class Artifact(Grown):
    """A frozen prompt with its provenance. It holds no date, so equal runs give equal bytes.

    `members` are the further prompts of an ensemble, whose answers `modules.prompts.ensemble`
    combines with those of `prompt`. `reading` is `prompt` as the model reads it, and `prompt_id`
    its identity; `scores` maps a split ("dev", "confirm") to the score of the whole there; `probes`
    are what verification runs again: log-probabilities in the form of `ensemble.recorded`. `sha256`
    is the digest of everything else in the file.

    Version 1 had no reading, no probes and no `model.processor`; versions 1 and 2 had no members,
    no separator, no instruction on both sides, and no budget of calls or seconds; versions 1 to 3
    had no evidence.
    """

    added = ("members",)

    schema_version: Literal[1, 2, 3, 4] = SCHEMA_VERSION
    prompt: Prompt
    members: Annotated[tuple[Prompt, ...], Field(max_length=MAX_MEMBERS)] = ()
    prompt_id: Digest
    reading: Reading | None = None
    scores: Annotated[
        dict[str, Score], Field(json_schema_extra={"required": [*_SCORED], "maxProperties": 2})
    ]
    task: TaskRecord
    model: ModelRecord
    search: SearchRecord
    probes: Annotated[tuple[Probe, ...], Field(max_length=100)] = ()
    versions: Annotated[dict[Name, Line], Field(min_length=1, max_length=100)]
    command: Text
    sha256: Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")] = ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if tuple(label.name for label in self.task.labels) != self.prompt.label_names:
            raise ValueError("the labels of the prompt are not those of the task")
        if set(self.scores) != set(_SCORED):
            raise ValueError(f"scores must be those on {' and '.join(_SCORED)}")
        for split, score in self.scores.items():
            if score.n != self.task.sizes[split]:
                raise ValueError(
                    f"the score on {split} is of {score.n} examples, the split has "
                    f"{self.task.sizes[split]}"
                )
        if self.search.seed != self.task.split_seed:
            raise ValueError("the seed of the search is not that of the splits")
        self._check_members()
        self._check_version()
        return self

    def _check_members(self) -> None:
        if not self.members:
            return
        for number, member in enumerate(self.members):
            if member.label_names != self.prompt.label_names:
                raise ValueError(f"member {number} has other labels, or another order of them")
        if any(prompt.decoding != "choose" for prompt in self.prompts):
            raise ValueError("an ensemble chooses: the decoding of each of its prompts is choose")
        if len({prompt.identity() for prompt in self.prompts}) != len(self.prompts):
            raise ValueError("a prompt stands twice in the ensemble")

    def _check_version(self) -> None:
        if self.schema_version < 4:
            settings = self.search.settings
            with_evidence = [prompt for prompt in self.prompts if prompt.evidence is not None]
            if with_evidence or (settings is not None and settings.evidence):
                raise ValueError(f"version {self.schema_version} has no evidence")
        if self.schema_version < 3:
            grown = (self, self.prompt.layout, self.search)
            added = [name for value in grown for name in value.used_additions]
            if self.prompt.layout.instruction == "both":
                added.append("instruction on both sides")
            if added:
                raise ValueError(f"version {self.schema_version} has no {', '.join(added)}")
        if self.schema_version == 1:
            if self.reading is not None or self.probes or self.model.processor is not None:
                raise ValueError("version 1 has no reading, no probes and no processor")
            return
        if self.reading != reading(self.prompt):
            raise ValueError("the reading is not that of the prompt")
        if self.model.processor is None:
            raise ValueError("the model's processor is missing")
        check_probes(self.probes, self.task.input_field, self.prompt.label_names)

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """All prompts of the artifact: one, or those of an ensemble."""
        return (self.prompt, *self.members)

    def to_json(self) -> dict[str, Any]:
        """Give the artifact as plain JSON values, in the form of its schema version."""
        value = self.model_dump(mode="json")
        if self.schema_version == 1:
            del value["reading"], value["probes"], value["model"]["processor"]
        return value

    def to_text(self) -> str:
        """Give the file's text. It is the only form that `load_artifact` accepts."""
        return json.dumps(self.to_json(), indent=2, ensure_ascii=False) + "\n"

    def digest(self) -> str:
        """Give the sha256 of the file's text with an empty `sha256`.

        In version 1 it is that of the canonical JSON of all fields but `sha256`.
        """
        if self.schema_version > 1:
            return sha256_text(self.model_copy(update={"sha256": ""}).to_text())
        value = self.to_json()
        del value["sha256"]
        return sha256_text(canonical_json(value))

    def sealed(self) -> "Artifact":
        """Give the artifact with its own digest filled in."""
        return self.model_copy(update={"sha256": self.digest()})


def artifact_path(
    folder: Path, task: str, model: str, seed: int, optimizer: str = OWN_OPTIMIZER
) -> Path:
    """Give where an artifact lies below the artifacts folder: `<task>/<model>/seed-<seed>.json`.

    What another optimizer froze lies beside it, as `seed-<seed>.<optimizer>.json`: a folder's
    frozen prompt is the one of our own search.
    """
    mark = "" if optimizer == OWN_OPTIMIZER else f".{file_name(optimizer)}"
    return folder / file_name(task) / file_name(model) / f"seed-{seed}{mark}.json"


def file_name(text: str) -> str:
    """Make a name safe as one part of a path: anything but letters, digits, `.`, `_`, `-` goes."""
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip(".-") or "unnamed"


def save_artifact(artifact: Artifact, path: Path) -> Artifact:
    """Seal an artifact and write it, whole or not at all.

    Raises:
        UserError: the folder cannot be written to, or the file would be of an absurd size.
    """
    sealed = artifact.sealed()
    text = sealed.to_text()
    try:
        parse_json(text.encode())
    except ValueError as error:
        raise UserError(f"cannot freeze the prompt to {path}: {error}") from error
    make_folder(path.parent)
    write_atomic(path, text)
    return sealed


def load_artifact(path: Path) -> Artifact:
    """Read an artifact and check it, byte for byte.

    Raises:
        UserError: no such file, not a regular one, not an artifact, a newer schema, or a changed
            byte. Whatever the file holds, it is one line, and time and memory are those of a file
            of 10 MB.
    """
    try:
        raw = read_regular(path)
        value = parse_json(raw)
    except OSError as error:
        raise UserError(f"cannot read the artifact {path}: {error.strerror or error}") from error
    except ValueError as error:
        raise UserError(f"{path} is not an artifact: {error}") from error
    if not isinstance(value, dict) or "schema_version" not in value:
        raise UserError(f"{path} is not an artifact: it has no schema_version")
    _check_version(value["schema_version"], path)
    try:
        artifact = Artifact.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = visible(".".join(map(str, first["loc"]))) or "the whole"
        raise UserError(f"{path} is a broken artifact: {where}: {visible(first['msg'])}") from error
    if artifact.sha256 != artifact.digest() or artifact.prompt_id != artifact.prompt.identity():
        raise UserError(f"{path} was changed after it was frozen: its digest does not fit")
    if artifact.to_text().encode() != raw:
        raise UserError(
            f"{path} was changed after it was frozen: its values fit, its bytes do not "
            "(another program wrote it anew; take the file as it was)"
        )
    return artifact


def find_artifacts(folder: Path, task: str) -> list[tuple[Path, Artifact]]:
    """Give all artifacts of a task below the artifacts folder, in the order of their paths.

    Raises:
        UserError: there is no such folder or it holds none, or one of them is broken.
    """
    try:
        found = sorted((folder / file_name(task)).glob("*/*.json"))
        found = [path for path in found if path.name != RUN_RECORD]
    except ValueError as error:  # a zero byte in the path
        raise UserError(f"cannot read the folder {folder}: {error}") from error
    if not found:
        raise UserError(
            f"no frozen prompts for the task {task} under {folder}: run python -m optimize first"
        )
    return [(path, load_artifact(path)) for path in found]


def _check_version(version: Any, path: Path) -> None:
    told = visible(repr(version))
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise UserError(f"{path} is not an artifact: schema_version is {told}")
    if version > SCHEMA_VERSION:
        raise UserError(
            f"{path} has schema_version {told}, newer than {SCHEMA_VERSION}: update Burnish"
        )
