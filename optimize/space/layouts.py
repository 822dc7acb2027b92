"""The layouts and input caps that the search may choose from, made from the task's own words."""

import statistics
from collections.abc import Sequence

from modules.prompts import InputCap, Layout

_LONG_WORDS = 64


def layouts(input_field: str, output_field: str, *, has_chat: bool) -> dict[str, Layout]:
    """Give the named layouts: field lists, running sentences, and chat where the model has it."""
    given, asked = _title(input_field), _title(output_field)
    found = {
        "fields": Layout(kind="text", input_lead=given, answer_lead=asked),
        "fields-overall": Layout(kind="text", input_lead=given, answer_lead="Overall:"),
        "fields-label": Layout(kind="text", input_lead="Text:", answer_lead="Label:"),
        "arrow": Layout(kind="text", answer_lead="=>", same_line=True),
        "it-was": Layout(kind="text", answer_lead="It was", same_line=True),
        "all-in-all": Layout(kind="text", answer_lead="All in all, it was", same_line=True),
        "input-first": Layout(
            kind="text", instruction="after", input_lead=given, answer_lead="Answer:"
        ),
    }
    if has_chat:
        found |= {
            "chat": Layout(kind="chat", input_lead=given),
            "chat-system": Layout(kind="chat", system=True, input_lead=given),
            "chat-fields": Layout(kind="chat", input_lead=given, answer_lead=asked),
            "chat-input-first": Layout(kind="chat", instruction="after", input_lead=given),
        }
    return found


def input_caps(texts: Sequence[str]) -> dict[str, InputCap]:
    """Give the input caps worth trying: none for short texts, three lengths and ends for long ones.

    Long means that the upper decile has more than 64 words. Without a cap the demos of a long task
    would fill the context, so there the largest cap stands in for none.
    """
    lengths = [len(text.split()) for text in texts]
    if len(lengths) < 2 or statistics.quantiles(lengths, n=10)[-1] <= _LONG_WORDS:
        return {"whole": InputCap()}
    return {
        f"{keep}-{words}": InputCap(words=words, keep=keep)
        for words in (64, 128, 256)
        for keep in ("head", "tail", "both")
    }


def _title(field: str) -> str:
    return f"{field.replace('_', ' ').capitalize()}:"
