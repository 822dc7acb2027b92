"""The answers in tokens, and whether their first tokens decide between them."""

from dataclasses import dataclass

from burnish.exports.form import rendered
from modules.lm.batching import Ids
from modules.lm.pieces import PieceCodec
from modules.prompts import Artifact, answers


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A label, what the model says for it, that in tokens, and the label's bias."""

    label: str
    text: str
    ids: Ids
    bias: float


@dataclass(frozen=True, kw_only=True)
class AnswerTokens:
    """The answers, and the token that ends one.

    `first_decides`: the first tokens all differ, and none of them begins another answer, so that
    after the first token an answer is settled.
    """

    answers: tuple[Answer, ...]
    end: int
    first_decides: bool

    @property
    def longest(self) -> int:
        """The most tokens of an answer, its end not counted."""
        return max(len(answer.ids) for answer in self.answers)


def answer_tokens(artifact: Artifact, codec: PieceCodec) -> AnswerTokens:
    """Encode the answers of a prompt as `choose` does."""
    prompt = artifact.prompt
    encoded = codec.encode(rendered(artifact))
    found = tuple(
        Answer(label=label, text=text, ids=codec.answer_ids(encoded.anchor, text), bias=bias)
        for label, text, bias in zip(prompt.label_names, answers(prompt), prompt.bias, strict=True)
    )
    return AnswerTokens(answers=found, end=encoded.end, first_decides=_first_decides(found, codec))


def _first_decides(found: tuple[Answer, ...], codec: PieceCodec) -> bool:
    begun = [codec.decode(answer.ids[:1]).strip() for answer in found]
    return len({answer.ids[0] for answer in found}) == len(found) and not any(
        other is not answer and other.text.strip().startswith(start)
        for answer, start in zip(found, begun, strict=True)
        for other in found
    )
