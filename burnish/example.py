"""One real example in a prompt, cut into what is shared, what is the input and what is the answer.

It follows from the artifact alone; drawing it belongs to `burnish.show`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from burnish.labels import answered, probabilities
from modules.prompts import Artifact, Prompt, Rendered, answers, cut, reading, render

Kind = Literal["shared", "input_lead", "input", "behind", "answer_lead", "answer"]
Origin = Literal["probe", "demo", "placeholder", "text"]


class Segment(NamedTuple):
    """A stretch of text. Only "input" and "answer" are other ones for another input.

    "shared" is what stands before the input and its lead, "behind" what stands between the input
    and the lead of the answer: an instruction, a line break.
    """

    kind: Kind
    text: str


@dataclass(frozen=True, kw_only=True)
class ShownTurn:
    """A turn as its segments, none empty; the role is "text" for the whole of a plain text."""

    role: str
    segments: tuple[Segment, ...]


@dataclass(frozen=True, kw_only=True)
class Example:
    """A prompt with one input in it.

    `gold` is the input's label where that is known. `probabilities` maps each label to what the
    model gave it, with the bias; it is None, and so is `said`, where the model's word is not on
    record.
    """

    origin: Origin
    text: str
    gold: str | None
    said: str | None
    probabilities: Mapping[str, float] | None
    turns: tuple[ShownTurn, ...]

    def to_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return {
            "origin": self.origin,
            "text": self.text,
            "gold": self.gold,
            "said": self.said,
            "probabilities": None if self.probabilities is None else dict(self.probabilities),
            "turns": [
                {"role": turn.role, "segments": [segment._asdict() for segment in turn.segments]}
                for turn in self.turns
            ],
        }


def example_of(artifact: Artifact, text: str | None = None) -> Example:
    """Give a text in the first prompt: the given one, else the first probe, demo, or placeholder.

    What was said of a probe is the whole artifact's word, an ensemble's too.
    """
    prompts = artifact.prompts
    demos = artifact.prompt.demos
    if text is not None:
        return _example(prompts, "text", text)
    if artifact.probes:
        probe = artifact.probes[0]
        return _example(prompts, "probe", probe.text, probe.label, probe.log_probabilities)
    if demos:
        return _example(prompts, "demo", demos[0].text, demos[0].label)
    return _example(prompts, "placeholder", reading(artifact.prompt).placeholder)


def in_prompt(example: Example, prompt: Prompt) -> Example:
    """Give the same input in another prompt of the ensemble, without label and probabilities."""
    turns = _turns(prompt, example.text, example.said)
    return replace(example, gold=None, said=None, probabilities=None, turns=turns)


def _example(
    prompts: Sequence[Prompt],
    origin: Origin,
    text: str,
    gold: str | None = None,
    logp: tuple[float, ...] | None = None,
) -> Example:
    said = None if logp is None else answered(prompts, logp)
    return Example(
        origin=origin,
        text=text,
        gold=gold,
        said=said,
        probabilities=None if logp is None else probabilities(prompts, logp),
        turns=_turns(prompts[0], text, said),
    )


def _turns(prompt: Prompt, text: str, said: str | None) -> tuple[ShownTurn, ...]:
    """Give all turns and the answer; without one, all answers with bars between them."""
    rendered = render(prompt, text)
    shared = [_turn(turn.role, Segment("shared", turn.text)) for turn in rendered.turns[:-1]]
    role, asked = rendered.turns[-1].role, _asked(prompt, text, rendered)
    every = dict(zip(prompt.label_names, answers(prompt), strict=True))
    word = " |".join(every.values()) if said is None else every[said]
    answer = (Segment("answer_lead", rendered.lead), Segment("answer", word))
    if rendered.is_chat:
        return (*shared, _turn(role, *asked), _turn("assistant", *answer))
    return (*shared, _turn(role, *asked, *answer))


def _asked(prompt: Prompt, text: str, rendered: Rendered) -> tuple[Segment, ...]:
    """Cut the last turn: shared, lead, input, and what stands behind the input."""
    whole, n_shared = rendered.turns[-1].text, rendered.n_shared_chars
    lead = prompt.layout.input_lead
    start = n_shared + (len(lead) + 1 if lead else 0)
    end = start + len(cut(text, prompt.cap))
    return (
        Segment("shared", whole[:n_shared]),
        Segment("input_lead", whole[n_shared:start]),
        Segment("input", whole[start:end]),
        Segment("behind", whole[end:]),
    )


def _turn(role: str, *segments: Segment) -> ShownTurn:
    return ShownTurn(role=role, segments=tuple(s for s in segments if s.text))
