"""The reading: a prompt as the model reads it, word for word, with a placeholder for the input.

It stands in every artifact, so that a person, or a program that knows nothing of prompts as values,
can take the text from the file. It follows from the prompt alone.
"""

import re
from itertools import count
from typing import Annotated

from pydantic import Field

from modules.prompts.plain_json import MAX_BYTES
from modules.prompts.prompt import Frozen, Line, Prompt, Text
from modules.prompts.render import Role, answers, render

WholeText = Annotated[str, Field(max_length=MAX_BYTES)]  # many demos may stand in one turn
_PLACEHOLDER = re.compile(r"\{input(?:_([1-9][0-9]{0,8}))?\}")


class ReadTurn(Frozen):
    """One turn of a chat, or, with the role "text", the whole of a plain-text prompt."""

    role: Role
    text: WholeText


class ReadAnswer(Frozen):
    """What the model would write after the lead for a label."""

    label: Text
    text: Text


class Reading(Frozen):
    """The exact turns, the lead that opens the answer, and the answers.

    `placeholder` stands once in the last turn, in place of the (capped and stripped) input, and
    nowhere else. In chat the lead begins the assistant's turn; in plain text it follows the last
    turn's text directly.
    """

    placeholder: Line
    turns: Annotated[tuple[ReadTurn, ...], Field(min_length=1)]
    lead: Line
    answers: tuple[ReadAnswer, ...]

    def filled(self, text: str) -> tuple[ReadTurn, ...]:
        """Give the turns with an input, which is already cut to the cap, in its place."""
        last = self.turns[-1]
        whole = last.text.replace(self.placeholder, text)
        return (*self.turns[:-1], last.model_copy(update={"text": whole}))


def reading(prompt: Prompt) -> Reading:
    """Give the reading of a prompt.

    The placeholder is the first of `{input}`, `{input_1}`, `{input_2}`, … that the prompt's own
    text lacks.
    """
    placeholder = _placeholder(prompt)
    rendered = render(prompt, placeholder)
    return Reading(
        placeholder=placeholder,
        turns=tuple(ReadTurn(role=turn.role, text=turn.text) for turn in rendered.turns),
        lead=rendered.lead,
        answers=tuple(
            ReadAnswer(label=label, text=text)
            for label, text in zip(prompt.label_names, answers(prompt), strict=True)
        ),
    )


def _placeholder(prompt: Prompt) -> str:
    """Find it in one pass over the text, which may hold as many placeholders as it likes."""
    own = prompt.model_dump_json()  # escapes neither braces nor letters
    taken = {int(number or 0) for number in _PLACEHOLDER.findall(own)}
    free = next(number for number in count() if number not in taken)
    return f"{{input_{free}}}" if free else "{input}"
