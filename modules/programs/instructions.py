"""The parts of an instruction, generated from the task; the search chooses a wording for each.

Every wording is made of the task's noun, its fields' names, the label words and the labels'
meanings, so it suits any classification of a text.
"""

from collections.abc import Mapping, Sequence

from modules.prompts.prompt import Part
from modules.tasks.example import Task

SWITCHES = ("role", "task", "labels", "guidance", "form")
"""The roles of the parts, in the order in which they stand."""

VARIANTS: Mapping[str, tuple[str, ...]] = {
    "role": ("judge", "expert"),
    "task": ("classify", "question", "fields"),
    "labels": ("means", "terse"),
    "guidance": ("whole", "content", "mixed"),
    "form": ("one-word", "only"),
}
"""The wordings of each role; the first is the one of a role that is merely switched on."""

OFF = "off"
"""The choice that leaves a role out."""


def instruction(
    task: Task, words: Sequence[str], chosen: Mapping[str, str] | Sequence[str]
) -> tuple[Part, ...]:
    """Give the chosen parts, in the order of `SWITCHES`, speaking of these label words.

    A task without meanings has no label definitions, whatever is chosen.

    Args:
        task: gives the noun, the fields' names and the labels' meanings.
        words: at least two, one per label in label order.
        chosen: the variant of each role, or `OFF`; a role that is absent is off. A sequence of
            roles stands for their first variants.

    Raises:
        ValueError: a role or a variant is unknown.
    """
    if not isinstance(chosen, Mapping):
        chosen = {role: VARIANTS[role][0] if role in VARIANTS else "" for role in chosen}
    _check(chosen)
    texts = {
        "role": _role(task),
        "task": _task(task, words),
        "labels": _labels(task, words),
        "guidance": _guidance(task),
        "form": _form(words),
    }
    parts = [(role, texts[role].get(chosen.get(role, OFF), "")) for role in SWITCHES]
    return tuple(Part(role=role, text=text) for role, text in parts if text)  # type: ignore[arg-type]


def _check(chosen: Mapping[str, str]) -> None:
    for role, variant in chosen.items():
        if role not in VARIANTS:
            raise ValueError(f"a role is one of {', '.join(SWITCHES)}; got {role!r}")
        if variant not in (OFF, *VARIANTS[role]):
            raise ValueError(
                f"a variant of {role} is one of {', '.join((OFF, *VARIANTS[role]))}; "
                f"got {variant!r}"
            )


def _role(task: Task) -> dict[str, str]:
    aspect = _aspect(task)
    what = f"judging the {aspect} of {task.noun}s" if aspect else f"sorting {task.noun}s"
    return {
        "judge": f"You judge {task.noun}s with care.",
        "expert": f"You are an expert in {what}.",
    }


def _task(task: Task, words: Sequence[str]) -> dict[str, str]:
    aspect, either = _aspect(task), _either(words)
    question = (
        f"Is the {aspect} of this {task.noun} {either}?"
        if aspect
        else f"Which one fits this {task.noun} best: {either}?"
    )
    what = f"the {aspect} of the {task.noun}" if aspect else f"the {task.noun}"
    given = task.input_field.replace("_", " ")
    return {
        "classify": f"Classify {what} as {either}.",
        "question": question,
        "fields": f"Given the {given}, give its {aspect or 'label'}: {either}.",
    }


def _labels(task: Task, words: Sequence[str]) -> dict[str, str]:
    defined = [
        (word, label.meaning)
        for word, label in zip(words, task.labels, strict=True)
        if label.meaning
    ]
    if not defined:
        return {}
    return {
        "means": "; ".join(f'"{word}" means: {meaning}' for word, meaning in defined) + ".",
        "terse": "; ".join(f"{word} = {meaning}" for word, meaning in defined) + ".",
    }


def _guidance(task: Task) -> dict[str, str]:
    aspect = _aspect(task)
    content = (
        f"Judge the {aspect} only, and nothing else about the {task.noun}."
        if aspect
        else f"Judge only what decides the answer, and nothing else about the {task.noun}."
    )
    return {
        "whole": f"Go by what the {task.noun} says as a whole, not by single words.",
        "content": content,
        "mixed": f"If the {task.noun} is mixed, decide which side outweighs.",
    }


def _form(words: Sequence[str]) -> dict[str, str]:
    either = _either(words)
    return {
        "one-word": f"Answer with one word: {either}.",
        "only": f"Answer only with {either}.",
    }


def _aspect(task: Task) -> str:
    """Give what is judged of the text, such as `sentiment`; empty where the text is sorted."""
    return "" if task.output_field == "label" else task.output_field.replace("_", " ")


def _either(words: Sequence[str]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"
