"""Guides: the form that an answer must take, as a list of slots to fill in order.

A guide travels in a request, either as our adapter's own metadata or as a canonical JSON schema of
enums, booleans and strings. Choices are then scored and text is written between fixed leads, so an
answer parses by construction.
"""

import json
from collections.abc import Mapping
from typing import Any

from dspy.lm15 import InvalidRequestError
from pydantic import Field, ValidationError

from modules.prompts.prompt import Evidence, Frozen, Grown
from modules.prompts.render import Rendered, Turn

METADATA_KEY = "burnish"


class Slot(Grown):
    """One output field.

    `lead` is written before the value. With `choices` (value of the field -> text that the model
    says for it) the value is chosen, `bias` being added to the log-probabilities in their order, or
    `evidence` being weighed in place of it; without, text is generated up to `stop`. `is_json`
    reads the chosen text back as JSON.
    """

    added = ("evidence",)

    field: str
    lead: str = ""
    choices: dict[str, str] | None = None
    bias: tuple[float, ...] | None = None
    evidence: Evidence | None = None
    stop: str = "\n"
    is_json: bool = False


class Guide(Frozen):
    """How the messages of a request read, and what is to be filled in after them.

    `is_text` takes the one message as the whole plain-text prompt; `n_shared_chars`,
    `n_kept_chars` and `answer_start` are those of `modules.prompts.render.Rendered`.
    """

    is_text: bool = False
    n_shared_chars: int = Field(default=0, ge=0)
    n_kept_chars: int = Field(default=0, ge=0)
    answer_start: str = ""
    stops: tuple[str, ...] = ()
    lead: str = ""
    slots: tuple[Slot, ...] = ()

    def rendered(self, turns: tuple[Turn, ...]) -> Rendered:
        """Put the guide's reading of the messages together with them."""
        if self.is_text:
            if len(turns) != 1:
                raise InvalidRequestError(f"a text prompt is one message, got {len(turns)}")
            turns = (Turn(role="text", text=turns[0].text),)
        return Rendered(
            turns=turns,
            n_shared_chars=self.n_shared_chars,
            n_kept_chars=self.n_kept_chars,
            lead=self.lead,
            answer_start=self.answer_start,
            stops=self.stops,
        )


def guide_of(extensions: Mapping[str, Any], response_format: Mapping[str, Any] | None) -> Guide:
    """Read a request's guide. A request that asks for no form gets a guide without slots.

    Raises:
        InvalidRequestError: the metadata is not a guide.
    """
    metadata = extensions.get("metadata")
    if isinstance(metadata, Mapping) and METADATA_KEY in metadata:
        try:
            return Guide.model_validate_json(metadata[METADATA_KEY])
        except ValidationError as error:
            raise InvalidRequestError(
                f"the {METADATA_KEY} metadata is no guide: {error}"
            ) from error
    slots = _schema_slots(response_format or {})
    return Guide() if slots is None else Guide(slots=slots)


def _schema_slots(response_format: Mapping[str, Any]) -> tuple[Slot, ...] | None:
    """Turn a JSON schema whose properties are enums, booleans or strings into slots."""
    schema = response_format.get("schema") or response_format.get("json_schema", {}).get("schema")
    if not isinstance(schema, Mapping) or not schema.get("properties"):
        return None
    slots: list[Slot] = []
    for name, form in schema["properties"].items():
        closing = '", ' if slots and slots[-1].choices is None else ", "
        lead = f"{closing if slots else '{'}{json.dumps(name)}: "
        if "enum" in form or "const" in form:
            values = form.get("enum", [form.get("const")])
            choices = {str(v): json.dumps(v, ensure_ascii=False) for v in values}
        elif form.get("type") == "boolean":
            choices = {"true": "true", "false": "false"}
        elif form.get("type") == "string":
            slots.append(Slot(field=name, lead=f'{lead}"', stop='"'))
            continue
        else:
            return None
        slots.append(Slot(field=name, lead=lead, choices=choices, is_json=True))
    return tuple(slots)
