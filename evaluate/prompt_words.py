"""A prompt in a sentence: its layout, instruction, demos, label words, cap and calibration."""

from evaluate.table import clean
from evaluate.words import counted, listed
from modules.prompts import Prompt


def described(prompt: Prompt) -> str:
    """Say what a prompt is made of, without its texts."""
    return listed(
        [
            _layout(prompt),
            _instruction(prompt),
            counted(len(prompt.demos), "example") if prompt.demos else "no examples",
            _words(prompt),
            _cap(prompt),
            "a label bias" if any(prompt.bias) else "no label bias",
        ]
    )


def _layout(prompt: Prompt) -> str:
    layout = prompt.layout
    kind = "chat turns" if layout.kind == "chat" else "plain text"
    return f"{kind} with the instruction {layout.instruction} the input"


def _instruction(prompt: Prompt) -> str:
    if not prompt.instruction:
        return "no instruction"
    return f"the instruction's parts {listed([part.role for part in prompt.instruction])}"


def _words(prompt: Prompt) -> str:
    said = [f"{clean(word.word)} for {clean(word.label)}" for word in prompt.words]
    return f"the label words {listed(said)}"


def _cap(prompt: Prompt) -> str:
    cap = prompt.cap
    if cap.words is None:
        return "the whole input"
    ends = "head and tail" if cap.keep == "both" else cap.keep
    return f"at most {counted(cap.words, 'word')} of the input ({ends})"
