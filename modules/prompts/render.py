"""Rendering: a prompt and an input become chat turns or plain text, and back goes the answer.

Pure and total: no model, no tokenizer. Every rendering says where the part that all inputs share
ends, so that a language model can run that part once. How turns become tokens is
`modules.lm.codec`'s business.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from modules.prompts.prompt import InputCap, Prompt

Role = Literal["system", "user", "assistant", "text"]

GAP = " … "

_SEPARATORS = {"blank-line": "\n\n", "line": "\n", "rule": "\n###\n"}
_AFTER_INPUT = {"blank-line": "\n", "line": "\n", "rule": "\n###\n"}


@dataclass(frozen=True, kw_only=True)
class Turn:
    """One turn of a chat, or, with the role "text", the whole of a plain-text prompt."""

    role: Role
    text: str


@dataclass(frozen=True, kw_only=True)
class Rendered:
    """What the model reads, before tokenisation.

    All turns but the last, and the first `n_shared_chars` characters of the last, are the same for
    every input. Where an instruction follows the input, the last turn's characters up to
    `n_kept_chars` are the same for all that may follow; 0 where none follows.
    `lead` opens the answer: in chat it starts the assistant's turn, in plain text it
    follows the last turn's text directly. `answer_start` stands between the lead and the answer
    ("" or " "), and the answer ends at any of `stops`, or at the end of the turn.
    """

    turns: tuple[Turn, ...]
    n_shared_chars: int
    lead: str
    answer_start: str
    stops: tuple[str, ...]
    n_kept_chars: int = 0

    @property
    def is_chat(self) -> bool:
        """Whether the turns go through a chat template."""
        return self.turns[0].role != "text"


def render(prompt: Prompt, text: str) -> Rendered:
    """Render a prompt with one input.

    The shared part ends at the start of a line (or of the last turn), right before what belongs to
    this input, and the input itself is stripped: no tokenizer merges across such a place.
    """
    return (
        _render_chat(prompt, text) if prompt.layout.kind == "chat" else _render_text(prompt, text)
    )


def answers(prompt: Prompt) -> tuple[str, ...]:
    """Give what the model would write after the lead for each label, in label order."""
    return after_lead(prompt, [entry.word for entry in prompt.words])


def what_is_read(prompt: Prompt) -> tuple[Rendered, tuple[str, ...], InputCap]:
    """Give what stands for all that is read and answered: equal for prompts that read alike.

    As those do that differ only in where an instruction would stand, and have none. Calibration is
    no part of it.
    """
    return render(prompt, ""), answers(prompt), prompt.cap


def after_lead(prompt: Prompt, words: Sequence[str]) -> tuple[str, ...]:
    """Give words as the model would write them where the answer begins."""
    start = _answer_start(prompt)
    return tuple(start + word for word in words)


def cut(text: str, cap: InputCap) -> str:
    """Cut a text to the cap's words. A text within the cap is only stripped of outer space."""
    words = text.split()
    if cap.words is None or len(words) <= cap.words:
        return text.strip()
    if cap.keep == "head":
        return " ".join(words[: cap.words])
    if cap.keep == "tail":
        return " ".join(words[-cap.words :])
    n_head = (cap.words + 1) // 2
    n_tail = cap.words - n_head
    return " ".join(words[:n_head]) + GAP + " ".join(words[len(words) - n_tail :])


def _answer_start(prompt: Prompt) -> str:
    return " " if prompt.layout.answer_lead else ""


def _input_block(prompt: Prompt, text: str) -> str:
    lead = prompt.layout.input_lead
    return f"{lead} {cut(text, prompt.cap)}" if lead else cut(text, prompt.cap)


def _render_text(prompt: Prompt, text: str) -> Rendered:
    layout = prompt.layout
    gap = " " if layout.same_line else "\n"
    instruction = prompt.instruction_text
    separator = _SEPARATORS[layout.separator]
    before, after = "", ""
    if instruction and layout.instruction in ("before", "both"):
        before = f"{instruction}{separator}"
    if instruction and layout.instruction in ("after", "both"):
        after = f"{_AFTER_INPUT[layout.separator]}{instruction}"
    for demo in prompt.demos:
        before += f"{_input_block(prompt, demo.text)}{gap}{layout.answer_lead} "
        before += f"{prompt.word(demo.label)}{separator}"
    asked = before + _input_block(prompt, text)
    return Rendered(
        turns=(Turn(role="text", text=f"{asked}{after}{gap}"),),
        n_shared_chars=len(before),
        n_kept_chars=len(asked) + len("\n") if after else 0,
        lead=layout.answer_lead,
        answer_start=_answer_start(prompt),
        stops=("\n",),
    )


def _render_chat(prompt: Prompt, text: str) -> Rendered:
    layout = prompt.layout
    instruction = prompt.instruction_text
    turns: list[Turn] = []
    before, after = "", ""
    if instruction and layout.system:
        turns.append(Turn(role="system", text=instruction))
    elif instruction and layout.instruction in ("before", "both"):
        before = f"{instruction}\n\n"
    if instruction and layout.instruction in ("after", "both"):
        after = f"\n\n{instruction}"
    answer = f"{layout.answer_lead}{_answer_start(prompt)}"
    for number, demo in enumerate(prompt.demos):
        asked = (before if number == 0 else "") + _input_block(prompt, demo.text)
        turns.append(Turn(role="user", text=asked))
        turns.append(Turn(role="assistant", text=answer + prompt.word(demo.label)))
    opening = "" if prompt.demos else before
    asked = opening + _input_block(prompt, text)
    turns.append(Turn(role="user", text=asked + after))
    return Rendered(
        turns=tuple(turns),
        n_shared_chars=len(opening),
        n_kept_chars=len(asked) + len("\n\n") if after else 0,
        lead=layout.answer_lead,
        answer_start=_answer_start(prompt),
        stops=(),
    )
