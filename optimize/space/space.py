"""The search space: what a trial chooses, and the prompt that the choice makes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from modules.programs.demos import (
    DEMO_ORDERS,
    POOLS,
    RANKED_POOLS,
    demo_counts,
    demo_set,
    order_demos,
    swap,
)
from modules.programs.instructions import OFF, SWITCHES, VARIANTS, instruction
from modules.prompts import Demo, InputCap, LabelWord, Layout, Part, Prompt
from modules.tasks.example import Task
from optimize.space.label_words import label_words
from optimize.space.layouts import PLACES, SEPARATORS, forms, input_caps, layout

N_DEMO_SETS = 16

NO_SWAP = "none"

_SWAPS = tuple(f"{position}:{number}" for position in range(4) for number in range(8))

Point = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Space:
    """The joint space of layout, instruction parts, label words, demos and input cap.

    Every dimension is categorical and named, so that the study's record can be read. Calibration is
    no dimension: it needs no forward pass and is settled inside each trial. `rankings` orders train
    ids for each ranked demo pool; `written` holds instructions by a writer, by name, which stand in
    place of the composed task part. `evidence` is the words that a calibration may weigh beside the
    label words.
    """

    task: Task
    seed: int
    forms: Mapping[str, Layout]
    words: Mapping[str, tuple[str, ...]]
    caps: Mapping[str, InputCap]
    rankings: Mapping[str, Sequence[str]] = field(default_factory=dict)
    written: Mapping[str, str] = field(default_factory=dict)
    evidence: tuple[str, ...] = ()

    @property
    def dimensions(self) -> dict[str, list[Any]]:
        """The dimensions in order, each with the values that it can take."""
        ranked = [pool for pool in RANKED_POOLS if pool in self.rankings]
        written = {"written": [OFF, *self.written]} if self.written else {}
        return {
            "layout": list(self.forms),
            "place": [p for p in PLACES if p != "system" or "chat" in self.forms],
            "separator": list(SEPARATORS),
            "words": list(self.words),
            "cap": list(self.caps),
            "n_demos": list(demo_counts(len(self.task.labels))),
            "demo_pool": [*POOLS, *ranked],
            "demo_set": list(range(N_DEMO_SETS)),
            "demo_order": list(DEMO_ORDERS),
            "demo_swap": [NO_SWAP, *_SWAPS],
            **{f"part_{role}": [OFF, *VARIANTS[role]] for role in SWITCHES},
            **written,
        }

    def texts(self) -> dict[str, Any]:
        """Give what the names of the dimensions stand for, as plain JSON values."""
        words = next(iter(self.words.values()))
        wordings = {
            f"{role}-{variant}": [
                part.text for part in instruction(self.task, words, {role: variant})
            ]
            for role in SWITCHES
            for variant in VARIANTS[role]
        }
        return {
            "forms": {name: form.model_dump(mode="json") for name, form in self.forms.items()},
            "caps": {name: cap.model_dump(mode="json") for name, cap in self.caps.items()},
            "words": {name: list(words) for name, words in self.words.items()},
            "wordings": wordings,
        }

    def starting_points(self) -> list[dict[str, Any]]:
        """Give the points that are tried first: plain ones, each of another kind.

        The first is the plainest few-shot prompt, whose cost the budget's forecast uses.
        """
        words = list(self.words)
        counts = demo_counts(len(self.task.labels))
        few = {
            "layout": "fields",
            "place": PLACES[0],
            "separator": SEPARATORS[0],
            "words": words[0],
            "cap": list(self.caps)[-1],
            "n_demos": counts[2],
            "demo_pool": POOLS[0],
            "demo_set": 0,
            "demo_order": DEMO_ORDERS[0],
            "demo_swap": NO_SWAP,
            **{f"part_{role}": OFF for role in SWITCHES},
            "part_task": VARIANTS["task"][0],
            **({"written": OFF} if self.written else {}),
        }
        more = {**few, "n_demos": counts[3], "demo_pool": POOLS[1]}
        points = [
            few,
            {**few, "n_demos": 0},
            {**more, "part_task": OFF},
            {**more, "layout": "all-in-all", "words": words[min(4, len(words) - 1)]},
            {**more, "layout": "arrow", "words": words[min(2, len(words) - 1)]},
            {**more, "n_demos": counts[-1], "layout": "fields-overall"},
        ]
        if "vocabulary-1" in self.words:
            points.append({**more, "layout": "it-was", "words": "vocabulary-1"})
        if "chat" in self.forms:
            points.append({**few, "layout": "chat", "n_demos": 0})
        points += [{**more, "part_task": OFF, "written": name} for name in list(self.written)[:2]]
        return points

    def prompt(self, point: Point) -> Prompt:
        """Make the uncalibrated prompt of a point."""
        words = self.words[point["words"]]
        labels = self.task.label_names
        return Prompt(
            layout=layout(self.forms[point["layout"]], point["place"], point["separator"]),
            instruction=self._instruction(point, words),
            demos=self._demos(point),
            words=tuple(
                LabelWord(label=label, word=word) for label, word in zip(labels, words, strict=True)
            ),
            cap=self.caps[point["cap"]],
            bias=(0.0,) * len(labels),
        )

    def _instruction(self, point: Point, words: Sequence[str]) -> tuple[Part, ...]:
        chosen = {role: point[f"part_{role}"] for role in SWITCHES}
        written = self.written.get(point.get("written", OFF))
        if written is None:
            return instruction(self.task, words, chosen)
        parts = instruction(self.task, words, {**chosen, "task": OFF})
        ahead = tuple(part for part in parts if part.role == "role")
        rest = tuple(part for part in parts if part.role != "role")
        return (*ahead, Part(role="task", text=written), *rest)

    def _demos(self, point: Point) -> tuple[Demo, ...]:
        demos = demo_set(
            self.task,
            point["demo_pool"],
            point["demo_set"],
            point["n_demos"],
            self.seed,
            self.rankings,
        )
        if point["demo_swap"] != NO_SWAP:
            position, _, number = point["demo_swap"].partition(":")
            demos = swap(self.task, demos, int(position), int(number), self.seed)
        return order_demos(demos, point["demo_order"], self.seed)


def build_space(
    task: Task,
    seed: int,
    *,
    has_chat: bool,
    words: Mapping[str, tuple[str, ...]] | None = None,
    rankings: Mapping[str, Sequence[str]] | None = None,
    written: Mapping[str, str] | None = None,
) -> Space:
    """Make the space of a task, for a model with or without a chat template.

    Args:
        task: gives the fields, the labels and the train texts.
        seed: of the demo sets.
        has_chat: whether the model has a chat template.
        words: further label words, by name, one word per label.
        rankings: train ids in the order of each ranked demo pool.
        written: instructions by a writer, by name.
    """
    own = label_words(task.label_names, [label.meaning for label in task.labels])
    return Space(
        task=task,
        seed=seed,
        forms=forms(task.input_field, task.output_field, has_chat=has_chat),
        words=own | dict(words or {}),
        caps=input_caps([example.inputs[task.input_field] for example in task.splits.train]),
        rankings=rankings or {},
        written=written or {},
    )
