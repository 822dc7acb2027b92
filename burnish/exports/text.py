"""The exact text that the model reads, with a placeholder for the input."""

from burnish.exports.form import (
    Export,
    Tokenizer,
    input_rule,
    made_from,
    placeholder,
    rendered,
    special_note,
    whole_text,
)
from modules.prompts import Artifact


def export(artifact: Artifact, tokenizer: Tokenizer) -> Export:
    """Give the text; where it comes from stands in a note, as the text has no room for it."""
    asked = rendered(artifact)
    notes = [
        made_from(artifact),
        f"{placeholder(artifact)} stands for {input_rule(artifact.prompt.cap)}",
    ]
    if asked.is_chat:
        notes.append("it has all special tokens in it: tokenize with add_special_tokens=False")
        notes += special_note(tokenizer().spelled(asked))
    else:
        notes.append("the tokenizer's own beginning is not in it: add_special_tokens=True")
    return Export.single(whole_text(artifact, tokenizer), *notes)
