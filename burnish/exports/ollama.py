"""An Ollama Modelfile: the prompt as a template, and greedy decoding up to the answer's end.

A Modelfile has no escapes and drops what does not print, and its template is Go's: what either
would change stands in the template as a Go string.
"""

import json
import math
import re

from burnish.exports.answer_tokens import AnswerTokens, answer_tokens
from burnish.exports.form import (
    Export,
    Tokenizer,
    input_rule,
    made_from,
    one_line,
    placeholder,
    rendered,
    special_note,
    whole_text,
)
from burnish.exports.get import get_weights, home
from modules.lm.pieces import PieceCodec
from modules.prompts import Artifact, file_name
from modules.prompts.records import ModelRecord

_UNSAFE = re.compile(r'\{+|"{3,}|\A"+|"+\Z')
_INPUT_TOKENS = 1024
_CONTEXT_STEP = 1024


def export(artifact: Artifact, tokenizer: Tokenizer) -> Export:
    """Give the Modelfile; what it cannot say stands in its comments."""
    codec = tokenizer()
    tokens = answer_tokens(artifact, codec)
    # Ollama writes the beginning itself, so it must not stand in the template too.
    text = whole_text(artifact, tokenizer).removeprefix(codec.begin)
    before, _, behind = text.partition(placeholder(artifact))
    lines = [
        *(f"# {line}" for line in _comments(artifact, tokens)),
        f"FROM {place_of(artifact.model)}",
        f'TEMPLATE """{go_text(before)}{{{{ .Prompt }}}}{go_text(behind)}"""',
        "PARAMETER temperature 0",
        "PARAMETER repeat_penalty 1",
        f"PARAMETER num_predict {tokens.longest + 1}",
        f"PARAMETER num_ctx {_context(artifact, codec, tokens)}",
        *(f'PARAMETER stop "{stop}"' for stop in _stops(artifact, codec, tokens)),
    ]
    notes = (made_from(artifact), *special_note(codec.spelled(rendered(artifact))))
    return Export.single("\n".join(lines) + "\n", *notes)


def go_text(text: str) -> str:
    """Give a Go template that renders as the text and passes through a Modelfile unchanged."""
    pieces = (
        piece if piece.isprintable() else "".join(map(_visible, piece))
        for piece in _UNSAFE.sub(lambda found: _go_action(found[0]), text).split("\n")
    )
    return "\n".join(pieces)


def place_of(model: ModelRecord) -> str:
    """Say where Ollama finds the weights, as seen from the Modelfile's folder."""
    if home(model) == "package":
        return f"./{file_name(model.name)}.gguf"
    if home(model) == "hub":
        return f"./{file_name(model.source.rpartition('/')[2])}"
    name = one_line(model.name)
    return name if name.startswith(("/", "./", "../", "~")) else f"./{name}"


def _visible(char: str) -> str:
    return char if char.isprintable() or char == "\t" else _go_action(char)


def _go_action(text: str) -> str:
    escaped = "".join(
        char if char.isprintable() and char not in '"\\' else _go_escape(char) for char in text
    )
    return f'{{{{ "{escaped}" }}}}'


def _go_escape(char: str) -> str:
    return f"\\{char}" if char in '"\\' else f"\\U{ord(char):08x}"


def _comments(artifact: Artifact, tokens: AnswerTokens) -> list[str]:
    lines = [
        made_from(artifact),
        *get_weights(artifact.model, place_of(artifact.model)),
        f"Give the model {input_rule(artifact.prompt.cap)}: Ollama does not cut it.",
        "An input that spells a special token of the model is read as that token.",
        "Nothing here keeps the model to the answers; they are:",
    ]
    for answer in tokens.answers:
        lines.append(
            f"  {one_line(json.dumps(answer.text, ensure_ascii=False))} "
            f"for {one_line(answer.label)}, bias {answer.bias:+.6g}"
        )
    if not any(answer.bias for answer in tokens.answers):
        return lines
    if not tokens.first_decides:
        return [
            *lines,
            "The bias has no place here, nor in one token's log-probabilities, as the "
            "answers' first tokens do not settle them: --to python has it.",
        ]
    return [
        *lines,
        'The bias has no place here: ask /api/generate with "logprobs": true, "top_logprobs": 20',
        "(Ollama 0.12.11), add each bias to the log-probability of its answer's first token, and",
        "take the largest sum.",
    ]


def _context(artifact: Artifact, codec: PieceCodec, tokens: AnswerTokens) -> int:
    """Give room for the prompt, a long input and the answer."""
    words = artifact.prompt.cap.words
    room = _INPUT_TOKENS if words is None else min(_INPUT_TOKENS, 4 * words)
    needed = len(codec.encode(rendered(artifact)).ids) + room + tokens.longest + 1
    return _CONTEXT_STEP * math.ceil(needed / _CONTEXT_STEP)


def _stops(artifact: Artifact, codec: PieceCodec, tokens: AnswerTokens) -> tuple[str, ...]:
    """Give what ends an answer. A line break stands in the file as itself."""
    return rendered(artifact).stops or (one_line(codec.end_text(tokens.end)),)
