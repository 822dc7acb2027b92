"""What is drawn: an entry of the comparison, the plan of the draws, and what all records share."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from modules.files import canonical_json, sha256_text
from modules.lm import LocalModel
from modules.prompts import Prompt, ensemble_identity
from modules.tasks.example import Example, Task

Progress = Callable[[int], None]
Record = dict[str, Any]
Cell = tuple[float, int]  # temperature, seed


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One prompt, or an ensemble, in the comparison: its name there ("naive", "frozen") and itself.

    `members` are the further prompts of an ensemble, which chooses with all of them and writes with
    `prompt` alone. With `thinks` the model writes a reason before it answers (see
    `evaluate.draws.thinking`); an ensemble does not.
    """

    name: str
    prompt: Prompt
    members: tuple[Prompt, ...] = ()
    thinks: bool = False

    def __post_init__(self) -> None:
        """Refuse an ensemble that would think."""
        if self.thinks and self.members:
            raise ValueError("an ensemble gives no reasons: thinks needs a single prompt")

    @property
    def prompts(self) -> tuple[Prompt, ...]:
        """All prompts that choose."""
        return (self.prompt, *self.members)

    @property
    def id(self) -> str:
        """The prompts' identity; that of a prompt with reasons is another."""
        identity = ensemble_identity(self.prompts)
        return sha256_text(canonical_json(["reasons", identity])) if self.thinks else identity


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Which draws to make: temperatures, seeds, and the length of answers and reasons in tokens.

    `choose` is also reported at temperature 0, its most probable answer, with the first seed.
    """

    temperatures: tuple[float, ...]
    seeds: tuple[int, ...]
    max_tokens: int
    max_reason_tokens: int = 48

    @property
    def longest(self) -> int:
        """The most tokens that are written at once."""
        return max(self.max_tokens, self.max_reason_tokens)

    @property
    def hot(self) -> list[Cell]:
        """Every temperature above 0 with every seed."""
        return [(t, seed) for t in self.temperatures if t > 0 for seed in self.seeds]

    @property
    def choosing(self) -> list[Cell]:
        """The (temperature, seed) pairs of `choose`: 0 once, then every other one."""
        return [(0.0, self.seeds[0]), *self.hot]

    @property
    def writing(self) -> list[Cell]:
        """The (temperature, seed) pairs of `generate`: those asked for, 0 with the first seed."""
        cold = [(0.0, self.seeds[0])] if 0 in self.temperatures else []
        return [*cold, *self.hot]


def record(
    model: LocalModel,
    task: Task,
    entry: Entry,
    example: Example,
    decoding: str,
    cell: Cell,
) -> Record:
    """Give what every record of a draw has; the answer is missing as yet."""
    temperature, seed = cell
    return {
        "task": task.name,
        "model": model.identity.name,
        "prompt": entry.name,
        "prompt_id": entry.id,
        "decoding": decoding,
        "temperature": temperature,
        "seed": seed,
        "example_id": example.id,
        "gold": example.label,
        "probabilities": None,
        "confidence": math.nan,
        "p_gold": math.nan,
        "p_correct": math.nan,
        "text": None,
    }


def too_long(
    model: LocalModel,
    task: Task,
    entry: Entry,
    example: Example,
    decoding: str,
    cell: Cell,
) -> Record:
    """Give the record of an example that does not fit into the model's context."""
    return record(model, task, entry, example, decoding, cell) | {
        "answer": None,
        "outcome": "lm_error",
        "correct": False,
        "n_input_tokens": 0,
        "n_output_tokens": 0,
    }
