"""The records of an artifact: scores, task, model, search and probes, checked when made.

What holds between records is checked where they come together, in `modules.prompts.artifact`.
"""

import math
from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from modules.files import canonical_json, sha256_text
from modules.prompts.plain_json import check_plain
from modules.prompts.prompt import Frozen, Grown, Line, Text

SPLITS = ("train", "dev", "confirm", "test")

Count = Annotated[int, Field(ge=0, lt=2**63)]
Name = Annotated[str, Field(max_length=200)]
Share = Annotated[float, Field(ge=0, le=1)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

_ID_CHARS = 32


class Score(Frozen):
    """How a prompt did on one split: correct of n, 95 % Wilson interval, mean log-loss in nats."""

    n: Annotated[int, Field(ge=1, lt=2**63)]
    n_correct: Count
    accuracy: Share
    low: Share
    high: Share
    log_loss: Annotated[float, Field(ge=0)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.n_correct > self.n or self.accuracy != self.n_correct / self.n:
            raise ValueError(
                f"accuracy {self.accuracy} is not {self.n_correct} correct of {self.n}"
            )
        if not self.low <= self.accuracy <= self.high:
            raise ValueError(
                f"accuracy {self.accuracy} lies outside its interval [{self.low}, {self.high}]"
            )
        return self


class LabelRecord(Frozen):
    """A label of the task and what it means."""

    name: Text
    meaning: Text


class TaskRecord(Frozen):
    """Which task the prompt was made for, and how to load the very same splits again."""

    name: Text
    source: dict[str, Any]
    split_seed: int
    sizes: Annotated[
        dict[str, Count], Field(json_schema_extra={"required": [*SPLITS], "maxProperties": 4})
    ]
    data_hash: Digest
    test_hash: Digest
    metric: Line
    input_field: Text
    output_field: Text
    labels: Annotated[tuple[LabelRecord, ...], Field(min_length=2)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        try:
            check_plain(self.source)
        except ValueError as error:
            raise ValueError(f"source: {error}") from error
        if set(self.sizes) != set(SPLITS) or not all(self.sizes.values()):
            raise ValueError(f"sizes must be those of {', '.join(SPLITS)}, each at least 1")
        if len({label.name for label in self.labels}) != len(self.labels):
            raise ValueError("a label stands twice")
        if self.input_field == self.output_field:
            raise ValueError(f"input and output are both the field {self.input_field!r}")
        return self


class ModelRecord(Frozen):
    """Which model the prompt was made for.

    `processor` says what it was computed on; on another the last bits may differ. None in files of
    version 1, which did not record it.
    """

    name: Text
    source: Text
    revision: Line
    digest: Digest
    dtype: Line
    processor: Line | None = None


class SearchSettings(Grown):
    """How our own search was set: with the seed and the budget, all that its outcome depends on.

    `sampler` is Optuna's, `at_once` how many trials might run at once, `ensemble` how many prompts
    were to be frozen, `racing` whether trials were stopped early, `writer` who wrote instructions
    beside the composed ones (None: nobody), and `evidence` whether other words were weighed.
    """

    added = ("evidence",)

    sampler: Line
    at_once: Annotated[int, Field(ge=1, lt=2**63)]
    ensemble: Annotated[int, Field(ge=1, lt=2**63)]
    racing: bool
    writer: Line | None
    evidence: bool = False


class SearchRecord(Grown):
    """How the prompt was found, and what that cost.

    The budget is in forward tokens; where it was in calls or seconds too, those bounds are
    recorded, and None elsewhere. `settings` are those of our own search, None of any other.
    """

    added = ("budget_calls", "budget_seconds", "settings")

    optimizer: Line
    seed: int
    budget_tokens: Annotated[int, Field(ge=1, lt=2**63)]
    budget_calls: Annotated[int, Field(ge=1, lt=2**63)] | None = None
    budget_seconds: Annotated[float, Field(gt=0)] | None = None
    settings: SearchSettings | None = None
    spent: Annotated[dict[Name, Count], Field(max_length=100)]
    n_trials: Annotated[int, Field(ge=1, lt=2**63)]
    n_pruned: Count
    n_finalists: Annotated[int, Field(ge=1, lt=2**63)]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.spent.get("forward_tokens", 0) > self.budget_tokens:
            raise ValueError(
                f"{self.spent['forward_tokens']} forward tokens were spent of a budget of "
                f"{self.budget_tokens}"
            )
        if self.budget_calls is not None and self.spent.get("n_prompts", 0) > self.budget_calls:
            raise ValueError(
                f"{self.spent['n_prompts']} prompts were answered of a budget of "
                f"{self.budget_calls} calls"
            )
        if self.n_finalists > self.n_trials - self.n_pruned:
            raise ValueError(
                f"{self.n_finalists} finalists are more than the trials that were not stopped, "
                f"{self.n_trials} - {self.n_pruned}"
            )
        return self


class Probe(Frozen):
    """One confirm example with what the model said of it, to check the artifact anywhere."""

    example_id: Annotated[str, Field(pattern=rf"^[0-9a-f]{{{_ID_CHARS}}}$")]
    text: Text
    label: Text
    log_probabilities: tuple[Annotated[float, Field(le=0)], ...]


def check_probes(probes: Sequence[Probe], input_field: str, labels: Sequence[str]) -> None:
    """Check that probes are examples of a task, each once, with a distribution over its labels.

    Raises:
        ValueError: an id that is not the digest of its text under the input field, an example
            twice, an unknown label, or log-probabilities that are not one for each label, or do not
            sum to 1 in probability.
    """
    for number, probe in enumerate(probes):
        where = f"probe {number}"
        inputs = canonical_json({input_field: probe.text})
        if probe.example_id != sha256_text(inputs)[:_ID_CHARS]:
            raise ValueError(f"{where}: its example_id is not that of its text")
        if probe.label not in labels:
            raise ValueError(f"{where}: {probe.label!r} is no label of the task")
        if len(probe.log_probabilities) != len(labels):
            raise ValueError(f"{where} needs one log-probability for each of {len(labels)} labels")
        if abs(math.fsum(map(math.exp, probe.log_probabilities)) - 1) > 1e-6:
            raise ValueError(f"{where}: its probabilities do not sum to 1")
    if len({probe.example_id for probe in probes}) != len(probes):
        raise ValueError("a probe stands twice")
