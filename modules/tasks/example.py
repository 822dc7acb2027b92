"""The values that a task is made of: examples, labels, splits and the task itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import dspy

from modules.files import canonical_json, sha256_text


@dataclass(frozen=True, kw_only=True)
class Example:
    """One labelled example.

    `inputs` maps the signature's input fields to their text, `label` is the gold label's name and
    `rating` the crowd's mean rating where the source has one. `id` is the digest of the inputs
    alone, so the same text under another label is the same example.
    """

    inputs: Mapping[str, str]
    label: str
    rating: float | None = None
    id: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", sha256_text(canonical_json(dict(self.inputs)))[:32])


@dataclass(frozen=True, kw_only=True)
class Label:
    """One label: its name in the data and in every table, and what it means in a few words."""

    name: str
    meaning: str


@dataclass(frozen=True, kw_only=True)
class SealedSplit:
    """The test split, closed: its size and digest are known, its examples only after `unseal`.

    The search can carry this handle but has no business opening it; a test asserts that `unseal`
    is called nowhere but under `evaluate/`.
    """

    digest: str
    n: int
    _examples: tuple[Example, ...] = field(repr=False)

    def unseal(self) -> tuple[Example, ...]:
        """Give the held-out examples. Only the held-out evaluation may call this."""
        return self._examples


@dataclass(frozen=True, kw_only=True)
class Splits:
    """train feeds proposals and demos, dev the search, confirm the finalists, test the proof."""

    train: tuple[Example, ...]
    dev: tuple[Example, ...]
    confirm: tuple[Example, ...]
    test: SealedSplit

    def sizes(self) -> dict[str, int]:
        """Give the number of examples in each split."""
        return {
            "train": len(self.train),
            "dev": len(self.dev),
            "confirm": len(self.confirm),
            "test": self.test.n,
        }


@dataclass(frozen=True, kw_only=True)
class Task:
    """A classification task on one text: signature, labels with meanings, metric and splits.

    `signature` has one input field and one `Literal` output field; `metric` names a function of
    `modules.tasks.metrics`; `data_hash` is the digest of every labelled example that was loaded,
    and `source` says how to load it again (the loader's own arguments).
    """

    name: str
    noun: str
    signature: type[dspy.Signature]
    labels: tuple[Label, ...]
    metric: str
    splits: Splits
    data_hash: str
    source: Mapping[str, Any]

    @property
    def input_field(self) -> str:
        """The name of the signature's one input field."""
        return str(next(iter(self.signature.input_fields)))

    @property
    def output_field(self) -> str:
        """The name of the signature's one output field."""
        return str(next(iter(self.signature.output_fields)))

    @property
    def label_names(self) -> tuple[str, ...]:
        """The label names, in the order of every probability array."""
        return tuple(label.name for label in self.labels)

    def gold(self, examples: Sequence[Example]) -> list[int]:
        """Give each example's label as an index into `label_names`."""
        return [self.label_names.index(example.label) for example in examples]
