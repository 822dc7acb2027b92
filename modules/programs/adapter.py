"""The adapter: a DSPy signature, its demos and inputs, rendered through a Burnish prompt.

A signature that the prompt was made for (its one input, its one label) reads exactly as on the
batch path. Any other signature (chain of thought, an optimizer's proposer) gets a compact form of
the same kind. Either way the engine receives a guide, so the answer parses by construction; on
another LM the same messages go out and the answer is parsed leniently.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, get_args, get_origin

import dspy
from dspy.adapters.utils import apply_output_field_defaults, parse_value
from dspy.utils.exceptions import AdapterParseError

from modules.lm.engine import PROBABILITIES
from modules.lm.guide import METADATA_KEY, Guide, Slot
from modules.programs.compact import FieldForm, compact_form
from modules.prompts.parse import match_label
from modules.prompts.prompt import Demo, Part, Prompt
from modules.prompts.render import Rendered, answers, render

Values = Mapping[str, Any]

# The probabilities of the answers parsed in this call: DSPy's own step between parse and the
# prediction drops every key that is not an output field.
_MEASURED: ContextVar[list[Any] | None] = ContextVar("measured", default=None)


class PromptAdapter(dspy.Adapter):  # type: ignore[misc]
    """Renders every call through one prompt.

    What the program carries wins over what the prompt carries: an instruction other than the
    task's own replaces the prompt's instruction, and demos, if there are any, its demos.

    Args:
        prompt: the prompt to render with.
        signature: the task's signature, which the prompt was made for.
    """

    def __init__(self, prompt: Prompt, signature: type[dspy.Signature]) -> None:
        super().__init__()
        self.prompt = prompt
        self._instructions = signature.instructions
        self._input = next(iter(signature.input_fields))
        self._output = next(iter(signature.output_fields))

    def format(
        self, signature: type[dspy.Signature], demos: list[Any], inputs: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Give the messages of a call; a plain-text prompt is one user message."""
        rendered, _ = self._render(signature, demos, inputs)
        return [
            {"role": "user" if turn.role == "text" else turn.role, "content": turn.text}
            for turn in rendered.turns
        ]

    def __call__(
        self,
        lm: Any,
        lm_kwargs: dict[str, Any],
        signature: type[dspy.Signature],
        demos: list[Any],
        inputs: dict[str, Any],
    ) -> list[dict[str, Any]]:
        """Add the guide for an engine that takes one, and go DSPy's way."""
        guided = self._guided(lm, lm_kwargs, signature, demos, inputs)
        with _measuring() as measured:
            values = super().__call__(lm, guided, signature, demos, inputs)
        return _with_probabilities(values, measured)

    async def acall(
        self,
        lm: Any,
        lm_kwargs: dict[str, Any],
        signature: type[dspy.Signature],
        demos: list[Any],
        inputs: dict[str, Any],
    ) -> list[dict[str, Any]]:
        """The same, awaited."""
        guided = self._guided(lm, lm_kwargs, signature, demos, inputs)
        with _measuring() as measured:
            values = await super().acall(lm, guided, signature, demos, inputs)
        return _with_probabilities(values, measured)

    def parse(self, signature: type[dspy.Signature], completion: str) -> dict[str, Any]:
        """Turn an answer into the output fields. A guided answer is JSON, any other is text.

        Raises:
            AdapterParseError: a field is missing or has no valid value.
        """
        found = _json_object(completion)
        if found is None:
            found = _read_fields(signature, completion)
        measured = _MEASURED.get()
        if measured is not None:
            measured.append(found.pop(PROBABILITIES, None))
        values: dict[str, Any] = {}
        for name, field in signature.output_fields.items():
            if name in found:
                values[name] = self._value(signature, name, field.annotation, found, completion)
        values = apply_output_field_defaults(signature, values)
        if set(values) != set(signature.output_fields):
            raise _parse_error(self, signature, completion, values)
        return values

    def format_user_message_content(
        self, signature: type[dspy.Signature], inputs: dict[str, Any], *_: Any, **__: Any
    ) -> str:
        """Give one input as a user turn; DSPy's history rendering asks for it."""
        return self._form(signature).user_text(inputs)

    def format_assistant_message_content(
        self, signature: type[dspy.Signature], outputs: dict[str, Any], *_: Any, **__: Any
    ) -> str:
        """Give one answer as an assistant turn."""
        return self._form(signature).assistant_text(outputs)

    def _guided(
        self,
        lm: Any,
        lm_kwargs: dict[str, Any],
        signature: type[dspy.Signature],
        demos: Sequence[Values],
        inputs: Values,
    ) -> dict[str, Any]:
        if not getattr(getattr(lm, "engine", None), "takes_guides", False):
            return lm_kwargs
        rendered, slots = self._render(signature, demos, inputs)
        guide = Guide(
            is_text=not rendered.is_chat,
            n_shared_chars=rendered.n_shared_chars,
            n_kept_chars=rendered.n_kept_chars,
            answer_start=rendered.answer_start,
            stops=rendered.stops,
            lead=rendered.lead,
            slots=slots,
        )
        return {**lm_kwargs, "metadata": {METADATA_KEY: guide.model_dump_json()}}

    def _render(
        self, signature: type[dspy.Signature], demos: Sequence[Values], inputs: Values
    ) -> tuple[Rendered, tuple[Slot, ...]]:
        if not self._is_ours(signature):
            form = self._form(signature)
            return form.render(demos, inputs, is_chat=self.prompt.layout.kind == "chat")
        prompt = self._bound(signature, demos)
        rendered = render(prompt, str(inputs.get(self._input, "")))
        if prompt.decoding == "generate":
            return rendered, ()
        start = len(rendered.answer_start)
        said = dict(zip(prompt.label_names, (a[start:] for a in answers(prompt)), strict=True))
        return rendered, (
            Slot(field=self._output, choices=said, bias=prompt.bias, evidence=prompt.evidence),
        )

    def _is_ours(self, signature: type[dspy.Signature]) -> bool:
        return list(signature.input_fields) == [self._input] and list(signature.output_fields) == [
            self._output
        ]

    def _bound(self, signature: type[dspy.Signature], demos: Sequence[Values]) -> Prompt:
        changed: dict[str, Any] = {}
        if signature.instructions != self._instructions:
            changed["instruction"] = (Part(role="task", text=signature.instructions),)
        shown = tuple(
            Demo(text=str(demo[self._input]), label=str(demo[self._output]))
            for demo in demos
            if self._input in demo and str(demo.get(self._output)) in self.prompt.label_names
        )
        if shown:
            changed["demos"] = shown
        return self.prompt.model_copy(update=changed) if changed else self.prompt

    def _form(self, signature: type[dspy.Signature]) -> FieldForm:
        return compact_form(signature, {self._output: {w.label: w.word for w in self.prompt.words}})

    def _value(
        self,
        signature: type[dspy.Signature],
        name: str,
        annotation: Any,
        found: Values,
        completion: str,
    ) -> Any:
        raw = found[name]
        if get_origin(annotation) is Literal and isinstance(raw, str):
            options = [str(option) for option in get_args(annotation)]
            words = {option: option for option in options}
            if name == self._output and set(self.prompt.label_names) == set(options):
                words |= {entry.word: entry.label for entry in self.prompt.words}
            raw = raw if raw in options else match_label(words, raw)
        try:
            return parse_value(raw, annotation)
        except (ValueError, TypeError) as error:
            raise _parse_error(self, signature, completion, dict(found)) from error


@contextmanager
def _measuring() -> Iterator[list[Any]]:
    measured: list[Any] = []
    token = _MEASURED.set(measured)
    try:
        yield measured
    finally:
        _MEASURED.reset(token)


def _with_probabilities(values: list[dict[str, Any]], measured: list[Any]) -> list[dict[str, Any]]:
    """Add `probabilities` (field -> value -> probability) to every answer that has them."""
    if len(measured) != len(values) or any(p is None for p in measured):
        return values
    return [{**value, PROBABILITIES: p} for value, p in zip(values, measured, strict=True)]


def _json_object(completion: str) -> dict[str, Any] | None:
    try:
        value = json.loads(completion)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _read_fields(signature: type[dspy.Signature], completion: str) -> dict[str, Any]:
    """Read "Field: value" lines, a value going on up to the next field; one field takes it all."""
    names = list(signature.output_fields)
    spelled = {name.replace("_", " ").casefold(): name for name in names}
    pattern = "|".join(re.escape(word) for word in sorted(spelled, key=len, reverse=True))
    head = re.compile(rf"^[\s*#>-]*({pattern})[\s*]*[:=]", re.IGNORECASE | re.MULTILINE)
    matches = list(head.finditer(completion.replace("_", " ")))
    if not matches:
        return {names[0]: completion.strip()} if len(names) == 1 else {}
    ends = [match.start() for match in matches[1:]] + [len(completion)]
    return {
        spelled[match.group(1).casefold()]: completion[match.end() : end].strip(" \t\r\n*")
        for match, end in zip(matches, ends, strict=True)
    }


def _parse_error(
    adapter: PromptAdapter,
    signature: type[dspy.Signature],
    completion: str,
    values: dict[str, Any],
) -> AdapterParseError:
    return AdapterParseError(
        adapter_name=type(adapter).__name__,
        signature=signature,
        lm_response=completion,
        parsed_result=values,
    )
