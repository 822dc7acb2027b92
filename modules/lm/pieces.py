"""Pieces: a prompt as plain texts and control tokens, cut as the codec cuts it.

Other programs can read such a list without our code: what they need is a tokenizer, the pieces, and
which of them is a control token.
"""

from typing import NamedTuple

from modules.errors import UserError
from modules.lm.codec import Codec, text_parts
from modules.prompts.render import Rendered, Turn


class Control(NamedTuple):
    """One control token, by its spelling."""

    text: str


Piece = str | Control


class PieceCodec(Codec):
    """A codec that also says how it cuts a prompt, and what its tokenizer adds."""

    @property
    def begin(self) -> str:
        """The control token that the tokenizer itself puts before a plain text; "" for none."""
        return "".join(self._content(number) for number in self._start)

    @property
    def restarts(self) -> bool:
        """Whether text behind a control token is encoded as at the beginning of a text."""
        return self._restarts

    @property
    def controls(self) -> tuple[str, ...]:
        """The spellings of all control tokens, sorted."""
        return tuple(sorted(self._controls))

    @property
    def unmarked(self) -> tuple[str, ...]:
        """The control tokens that the tokenizer does not mark as special, sorted.

        It makes tokens of their spellings in any text, unless these are broken before.
        """
        added = self._tokenizer.added_tokens_decoder.values()
        return tuple(
            sorted(t.content for t in added if t.content in self._controls and not t.special)
        )

    def pieces(self, rendered: Rendered) -> tuple[tuple[Piece, ...], ...]:
        """Give the parts that `encode` encodes apart, as pieces.

        No two texts stand beside each other. A text that ends a part which is not the last is a
        whole line, and encoded as if more followed it. In plain text the tokenizer's own beginning
        is a piece, behind which text reads as at the beginning.
        """
        begin = [Control(self.begin)] if self.begin and not rendered.is_chat else []
        parts = self._chat_parts(rendered)[0] if rendered.is_chat else text_parts(rendered)
        first, *later = (self._named(runs) for runs in self._cut(parts))
        return ((*begin, *first), *map(tuple, later))

    def turns(self, rendered: Rendered) -> tuple[Turn, ...]:
        """Give the turns as the chat template takes them.

        A system turn that it refuses or drops opens the first user turn.

        Raises:
            UserError: a chat rendering for a tokenizer without a chat template.
        """
        if rendered.is_chat and not self.has_chat_template:
            raise UserError("this model has no chat template: use a text layout")
        turns = rendered.turns
        if turns[0].role != "system" or self._accepts_system():
            return turns
        system, user, *rest = turns
        return (Turn(role="user", text=f"{system.text}\n\n{user.text}"), *rest)

    def spelled(self, rendered: Rendered) -> tuple[str, ...]:
        """Give the control tokens that the prompt's own text spells, each once, sorted.

        The codec keeps them text; a tokenizer that reads the whole prompt as one text does not.
        """
        texts = [*(turn.text for turn in rendered.turns), rendered.lead]
        return tuple(sorted({m for text in texts for m in self._control_pattern.findall(text)}))

    def end_text(self, number: int) -> str:
        """Give the spelling of a token that ends an answer."""
        return self._content(number) if number in self._control_ids else self.decode([number])

    def _named(self, runs: list[str | int]) -> list[Piece]:
        return [run if isinstance(run, str) else Control(self._content(run)) for run in runs]

    def _content(self, number: int) -> str:
        added = self._tokenizer.added_tokens_decoder.get(number)
        return (
            str(self._tokenizer.convert_ids_to_tokens(number)) if added is None else added.content
        )
