"""The layouts and input caps that the search may choose from, made from the task's own words.

A layout is put together from three choices: the form (what names the fields and how the answer
begins), where the instruction stands, and what separates the blocks of a plain text.
"""

import statistics
from collections.abc import Sequence

from modules.prompts import InputCap, Layout

PLACES = ("before", "after", "both", "system")
"""Where the instruction stands; a system turn exists in chat only, elsewhere it means before."""

SEPARATORS = ("blank-line", "line", "rule")
"""What stands between the blocks of a plain text; a chat has turns instead."""

_LONG_WORDS = 64


def forms(input_field: str, output_field: str, *, has_chat: bool) -> dict[str, Layout]:
    """Give the named forms: field lists, running sentences, and chat where the model has it."""
    given, asked = _title(input_field), _title(output_field)
    found = {
        "fields": Layout(kind="text", input_lead=given, answer_lead=asked),
        "fields-overall": Layout(kind="text", input_lead=given, answer_lead="Overall:"),
        "fields-label": Layout(kind="text", input_lead="Text:", answer_lead="Label:"),
        "fields-answer": Layout(kind="text", input_lead=given, answer_lead="Answer:"),
        "arrow": Layout(kind="text", answer_lead="=>", same_line=True),
        "it-was": Layout(kind="text", answer_lead="It was", same_line=True),
        "all-in-all": Layout(kind="text", answer_lead="All in all, it was", same_line=True),
    }
    if has_chat:
        found |= {
            "chat": Layout(kind="chat", input_lead=given),
            "chat-fields": Layout(kind="chat", input_lead=given, answer_lead=asked),
        }
    return found


def layout(form: Layout, place: str, separator: str) -> Layout:
    """Put a form, a place and a separator together; what a form cannot have is left out.

    Args:
        form: one of `forms`.
        place: one of `PLACES`.
        separator: one of `SEPARATORS`.
    """
    if form.kind == "text":
        place = "before" if place == "system" else place
        return form.model_copy(update={"instruction": place, "separator": separator})
    if place == "system":
        return form.model_copy(update={"system": True})
    return form.model_copy(update={"instruction": place})


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
