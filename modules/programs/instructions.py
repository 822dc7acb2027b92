"""The parts of an instruction, generated from the task; the search switches them on and off."""

from collections.abc import Sequence

from modules.prompts.prompt import Part
from modules.tasks.example import Task

SWITCHES = ("role", "task", "labels", "guidance", "form")


def instruction(task: Task, words: Sequence[str], switched_on: Sequence[str]) -> tuple[Part, ...]:
    """Give the parts that are switched on, in their fixed order, speaking of these label words.

    A task without meanings has no label definitions, whatever the switch says.
    """
    texts = {
        "role": f"You judge {task.noun}s with care.",
        "task": f"Classify the {_aspect(task)}{task.noun} as {_either(words)}.",
        "labels": _definitions(task, words),
        "guidance": f"Go by what the {task.noun} says as a whole, not by single words.",
        "form": f"Answer with one word: {_either(words)}.",
    }
    return tuple(
        Part(role=switch, text=texts[switch])  # type: ignore[arg-type]
        for switch in SWITCHES
        if switch in switched_on and texts[switch]
    )


def _aspect(task: Task) -> str:
    return "" if task.output_field == "label" else f"{task.output_field.replace('_', ' ')} of the "


def _definitions(task: Task, words: Sequence[str]) -> str:
    defined = [
        f'"{word}" means: {label.meaning}'
        for word, label in zip(words, task.labels, strict=True)
        if label.meaning
    ]
    return f"{'; '.join(defined)}." if defined else ""


def _either(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
