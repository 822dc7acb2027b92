"""A prompt in a sentence: its layout, instruction, demos, label words, cap and calibration.

An ensemble is said prompt by prompt.
"""

from collections.abc import Sequence

from evaluate.table import clean
from evaluate.words import counted, listed
from modules.prompts import Prompt

WRITES = "in writing its first prompt answers alone"


def described(prompts: Sequence[Prompt]) -> str:
    """Say what a prompt, or each of an ensemble's, is made of, without its texts."""
    if len(prompts) == 1:
        return described_one(prompts[0])
    each = [f"({n}) {described_one(prompt)}" for n, prompt in enumerate(prompts, start=1)]
    return (
        f"an ensemble of {len(prompts)} prompts, which chooses by the mean of their calibrated "
        f"log-probabilities; {WRITES}: {'; '.join(each)}"
    )


def described_one(prompt: Prompt) -> str:
    """Say what a prompt is made of, without its texts."""
    return listed(
        [
            _layout(prompt),
            _instruction(prompt),
            counted(len(prompt.demos), "example") if prompt.demos else "no examples",
            _words(prompt),
            _cap(prompt),
            _calibration(prompt),
        ]
    )


def _calibration(prompt: Prompt) -> str:
    if prompt.evidence is not None:
        return f"{counted(len(prompt.evidence.words), 'other word')} weighed"
    return "a label bias" if any(prompt.bias) else "no label bias"


_PARTED = {"blank-line": "", "line": " parted by line breaks", "rule": " parted by rules"}


def _layout(prompt: Prompt) -> str:
    layout = prompt.layout
    kind = "chat turns" if layout.kind == "chat" else f"plain text{_PARTED[layout.separator]}"
    if not prompt.instruction:
        return kind
    if layout.instruction == "both":
        return f"{kind} with the instruction before and after the input"
    return f"{kind} with the instruction {layout.instruction} the input"


def _instruction(prompt: Prompt) -> str:
    if not prompt.instruction:
        return "no instruction"
    roles = [part.role for part in prompt.instruction]
    return f"the instruction's {'part' if len(roles) == 1 else 'parts'} {listed(roles)}"


def _words(prompt: Prompt) -> str:
    said = [f"{clean(word.word)} for {clean(word.label)}" for word in prompt.words]
    return f"the label words {listed(said)}"


def _cap(prompt: Prompt) -> str:
    cap = prompt.cap
    if cap.words is None:
        return "the whole input"
    ends = "head and tail" if cap.keep == "both" else cap.keep
    return f"at most {counted(cap.words, 'word')} of the input ({ends})"
