"""`burnish export`: a frozen prompt in the form of another program."""

import argparse
import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from burnish.exports.form import Export, Tokenizer, one_line
from burnish.terminal import harmless
from modules.errors import UserError
from modules.files import make_folder, write_atomic
from modules.prompts import Artifact, load_artifact

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


def run(options: argparse.Namespace) -> None:
    """Export, write, and say on standard error what the form does not.

    Raises:
        UserError: a broken artifact, a model that is not here, a place that cannot be written.
    """
    made = export(load_artifact(options.artifact), options.to)
    for note in made.notes:
        print(f"note: {one_line(note)}", file=sys.stderr)
    if options.out is None:
        _print(joined(made))
    else:
        write(made, options.out)


def export(artifact: Artifact, form: str) -> Export:
    """Make an export; the tokenizer of the artifact's model is loaded where the form needs it.

    Raises:
        UserError: the model is not here or another one, or cannot express the prompt.
    """
    known: list[PieceCodec] = []

    def tokenizer() -> "PieceCodec":
        if not known:
            known.append(
                importlib.import_module("modules.lm.tokenizer").load_tokenizer(artifact.model)
            )
        return known[0]

    exporter = cast(Exporter, importlib.import_module(FORMATS[form]))
    return exporter.export(artifact, tokenizer)


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
