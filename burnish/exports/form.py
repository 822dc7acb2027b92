"""What the exports share: what one is, where it says it is from, and the prompt as one text."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from burnish.terminal import harmless
from modules.errors import UserError
from modules.prompts import Artifact, Rendered, reading, render
from modules.prompts.prompt import InputCap
from modules.prompts.render import GAP

if TYPE_CHECKING:
    from modules.lm.pieces import PieceCodec

# A tokenizer takes a moment, and perhaps a download: it is loaded by those who need it.
Tokenizer = Callable[[], "PieceCodec"]


@dataclass(frozen=True, kw_only=True)
class Export:
    """A frozen prompt in the form of another program.

    `files` maps names to texts; a format of one file has one, named "". `notes` are lines for the
    person who exports: what the form does not say, or cannot do.
    """

    files: Mapping[str, str]
    notes: tuple[str, ...] = ()

    @classmethod
    def single(cls, text: str, *notes: str) -> "Export":
        """Make an export of one file."""
        return cls(files={"": text}, notes=notes)


def one_line(text: str) -> str:
    """Give a text from a file as one harmless line, for comments and notes."""
    return harmless(text).replace("\n", "\\n")


def made_from(artifact: Artifact) -> str:
    """Say in a line which artifact an export is from and which model it is for."""
    model = artifact.model
    return one_line(
        f"Burnish artifact {artifact.sha256}, for the model {model.name} "
        f"({model.source}, weights {model.digest[:12]}, {model.dtype})"
    )


def model_json(artifact: Artifact) -> dict[str, Any]:
    """Give the model that a prompt was frozen for, as JSON values."""
    return artifact.model.model_dump(mode="json", exclude={"processor"})


def placeholder(artifact: Artifact) -> str:
    """Give the placeholder for the input, which the prompt's own text lacks."""
    return reading(artifact.prompt).placeholder


def rendered(artifact: Artifact) -> Rendered:
    """Render the prompt with the placeholder for its input."""
    return render(artifact.prompt, placeholder(artifact))


def whole_text(artifact: Artifact, tokenizer: Tokenizer) -> str:
    """Give all that the model reads as one text, with the placeholder once.

    In chat it is the model's chat template that stands around the turns.

    Raises:
        UserError: the template writes the placeholder too, or refuses the turns.
    """
    asked = rendered(artifact)
    if not asked.is_chat:
        return asked.turns[-1].text + asked.lead
    text = tokenizer().chat_text(asked)
    if text.count(placeholder(artifact)) != 1:
        raise UserError(
            f"the chat template of {artifact.model.name} writes {placeholder(artifact)} itself: "
            "export with --to messages"
        )
    return text


def two_halves(artifact: Artifact, tokenizer: Tokenizer) -> tuple[str, str]:
    """Give the texts before and behind the input."""
    before, _, behind = whole_text(artifact, tokenizer).partition(placeholder(artifact))
    return before, behind


def input_rule(cap: InputCap) -> str:
    """Say in words what happens to an input before it takes the placeholder's place."""
    if cap.words is None:
        return "the input, without the white space around it"
    kept = {
        "head": f"its first {cap.words} words",
        "tail": f"its last {cap.words} words",
        "both": f"its first {(cap.words + 1) // 2} and its last {cap.words // 2} words, "
        f"with '{GAP}' between them",
    }[cap.keep]
    return (
        f"the input, without the white space around it; of one with more than {cap.words} words "
        f"(as white space parts them) only {kept}, with single spaces"
    )


def special_note(spelled: tuple[str, ...]) -> tuple[str, ...]:
    """Warn where the prompt's own text spells control tokens, which one text cannot keep apart."""
    if not spelled:
        return ()
    shown = one_line(" ".join(spelled[:5]))
    return (
        f"the prompt's own text spells {shown}: the search read that as text, but a tokenizer that "
        "is given the whole text reads control tokens; --to python keeps them apart",
    )
