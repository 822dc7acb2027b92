"""The facts of an evaluation: what several parts of the report speak of, computed once."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd

from evaluate.analysis import transfer
from evaluate.analysis.selection import FROZEN, chosen_at_zero, prompt_place
from evaluate.closed_form import closed_form
from evaluate.comparisons import comparisons, temperature_effects
from evaluate.lines import first_line
from evaluate.loaded import Evaluation
from evaluate.run_record import ModelRun
from evaluate.summary import polarity_alarm, summarise

BOOTSTRAP_SEED = 0


@dataclass(frozen=True)
class Facts:
    """An evaluation with what follows from it. Nothing here draws, save the seeded bootstrap."""

    evaluation: Evaluation

    @property
    def rows(self) -> pd.DataFrame:
        """The rows."""
        return self.evaluation.rows

    @property
    def examples(self) -> pd.DataFrame:
        """The sample, one line per example."""
        return self.evaluation.examples

    @property
    def models(self) -> tuple[str, ...]:
        """The models' names, in the order of the run."""
        return tuple(run.model.name for run in self.evaluation.run.models)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels' names, in the order of every probability array."""
        return tuple(label.name for label in self.evaluation.run.task.labels)

    @property
    def temperatures(self) -> tuple[float, ...]:
        """The temperatures above 0, rising."""
        return tuple(sorted(t for t in self.evaluation.run.plan.temperatures if t > 0))

    @property
    def prompts(self) -> tuple[str, ...]:
        """The prompts' names, in the ladder's order; those of other models come last."""
        names = {prompt.name for run in self.evaluation.run.models for prompt in run.prompts}
        return tuple(sorted(names, key=lambda name: (prompt_place(name), name)))

    @cached_property
    def summary(self) -> pd.DataFrame:
        """One line per configuration, see `evaluate.summary`."""
        return summarise(self.rows)

    @cached_property
    def comparisons(self) -> pd.DataFrame:
        """The paired comparisons at temperature 0, see `evaluate.comparisons`."""
        return comparisons(self.rows, BOOTSTRAP_SEED)

    @cached_property
    def effects(self) -> pd.DataFrame:
        """What the highest temperature does against the lowest one; empty with fewer than two."""
        low, high = min(self.temperatures, default=0.0), max(self.temperatures, default=0.0)
        return temperature_effects(self.rows, low, high, BOOTSTRAP_SEED)

    @cached_property
    def cold(self) -> pd.DataFrame:
        """The rows of `choose` at temperature 0, one per model, prompt and example."""
        return chosen_at_zero(self.rows)

    @cached_property
    def transfer(self) -> pd.DataFrame:
        """Every model under every frozen prompt, see `evaluate.analysis.transfer`."""
        return transfer(self.rows)

    @cached_property
    def cells(self) -> pd.DataFrame:
        """Sampled accuracies beside the closed form, see `evaluate.closed_form`."""
        return closed_form(self.rows)

    @cached_property
    def alarms(self) -> list[str]:
        """Configurations below chance, see `evaluate.summary.polarity_alarm`."""
        return polarity_alarm(self.rows, len(self.labels))

    def run(self, model: str) -> ModelRun:
        """Give a model's part of the record."""
        return next(run for run in self.evaluation.run.models if run.model.name == model)

    def line(
        self, model: str, prompt: str, decoding: str = "choose", temperature: float = 0.0
    ) -> Any:
        """Give a configuration's line of the summary as a named tuple, or None."""
        found = self.summary[
            (self.summary["model"] == model)
            & (self.summary["prompt"] == prompt)
            & (self.summary["decoding"] == decoding)
            & (self.summary["temperature"] == temperature)
        ]
        return first_line(found)

    def compared(self, a: tuple[str, str], b: tuple[str, str]) -> Any:
        """Give the comparison of two (model, prompt) pairs, in this order, or None."""
        lines = self.comparisons
        found = lines[
            (lines["model_a"] == a[0])
            & (lines["prompt_a"] == a[1])
            & (lines["model_b"] == b[0])
            & (lines["prompt_b"] == b[1])
        ]
        return first_line(found)

    def frozen_line(self, model: str) -> Any:
        """Give the summary's line of a model's own frozen prompt at temperature 0."""
        return self.line(model, FROZEN)
