"""The DSPy signature of a classification task: one text in, one of the labels out.

Owns the names of the fields and the plain instruction; better instructions and their rendering
belong to `modules.prompts` and to the search.
"""

import keyword
import re
from collections.abc import Sequence
from typing import Literal

import dspy

from modules.tasks.example import Label

DEFAULT_INPUT = "text"
_LONGEST = 60


def build_signature(
    *,
    input_field: str,
    output_field: str,
    noun: str,
    labels: Sequence[Label],
    aspect: str | None = None,
) -> type[dspy.Signature]:
    """Build a signature whose output is a `Literal` of the label names.

    Args:
        input_field: an identifier.
        output_field: another one.
        noun: what a text is, such as `movie review`.
        labels: at least two, with any strings for names.
        aspect: what is judged, such as `sentiment`; None where the labels sort the text itself.
    """
    names = tuple(label.name for label in labels)
    what = f"the {noun}" if aspect is None else f"the {aspect} of the {noun}"
    outcome = f"the {aspect or output_field} of the {noun}: {_described(labels)}"
    signature: type[dspy.Signature] = dspy.Signature(
        {
            input_field: (str, dspy.InputField(desc=f"the {noun} to classify")),
            output_field: (Literal[names], dspy.OutputField(desc=outcome)),
        },
        f"Classify {what} as {either(names)}.",
    )
    return signature


def either(names: Sequence[str]) -> str:
    """Give the names as an English choice: `a or b`, `a, b or c`. One name is itself."""
    *front, last = names
    return f"{', '.join(front)} or {last}" if front else last


def field_name(column: str, taken: str) -> str:
    """Make a column's name a field's name: ASCII, lower case, `_` for everything else.

    Gives `text` where nothing usable is left: no letter, a leading digit, over 60 signs, a word
    of Python, the name that is taken, or an attribute of DSPy's or pydantic's own classes, which
    would hide it.
    """
    name = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
    owners = (dspy.Signature, dspy.Example, dspy.Prediction)
    hidden = name.startswith("model_") or any(hasattr(owner, name) for owner in owners)
    unusable = not name.isidentifier() or keyword.iskeyword(name) or len(name) > _LONGEST
    return DEFAULT_INPUT if unusable or hidden or name == taken else name


def _described(labels: Sequence[Label]) -> str:
    if not any(label.meaning for label in labels):
        return either([label.name for label in labels])
    return "; ".join(
        f"{label.name} ({label.meaning})" if label.meaning else label.name for label in labels
    )
