"""The prompt: everything that turns an input into what the model reads, as one frozen value.

It holds no code and no model. `modules.prompts.render` turns it into text, and
`modules.prompts.artifact` keeps it on disk.
"""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from modules.files import canonical_json, sha256_text

PART_ROLES = ("role", "task", "labels", "guidance", "form")
PartRole = Literal["role", "task", "labels", "guidance", "form"]

_MAX_TEXT = 100_000
Text = Annotated[str, Field(max_length=_MAX_TEXT)]
Line = Annotated[str, Field(max_length=200, pattern=r"^[^\r\n]*$")]
Word = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\r\n]*$")]


class Frozen(BaseModel):
    """A value that is checked when it is made and cannot change; unknown fields are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Grown(Frozen):
    """A value whose form has grown: its JSON leaves out an `added` field that is at its default.

    So a value that uses nothing new has the same JSON, and the same digest, as before.
    """

    added: ClassVar[tuple[str, ...]] = ()

    @property
    def used_additions(self) -> tuple[str, ...]:
        """The added fields that are not at their defaults."""
        fields = type(self).model_fields
        return tuple(name for name in self.added if getattr(self, name) != fields[name].default)

    @model_serializer(mode="wrap")
    def _without_unused(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        unused = {*self.added} - {*self.used_additions}
        return {name: value for name, value in dump(self).items() if name not in unused}


class Layout(Grown):
    """How the parts of a prompt stand.

    `kind` "chat" goes through the model's chat template, "text" is one plain text. `instruction`
    says on which side of the input the instruction stands, or that it stands on both; `system` puts
    the one before the input into a system turn (chat only). `input_lead` and `answer_lead` name the
    two fields ("Review:", "Sentiment:"); in chat the answer lead opens the assistant's turn and may
    be empty. `same_line` lets the answer lead go on in the line of the input ("{input} It was").
    `separator` stands between instruction, demos and input in plain text: an empty line, a line
    break, or a line of three number signs.
    """

    added = ("separator",)

    kind: Literal["chat", "text"]
    instruction: Literal["before", "after", "both"] = "before"
    system: bool = False
    input_lead: Line = ""
    answer_lead: Line = ""
    same_line: bool = False
    separator: Literal["blank-line", "line", "rule"] = "blank-line"

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.kind == "text" and not self.answer_lead:
            raise ValueError(
                "a text layout needs an answer_lead: the answer has to start somewhere"
            )
        if self.system and (self.kind == "text" or self.instruction == "after"):
            raise ValueError("a system turn exists in chat only, with the instruction before")
        if self.kind == "chat" and self.separator != "blank-line":
            raise ValueError("a separator exists in plain text only: a chat has its turns")
        if (
            self.input_lead != self.input_lead.strip()
            or self.answer_lead != self.answer_lead.strip()
        ):
            raise ValueError("leads carry no outer spaces: the layout puts them")
        return self


class Part(Frozen):
    """One sentence of the instruction and the role that it plays."""

    role: PartRole
    text: Text


class Demo(Frozen):
    """One demonstration: the input's full text and the name of its label."""

    text: Text
    label: Text


class LabelWord(Frozen):
    """The word that the model reads and says for a label."""

    label: Text
    word: Line = Field(min_length=1)


class InputCap(Frozen):
    """How much of an input is read: at most `words` words of its head, its tail, or both."""

    words: Annotated[int, Field(ge=1)] | None = None
    keep: Literal["head", "tail", "both"] = "head"


Weight = Annotated[float, Field(ge=-1e6, le=1e6)]


class Evidence(Frozen):
    """What other words than the label words tell about the labels, where an answer begins.

    The score of a label is `scale` times the log-probability of its label word, plus its `bias`,
    plus the sum over words of its weight times the word's logit, the mean logit of all the words
    taken off. `weights` maps every label but the first, whose weights are 0, to word -> weight; all
    labels weigh the same words in the same order. `modules.prompts.evidence` computes with it.
    """

    scale: Annotated[float, Field(gt=0, le=1e6)]
    bias: tuple[Weight, ...]
    weights: Annotated[
        dict[Text, Annotated[dict[Word, Weight], Field(min_length=1, max_length=1000)]],
        Field(min_length=1),
    ]

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len({tuple(words) for words in self.weights.values()}) > 1:
            raise ValueError("the labels weigh different words, or in another order")
        if any(word != word.strip() for word in self.words):
            raise ValueError("words carry no outer spaces: the layout puts them")
        return self

    @property
    def words(self) -> tuple[str, ...]:
        """The words that are weighed, in the order of every array of their logits."""
        return tuple(next(iter(self.weights.values())))


class Prompt(Grown):
    """A whole prompt. Temperature is not part of it.

    `words` holds one entry per label, in the order of every probability array; `bias` is added to
    the labels' log-probabilities, in the same order, and is all zero when uncalibrated. `evidence`,
    where it is there, takes the place of `bias` for whoever can see the logits of all words.
    `decoding` says how the prompt was frozen to be used.
    """

    added = ("evidence",)

    layout: Layout
    instruction: tuple[Part, ...] = ()
    demos: tuple[Demo, ...] = ()
    words: Annotated[tuple[LabelWord, ...], Field(min_length=2)]
    cap: InputCap = InputCap()
    decoding: Literal["choose", "generate"] = "choose"
    bias: tuple[float, ...]
    evidence: Evidence | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        labels = self.label_names
        if len(set(labels)) != len(labels):
            raise ValueError("a label has two entries in words")
        if len({word.word.casefold() for word in self.words}) != len(labels):
            raise ValueError("two labels share a word")
        if any(word.word != word.word.strip() for word in self.words):
            raise ValueError("label words carry no outer spaces: the layout puts them")
        if len(self.bias) != len(labels):
            raise ValueError(f"bias has {len(self.bias)} values for {len(labels)} labels")
        strangers = {demo.label for demo in self.demos} - set(labels)
        if strangers:
            raise ValueError(f"demos carry unknown labels: {sorted(strangers)}")
        if self.evidence is not None:
            self._check_evidence(self.evidence)
        return self

    def _check_evidence(self, evidence: Evidence) -> None:
        labels = self.label_names
        if len(evidence.bias) != len(labels):
            raise ValueError(f"evidence: {len(evidence.bias)} biases for {len(labels)} labels")
        if tuple(evidence.weights) != labels[1:]:
            raise ValueError("evidence: the weights are not those of all labels but the first")
        if self.decoding != "choose":
            raise ValueError("evidence is for a prompt that chooses")

    @property
    def label_names(self) -> tuple[str, ...]:
        """The labels' names, in the order of `words` and `bias`."""
        return tuple(word.label for word in self.words)

    @property
    def instruction_text(self) -> str:
        """The instruction as the model reads it: the parts in order, one space between them."""
        return " ".join(part.text for part in self.instruction)

    def word(self, label: str) -> str:
        """Give the word for a label; a label without one raises KeyError."""
        return {entry.label: entry.word for entry in self.words}[label]

    def identity(self) -> str:
        """Give the sha256 of the canonical JSON: equal prompts, and only they, share it."""
        return sha256_text(canonical_json(self.model_dump(mode="json")))
