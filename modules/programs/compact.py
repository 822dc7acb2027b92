"""The compact form of any signature: one line a field, no markers; made for small models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin

import dspy
from dspy.adapters.utils import serialize_for_json

from modules.lm.guide import Slot
from modules.prompts.render import Rendered, Turn

Values = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class FieldForm:
    """How one signature reads: its instruction, and each field as a "Name: value" line.

    `choices` maps an output field with a closed set of values to what is said for each.
    """

    instruction: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    choices: Mapping[str, Mapping[str, str]]

    def render(
        self, demos: Sequence[Values], inputs: Values, *, is_chat: bool
    ) -> tuple[Rendered, tuple[Slot, ...]]:
        """Render a call, and give the slots that the engine fills in after it.

        Demos that lack an output are left out.
        """
        whole = [demo for demo in demos if all(name in demo for name in self.outputs)]
        turns = self._chat(whole, inputs) if is_chat else self._text(whole, inputs)
        opening = f"{self.instruction}\n\n"
        n_shared = len(turns[0].text) - len(self.user_text(inputs)) - (0 if is_chat else 1)
        rendered = Rendered(
            turns=turns,
            n_shared_chars=n_shared if not is_chat else (0 if whole else len(opening)),
            lead="",
            answer_start=" ",
            stops=() if is_chat else ("\n\n",),
        )
        return rendered, self._slots()

    def user_text(self, inputs: Values) -> str:
        """Give the input fields, one line each."""
        return "\n".join(f"{_title(n)}: {_value(inputs[n])}" for n in self.inputs if n in inputs)

    def assistant_text(self, outputs: Values) -> str:
        """Give the output fields, one line each, in the words that the model says."""
        lines = []
        for name in self.outputs:
            value = _value(outputs.get(name, ""))
            lines.append(f"{_title(name)}: {self.choices.get(name, {}).get(value, value)}")
        return "\n".join(lines)

    def _chat(self, demos: Sequence[Values], inputs: Values) -> tuple[Turn, ...]:
        turns: list[Turn] = []
        for demo in demos:
            turns.append(Turn(role="user", text=self.user_text(demo)))
            turns.append(Turn(role="assistant", text=self.assistant_text(demo)))
        turns.append(Turn(role="user", text=self.user_text(inputs)))
        first = f"{self.instruction}\n\n{turns[0].text}"
        return (Turn(role="user", text=first), *turns[1:])

    def _text(self, demos: Sequence[Values], inputs: Values) -> tuple[Turn, ...]:
        blocks = [f"{self.user_text(d)}\n{self.assistant_text(d)}" for d in demos]
        text = "\n\n".join([self.instruction, *blocks, self.user_text(inputs)])
        return (Turn(role="text", text=f"{text}\n"),)

    def _slots(self) -> tuple[Slot, ...]:
        slots = []
        for number, name in enumerate(self.outputs):
            said = self.choices.get(name)
            slots.append(
                Slot(
                    field=name,
                    lead=f"{chr(10) if number else ''}{_title(name)}:",
                    choices=None if said is None else dict(said),
                    stop="\n\n" if number == len(self.outputs) - 1 else "\n",
                )
            )
        return tuple(slots)


def compact_form(
    signature: type[dspy.Signature], words: Mapping[str, Mapping[str, str]]
) -> FieldForm:
    """Make the compact form of a signature.

    Args:
        signature: any DSPy signature.
        words: what is said for the values of a field, where that is not the values themselves;
            used only for a field whose values are exactly those.
    """
    choices: dict[str, Mapping[str, str]] = {}
    lines = [signature.instructions.strip()]
    for name, field in signature.output_fields.items():
        options = _options(field.annotation)
        described = (field.json_schema_extra or {}).get("desc", "")
        described = "" if described == f"${{{name}}}" else str(described)
        if options is not None:
            own = words.get(name, {})
            choices[name] = own if set(own) == set(options) else {o: o for o in options}
            described = f"{described} One of: {', '.join(choices[name].values())}.".strip()
        lines.append(f"{_title(name)}: {described}".rstrip(": ") + ("." if not described else ""))
    return FieldForm(
        instruction="\n".join(line for line in lines if line),
        inputs=tuple(signature.input_fields),
        outputs=tuple(signature.output_fields),
        choices=choices,
    )


def _options(annotation: Any) -> tuple[str, ...] | None:
    if annotation is bool:
        return ("True", "False")
    if get_origin(annotation) is Literal:
        return tuple(str(option) for option in get_args(annotation))
    return None


def _title(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _value(value: Any) -> str:
    return value if isinstance(value, str) else str(serialize_for_json(value))
