"""A Jinja2 template with the variable `input`, which it strips and cuts as the prompt's cap says.

It has no blocks, only expressions, so that no setting for the white space around blocks moves it.
"""

import json
import re

from burnish.exports.form import (
    Export,
    Tokenizer,
    made_from,
    rendered,
    special_note,
    two_halves,
)
from modules.prompts import Artifact
from modules.prompts.prompt import InputCap
from modules.prompts.render import GAP

# What Jinja could take for syntax, or for a line break to normalise.
_UNSAFE = re.compile(r"\{+|\r")


def export(artifact: Artifact, tokenizer: Tokenizer) -> Export:
    """Give the template. Rendered, it is what `--to text` gives with the input filled in."""
    before, behind = two_halves(artifact, tokenizer)
    asked = rendered(artifact)
    notes = special_note(tokenizer().spelled(asked)) if asked.is_chat else ()
    head = f"{{# {made_from(artifact).replace('#}', '# }')} -#}}\n"
    # The comment's end takes white space away up to here, and a template its last line break.
    opening = before[: len(before) - len(before.lstrip())]
    closing = behind[len(behind.rstrip()) :]
    body = [
        _literal(opening),
        protected(before[len(opening) :]),
        input_expression(artifact.prompt.cap),
        protected(behind[: len(behind) - len(closing)]),
        _literal(closing),
    ]
    return Export.single(head + "".join(body), made_from(artifact), *notes)


def protected(text: str) -> str:
    """Give a template that renders as the text, where more of a template stands around it."""
    return _UNSAFE.sub(lambda found: _literal(found[0]), text)


def input_expression(cap: InputCap) -> str:
    """Give the expression for the input, stripped and cut to the cap."""
    if cap.words is None:
        return "{{ input.strip() }}"
    n_head = {"head": cap.words, "tail": 0, "both": (cap.words + 1) // 2}[cap.keep]
    n_tail = cap.words - n_head
    head = f'input.split()[:{n_head}] | join(" ")'
    tail = f'input.split()[-{n_tail}:] | join(" ")' if n_tail else '""'
    cut = {"head": head, "tail": tail, "both": f'({head}) ~ "{GAP}" ~ ({tail})'}[cap.keep]
    return f"{{{{ ({cut}) if input.split() | length > {cap.words} else input.strip() }}}}"


def _literal(text: str) -> str:
    return f"{{{{ {json.dumps(text)} }}}}" if text else ""
