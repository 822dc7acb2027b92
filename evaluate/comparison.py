"""The comparison: every model with every prompt on the sample, and the record of what was run."""

import importlib.metadata
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from evaluate.draws import Entry, Plan, Record
from evaluate.draws.thinking import before_reason
from evaluate.grid import Grid, prompt_records
from evaluate.ladder import can_read, ladder
from evaluate.parity import Parity, dspy_parity
from evaluate.row_journal import RowJournal
from evaluate.run_record import (
    ModelRun,
    ParityRecord,
    PlanRecord,
    PromptRecord,
    RunRecord,
    SampleRecord,
    TaskInfo,
    TimingRecord,
    machine,
)
from evaluate.words import counted
from modules.errors import UserError
from modules.lm import LocalModel, load_recorded
from modules.lm.recorded import record_of
from modules.prompts import Artifact, Prompt, render
from modules.prompts.records import LabelRecord
from modules.tasks import SplitReport
from modules.tasks.example import Task

_LIBRARIES = ("burnish", "dspy", "numpy", "scikit-learn", "tokenizers", "torch", "transformers")


class Run(NamedTuple):
    """How models are run: in which dtype, with the answer cache or not, and the parity check."""

    dtype: str | None
    cache: bool
    n_parity: int


def compare(
    grid: Grid,
    frozen: Sequence[tuple[Path, Artifact]],
    prompts: Sequence[str],
    run: Run,
    journal: RowJournal,
    told: Callable[[str], None],
) -> tuple[list[Record], list[ModelRun], list[TimingRecord]]:
    """Ask every model every prompt.

    Args:
        grid: the task, the sample and the draws.
        frozen: each model's artifact and where it lies.
        prompts: names of `evaluate.ladder.NAMES`.
        run: how models are run.
        journal: where finished blocks are kept.
        told: called with a line for every model that is done.

    Returns:
        The rows, and each model's part of the record, in the order of `frozen`, and the timings.
    """
    records: list[Record] = []
    runs: list[ModelRun] = []
    timings: list[TimingRecord] = []
    for path, artifact in frozen:
        model = load_recorded(artifact.model, run.dtype, cache=run.cache)
        _check_room(model, grid.plan)
        others = {a.model.name: a.prompts for _, a in frozen if a is not artifact}
        entries = ladder(
            grid.task,
            prompts,
            is_chat=model.has_chat_template,
            seed=artifact.task.split_seed,
            frozen=artifact.prompts,
            others=others,
        )
        for entry in entries:
            found, taken = prompt_records(grid, model, entry, journal)
            records += found
            timings += taken
        parity = dspy_parity(model, grid.task, artifact.prompts, grid.sample[: run.n_parity])
        told(
            f"{model.identity.name}: dspy.Predict gives the batch's label on "
            f"{parity.n_same_label} of {counted(parity.n, 'answer')}, bit-equal probabilities on "
            f"{parity.n_same_bits}"
        )
        unread = _unread(others, prompts, is_chat=model.has_chat_template)
        runs.append(_model_run(grid.task, model, entries, unread, (path, artifact), parity))
        del model
    return records, runs, timings


def _check_room(model: LocalModel, plan: Plan) -> None:
    """Refuse answers that fill the whole context: every one of them would be an error."""
    if plan.longest >= model.context:
        raise UserError(
            f"answers of {plan.longest:,} tokens leave no room for a prompt in the context of "
            f"{model.identity.name}, {model.context:,} tokens: give less as --max-tokens"
        )


def _model_run(
    task: Task,
    model: LocalModel,
    entries: Sequence[Entry],
    unread: tuple[str, ...],
    frozen: tuple[Path, Artifact],
    parity: Parity,
) -> ModelRun:
    """Give a model's part of the record."""
    path, artifact = frozen
    return ModelRun(
        model=record_of(model),
        prompts=tuple(_prompt_record(task, model, entry) for entry in entries),
        unread=unread,
        artifact=str(path),
        artifact_id=artifact.sha256,
        scores=dict(artifact.scores),
        search=artifact.search,
        parity=ParityRecord(**parity._asdict()),
    )


def run_record(
    command: str,
    grid: Grid,
    report: SplitReport,
    sample: SampleRecord,
    models: Sequence[ModelRun],
    timings: Sequence[TimingRecord],
) -> RunRecord:
    """Put the record of a run together."""
    task, plan = grid.task, grid.plan
    return RunRecord(
        command=command,
        made=datetime.now(UTC).date().isoformat(),
        machine=machine(),
        versions={name: importlib.metadata.version(name) for name in _LIBRARIES},
        task=TaskInfo(
            name=task.name,
            noun=task.noun,
            input_field=task.input_field,
            output_field=task.output_field,
            labels=tuple(LabelRecord(name=one.name, meaning=one.meaning) for one in task.labels),
            sizes=task.splits.sizes(),
            data_hash=task.data_hash,
            test_hash=task.splits.test.digest,
            splits=tuple(report.lines()),
        ),
        sample=sample,
        plan=PlanRecord(
            temperatures=plan.temperatures,
            seeds=plan.seeds,
            max_tokens=plan.max_tokens,
            max_reason_tokens=plan.max_reason_tokens,
            n_generated=min(grid.n_generated, len(grid.sample)),
        ),
        models=tuple(models),
        timings=tuple(timings),
    )


def _unread(
    others: Mapping[str, Sequence[Prompt]], prompts: Sequence[str], *, is_chat: bool
) -> tuple[str, ...]:
    """Name the models whose frozen prompts were wanted and cannot be read."""
    if "transferred" not in prompts:
        return ()
    return tuple(name for name, found in others.items() if not can_read(found, is_chat=is_chat))


def _prompt_record(task: Task, model: LocalModel, entry: Entry) -> PromptRecord:
    """Give an entry's prompts with their texts as the model reads them and the input's place."""
    mark = f"{{{task.input_field}}}"
    rendered = before_reason(entry.prompt, mark) if entry.thinks else render(entry.prompt, mark)
    return PromptRecord(
        name=entry.name,
        id=entry.id,
        thinks=entry.thinks,
        prompt=entry.prompt,
        shown=model.codec.chat_text(rendered),
        members=entry.members,
        members_shown=tuple(
            model.codec.chat_text(render(member, mark)) for member in entry.members
        ),
    )
