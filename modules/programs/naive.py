"""The naive prompt: what somebody writes first, and what every frozen prompt has to beat."""

from modules.prompts import LabelWord, Layout, Part, Prompt
from modules.tasks.example import Task


def naive_prompt(task: Task, *, is_chat: bool) -> Prompt:
    """Give the zero-shot prompt: the signature's own instruction, the labels' own names.

    In chat where the model has a chat template, as plain fields elsewhere; no demos, no cap, no
    calibration.
    """
    layout = Layout(
        kind="chat" if is_chat else "text",
        input_lead=lead(task.input_field),
        answer_lead="" if is_chat else lead(task.output_field),
    )
    return Prompt(
        layout=layout,
        instruction=(Part(role="task", text=task.signature.instructions),),
        words=tuple(
            LabelWord(label=name, word=" ".join(name.split())) for name in task.label_names
        ),
        bias=(0.0,) * len(task.labels),
    )


def lead(field: str) -> str:
    """Give the words that stand before a field: `Review:` for `review`."""
    return f"{field.replace('_', ' ').capitalize()}:"
