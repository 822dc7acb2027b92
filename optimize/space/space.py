"""The search space: what a trial chooses, and the prompt that the choice makes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import optuna

from modules.programs.demos import POOLS, demo_counts, demo_set
from modules.programs.instructions import SWITCHES, instruction
from modules.prompts import InputCap, LabelWord, Layout, Prompt
from modules.tasks.example import Task
from optimize.space.label_words import label_words
from optimize.space.layouts import input_caps, layouts

N_DEMO_SETS = 16

Point = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Space:
    """The joint space of layout, instruction parts, label words, demos and input cap.

    Every dimension is categorical and named, so that the study's record can be read. Calibration is
    no dimension: it needs no forward pass and is settled inside each trial.
    """

    task: Task
    seed: int
    layouts: Mapping[str, Layout]
    words: Mapping[str, tuple[str, ...]]
    caps: Mapping[str, InputCap]

    @property
    def dimensions(self) -> dict[str, list[Any]]:
        """The dimensions in order, each with the values that it can take."""
        return {
            "layout": list(self.layouts),
            "words": list(self.words),
            "cap": list(self.caps),
            "n_demos": list(demo_counts(len(self.task.labels))),
            "demo_pool": list(POOLS),
            "demo_set": list(range(N_DEMO_SETS)),
            **{f"part_{switch}": [False, True] for switch in SWITCHES},
        }

    def suggest(self, trial: optuna.Trial) -> dict[str, Any]:
        """Let the study's sampler choose a point."""
        return {
            name: trial.suggest_categorical(name, values)
            for name, values in self.dimensions.items()
        }

    def starting_points(self) -> list[dict[str, Any]]:
        """Give the points that are tried first: plain ones, each of another kind.

        The first is the plainest few-shot prompt, whose cost the budget's forecast uses.
        """
        words = list(self.words)
        counts = demo_counts(len(self.task.labels))
        few = {
            "layout": "fields",
            "words": words[0],
            "cap": list(self.caps)[-1],
            "n_demos": counts[2],
            "demo_pool": POOLS[0],
            "demo_set": 0,
            **{f"part_{switch}": False for switch in SWITCHES},
            "part_task": True,
        }
        more = {**few, "n_demos": counts[3], "demo_pool": POOLS[1]}
        points = [
            few,
            {**few, "n_demos": 0},
            {**more, "part_task": False},
            {**more, "layout": "all-in-all", "words": words[min(4, len(words) - 1)]},
            {**more, "layout": "arrow", "words": words[min(2, len(words) - 1)]},
        ]
        if "chat" in self.layouts:
            points.append({**few, "layout": "chat", "n_demos": 0})
        return points

    def prompt(self, point: Point) -> Prompt:
        """Make the uncalibrated prompt of a point."""
        words = self.words[point["words"]]
        on = [switch for switch in SWITCHES if point[f"part_{switch}"]]
        labels = self.task.label_names
        return Prompt(
            layout=self.layouts[point["layout"]],
            instruction=instruction(self.task, words, on),
            demos=demo_set(
                self.task, point["demo_pool"], point["demo_set"], point["n_demos"], self.seed
            ),
            words=tuple(
                LabelWord(label=label, word=word) for label, word in zip(labels, words, strict=True)
            ),
            cap=self.caps[point["cap"]],
            bias=(0.0,) * len(labels),
        )


def build_space(task: Task, seed: int, *, has_chat: bool) -> Space:
    """Make the space of a task, for a model with or without a chat template."""
    return Space(
        task=task,
        seed=seed,
        layouts=layouts(task.input_field, task.output_field, has_chat=has_chat),
        words=label_words(task.label_names),
        caps=input_caps([example.inputs[task.input_field] for example in task.splits.train]),
    )
