"""OpenAI-style messages as JSON, with what an endpoint does not know: answers, bias and cap."""

import json
from typing import Any

from burnish.exports.form import (
    Export,
    Tokenizer,
    input_rule,
    made_from,
    model_json,
    rendered,
)
from modules.prompts import Artifact, Rendered, Turn, reading

_RULE = (
    "for each label, the log-probability that constrained decoding gives its answer (at every "
    "token renormalised over the tokens that can still become an answer), plus its bias; the label "
    "with the largest sum wins"
)
_WRAPPED = (
    "this prompt is plain text, not a chat: a chat endpoint wraps it in turns that it was not "
    "frozen with; --to text is the exact form, for a completion endpoint"
)


_ENSEMBLE = (
    "each prompt gives every label a log-probability by its own rule; renormalise them over the "
    "labels, take the mean over the prompts, label by label, and the label with the largest mean "
    "wins"
)


def export(artifact: Artifact, tokenizer: Tokenizer) -> Export:
    """Give the messages, the placeholder in the last one of the user.

    `assistant_prefill` is there in chat where a lead opens the answer: it goes on in the
    assistant's turn, which must not be closed before it. Of an ensemble `prompts` holds all that,
    a prompt each.
    """
    value: dict[str, Any] = {
        "made_from": made_from(artifact),
        "artifact": artifact.sha256,
        "model": model_json(artifact),
    }
    each = [
        artifact.model_copy(update={"prompt": prompt, "members": ()}) for prompt in artifact.prompts
    ]
    if artifact.members:
        value |= {"prompts": [_prompt(one, tokenizer) for one in each], "rule": _ENSEMBLE}
    else:
        value |= _prompt(artifact, tokenizer)
    notes = [made_from(artifact)]
    if any(one.prompt.layout.kind == "text" for one in each):
        notes.append(_WRAPPED)
    return Export.single(json.dumps(value, indent=2, ensure_ascii=False) + "\n", *notes)


def _prompt(artifact: Artifact, tokenizer: Tokenizer) -> dict[str, Any]:
    """Give what an endpoint needs for a single prompt."""
    asked = rendered(artifact)
    read = reading(artifact.prompt)
    value: dict[str, Any] = {
        "kind": artifact.prompt.layout.kind,
        "messages": [
            {"role": turn.role, "content": turn.text} for turn in _turns(asked, tokenizer)
        ],
        "placeholder": read.placeholder,
    }
    if asked.is_chat and asked.lead:
        value["assistant_prefill"] = asked.lead
    return value | {
        "input": input_rule(artifact.prompt.cap),
        "cap": artifact.prompt.cap.model_dump(mode="json"),
        "answers": {answer.label: answer.text for answer in read.answers},
        "bias": dict(zip(artifact.prompt.label_names, artifact.prompt.bias, strict=True)),
        "rule": _RULE,
    }


def _turns(asked: Rendered, tokenizer: Tokenizer) -> tuple[Turn, ...]:
    if not asked.is_chat:
        return (Turn(role="user", text=asked.turns[-1].text + asked.lead),)
    # Whether a model takes a system turn is for its chat template to say.
    return tokenizer().turns(asked) if asked.turns[0].role == "system" else asked.turns
