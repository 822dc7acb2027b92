"""The answers in tokens, and whether their first tokens decide between them."""

from collections.abc import Mapping
from dataclasses import dataclass

from burnish.exports.form import rendered
from modules.lm.batching import Ids
from modules.lm.pieces import PieceCodec
from modules.lm.trie import forks
from modules.prompts import Artifact, answers, evidence_words


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A label, what the model says for it, that in tokens, and the label's bias."""

    label: str
    text: str
    ids: Ids
    bias: float


@dataclass(frozen=True, kw_only=True)
class Weighed:
    """Evidence in tokens: the answers part behind `begun`, where `words` are looked at.

    `weights` are those of the words for every label but the first, `scale` is that of the answers'
    log-probabilities.
    """

    begun: Ids
    scale: float
    words: Ids
    weights: Mapping[str, tuple[float, ...]]


@dataclass(frozen=True, kw_only=True)
class AnswerTokens:
    """The answers, and the token that ends one.

    `first_decides`: the first tokens all differ, and none of them begins another answer, so that
    after the first token an answer is settled. With `evidence` the answers' biases are its own.
    """

    answers: tuple[Answer, ...]
    end: int
    first_decides: bool
    evidence: Weighed | None = None

    @property
    def longest(self) -> int:
        """The most tokens of an answer, its end not counted."""
        return max(len(answer.ids) for answer in self.answers)


def answer_tokens(artifact: Artifact, codec: PieceCodec, *, weighs: bool = False) -> AnswerTokens:
    """Encode the answers of a prompt as `choose` does.

    Args:
        artifact: gives the prompt.
        codec: the model's.
        weighs: take the prompt's evidence, where it has some, in place of its bias.
    """
    prompt = artifact.prompt
    encoded = codec.encode(rendered(artifact))
    evidence = prompt.evidence if weighs else None
    biases = prompt.bias if evidence is None else evidence.bias
    found = tuple(
        Answer(label=label, text=text, ids=codec.answer_ids(encoded.anchor, text), bias=bias)
        for label, text, bias in zip(prompt.label_names, answers(prompt), biases, strict=True)
    )
    weighed = None
    if evidence is not None:
        words = evidence_words(prompt)
        weighed = Weighed(
            begun=forks([answer.ids for answer in found], encoded.end)[0].path,
            scale=evidence.scale,
            words=tuple(codec.answer_ids(encoded.anchor, word)[0] for word in words),
            weights={label: tuple(each.values()) for label, each in evidence.weights.items()},
        )
    decides = _first_decides(found, codec)
    return AnswerTokens(answers=found, end=encoded.end, first_decides=decides, evidence=weighed)


def _first_decides(found: tuple[Answer, ...], codec: PieceCodec) -> bool:
    begun = [codec.decode(answer.ids[:1]).strip() for answer in found]
    return len({answer.ids[0] for answer in found}) == len(found) and not any(
        other is not answer and other.text.strip().startswith(start)
        for answer, start in zip(found, begun, strict=True)
        for other in found
    )
