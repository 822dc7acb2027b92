"""`burnish export`: a frozen prompt in the form of another program."""

import argparse
import importlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from burnish.exports.form import Export, Tokenizer, one_line
from burnish.terminal import harmless
from modules.errors import UserError
from modules.files import make_folder, write_atomic
from modules.prompts import Artifact, load_artifact, reading

if TYPE_CHECKING:
    from modules.lm.pieces import PieceCodec

FORMATS = {
    "dspy": "burnish.exports.dspy_program",
    "messages": "burnish.exports.messages",
    "text": "burnish.exports.text",
    "jinja": "burnish.exports.jinja",
    "ollama": "burnish.exports.ollama",
    "llamacpp": "burnish.exports.llamacpp",
    "python": "burnish.exports.python",
}


_WHOLE = {"messages"}  # the forms that can hold all prompts of an ensemble
_WEIGHING = {"python"}  # the forms that can hold evidence
_WORDS_ALONE = (
    "label words and their bias alone are in it: the other words that the prompt weighs, and the "
    "accuracy that they are worth, only --to python has"
)


class Exporter(Protocol):
    """What a format's module has."""

    def export(self, artifact: Artifact, tokenizer: Tokenizer) -> Export: ...


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the artifact, the format and where the export goes."""
    parser.add_argument("artifact", type=Path, help="the frozen prompt, a JSON file")
    parser.add_argument("--to", required=True, choices=FORMATS, help="the form")
    parser.add_argument(
        "--out",
        type=Path,
        help="a file, or for llamacpp a folder; without it, standard output",
    )
    parser.add_argument(
        "--member",
        type=int,
        metavar="N",
        help="of an ensemble only its prompt N, from 1; its answers are not the ensemble's",
    )


def run(options: argparse.Namespace) -> None:
    """Export, write, and say on standard error what the form does not.

    Raises:
        UserError: a broken artifact, a model that is not here, a place that cannot be written.
    """
    made = export(load_artifact(options.artifact), options.to, options.member)
    for note in made.notes:
        print(f"note: {one_line(note)}", file=sys.stderr)
    if options.out is None:
        _print(joined(made))
    else:
        write(made, options.out)


def export(artifact: Artifact, form: str, member: int | None = None) -> Export:
    """Make an export; the tokenizer of the artifact's model is loaded where the form needs it.

    Args:
        artifact: the frozen prompt.
        form: one of `FORMATS`.
        member: which prompt of an ensemble, from 1; None is the only one there is.

    Raises:
        UserError: the model is not here or another one, or cannot express the prompt; an ensemble
            in a form of one prompt, or no such member.
    """
    if member is not None or form not in _WHOLE:
        artifact, note = one_prompt(artifact, member)
    else:
        note = None
    known: list[PieceCodec] = []

    def tokenizer() -> "PieceCodec":
        if not known:
            known.append(
                importlib.import_module("modules.lm.tokenizer").load_tokenizer(artifact.model)
            )
        return known[0]

    exporter = cast(Exporter, importlib.import_module(FORMATS[form]))
    made = exporter.export(artifact, tokenizer)
    notes = [*made.notes, *([] if note is None else [note])]
    if form not in _WEIGHING and any(prompt.evidence is not None for prompt in artifact.prompts):
        notes.append(_WORDS_ALONE)
    return replace(made, notes=tuple(notes))


def one_prompt(artifact: Artifact, member: int | None) -> tuple[Artifact, str | None]:
    """Give the artifact with one of its prompts alone, and what is to be said of that.

    It keeps the digest of the whole, which says where the prompt is from.

    Raises:
        UserError: an ensemble without a member's number, or a number that it has not.
    """
    n = len(artifact.prompts)
    if member is None:
        if n > 1:
            raise UserError(
                f"this is an ensemble of {n} prompts, and this form holds one: give --member N, "
                f"1 to {n}, for one of them (its answers are not the ensemble's), or --to messages"
            )
        return artifact, None
    if not 1 <= member <= n:
        raise UserError(f"--member must be from 1 to {n}, got {member}")
    prompt = artifact.prompts[member - 1]
    alone = artifact.model_copy(
        update={
            "prompt": prompt,
            "members": (),
            "prompt_id": prompt.identity(),
            "reading": reading(prompt),
        }
    )
    return alone, f"prompt {member} of {n}: its answers are not the ensemble's" if n > 1 else None


def joined(made: Export) -> str:
    """Give an export as one text: several files under a heading each."""
    if list(made.files) == [""]:
        return made.files[""]
    return "\n".join(
        f"==> {name} <==\n{text}{'' if text.endswith(chr(10)) else chr(10)}"
        for name, text in made.files.items()
    )


def write(made: Export, out: Path) -> None:
    """Write an export to a file, or into a folder if it has several; each whole or not at all.

    Raises:
        UserError: the place cannot be written to.
    """
    several = list(made.files) != [""]
    make_folder(out if several else out.parent)
    for name, text in made.files.items():
        write_atomic(out / name if several else out, text)


def _print(text: str) -> None:
    """Write to standard output, byte for byte; a terminal gets nothing that it would obey."""
    if sys.stdout.isatty() and harmless(text) != text:
        raise UserError(
            "the export holds characters that a terminal obeys or hides: give --out, or a pipe"
        )
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()
