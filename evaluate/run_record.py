"""The record of a run: everything that the report says beside the rows, as one JSON file.

The rows and the examples lie beside it. With the three, the report can be written again anywhere,
without a model and without the data set.
"""

import json
import os
import platform
from pathlib import Path
from typing import Final, Literal

import psutil
from pydantic import ValidationError

from modules.errors import UserError
from modules.files import write_atomic
from modules.prompts import Prompt
from modules.prompts.artifact import RUN_RECORD
from modules.prompts.prompt import Frozen, Grown
from modules.prompts.records import LabelRecord, ModelRecord, Score, SearchRecord

SCHEMA_VERSION: Final = 2
FILE = RUN_RECORD

_REUSED = 0.1  # a shared part that another block has run is no reason to distrust a time


class PromptRecord(Grown):
    """A prompt of the comparison: its name, itself, and its text as this model reads it.

    `members` are the further prompts of an ensemble, `members_shown` their texts. Version 1 had
    neither.
    """

    added = ("members", "members_shown")

    name: str
    id: str
    thinks: bool
    prompt: Prompt
    shown: str
    members: tuple[Prompt, ...] = ()
    members_shown: tuple[str, ...] = ()

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """All prompts that choose."""
        return (self.prompt, *self.members)

    @property
    def texts(self) -> tuple[str, ...]:
        """The text of each prompt."""
        return (self.shown, *self.members_shown)


class ParityRecord(Frozen):
    """How many of n answers got the same label, and the same bits, through `dspy.Predict`."""

    n: int
    n_same_label: int
    n_same_bits: int


class ModelRun(Frozen):
    """A model of the comparison: what it ran as, its prompts, and what was frozen for it.

    `unread` names the models whose frozen prompts this one cannot read.
    """

    model: ModelRecord
    prompts: tuple[PromptRecord, ...]
    unread: tuple[str, ...]
    artifact: str
    artifact_id: str
    scores: dict[str, Score]
    search: SearchRecord
    parity: ParityRecord


class TaskInfo(Frozen):
    """The task: its labels, the sizes of its splits, and which data it was."""

    name: str
    noun: str
    input_field: str
    output_field: str
    labels: tuple[LabelRecord, ...]
    sizes: dict[str, int]
    data_hash: str
    test_hash: str
    splits: tuple[str, ...]


class Stratum(Frozen):
    """How many examples of a label and a length bin there are in the sample and in the whole."""

    label: str
    words: str
    n_sample: int
    n_whole: int


class SampleRecord(Frozen):
    """The sample of the test split: its size, that of the whole, and how the two compare."""

    n: int
    n_whole: int
    lines: tuple[str, ...]
    strata: tuple[Stratum, ...]


class PlanRecord(Frozen):
    """The draws: temperatures, seeds, tokens, and how many examples were answered in writing."""

    temperatures: tuple[float, ...]
    seeds: tuple[int, ...]
    max_tokens: int
    max_reason_tokens: int
    n_generated: int


class TimingRecord(Frozen):
    """How long the answers of a cell took; kept apart from the rows, which hold no times.

    Of the `n_tokens` that were asked for `n_reused_tokens` were not run: the answer cache had them,
    or another block had the same shared part. A cell with reasons answers in both decodings and is
    called `think`.
    """

    model: str
    prompt: str
    decoding: str
    n_answers: int
    n_tokens: int
    n_reused_tokens: int
    seconds: float

    @property
    def is_measured(self) -> bool:
        """Whether the time is that of running the answers: nearly all of their tokens were run."""
        return self.seconds > 0 and self.n_reused_tokens < _REUSED * self.n_tokens


class RunRecord(Frozen):
    """The whole record. `made` is a date (UTC); `machine` says what it ran on."""

    schema_version: Literal[1, 2] = SCHEMA_VERSION
    command: str
    made: str
    machine: str
    versions: dict[str, str]
    task: TaskInfo
    sample: SampleRecord
    plan: PlanRecord
    models: tuple[ModelRun, ...]
    timings: tuple[TimingRecord, ...]


def machine() -> str:
    """Say what this machine is: processor, cores, memory."""
    cores, memory = os.cpu_count(), psutil.virtual_memory().total / 2**30
    return f"{_processor()}, {cores} cores, {memory:.0f} GB"


def _processor() -> str:
    """Give the processor's name as the system has it, or its family."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return next(iter(names), "") or platform.processor() or platform.machine()


def save_run(run: RunRecord, folder: Path) -> None:
    """Write the record into a run's folder, whole or not at all."""
    text = json.dumps(run.model_dump(mode="json"), indent=2, ensure_ascii=False) + "\n"
    write_atomic(folder / FILE, text)


def load_run(folder: Path) -> RunRecord:
    """Read a record back.

    Raises:
        UserError: there is none, it is broken, or of a newer version.
    """
    path = folder / FILE
    try:
        raw = path.read_bytes()
        version = json.loads(raw).get("schema_version")
        if isinstance(version, int) and version > SCHEMA_VERSION:
            raise UserError(f"{path} has version {version}, newer than {SCHEMA_VERSION}: update")
        return RunRecord.model_validate_json(raw)
    except OSError as error:
        raise UserError(
            f"cannot read {path}: {error.strerror}; run the evaluation first"
        ) from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise UserError(f"{path} is a broken record: {where}: {first['msg']}") from error
    except (ValueError, AttributeError) as error:
        raise UserError(f"{path} is a broken record: {error}") from error
