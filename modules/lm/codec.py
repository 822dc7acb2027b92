"""The codec: rendered turns become token ids, and data never becomes a control token.

A control token is any special token of the tokenizer and any added token that its chat template
writes. They come from the template alone: the template is run over sentinels, cut at them, and only
its own text is searched for control tokens. Everything else (instructions, demos, inputs) is
encoded as ordinary text, whatever it spells.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Literal

from jinja2 import TemplateError

from modules.errors import UserError
from modules.lm.batching import Ids
from modules.prompts.render import Rendered, Role, Turn

if TYPE_CHECKING:
    from transformers import AddedToken, PreTrainedTokenizerBase


# Private-use characters that no template writes; one pair brackets the number of a turn.
_SENTINEL = "\ue0f0{}\ue0f1"
_SENTINELS = re.compile("\ue0f0(\\d+)\ue0f1")
_CACHED_TEXTS = 65_536


_Piece = tuple[str, bool]
_State = Literal["start", "control", "line"]


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """A prompt's token ids, in three parts: `shared` is the same for all inputs, the rest is not.

    `kept` is the input where an instruction follows it: the same for all such instructions, so its
    keys and values are worth keeping. It is empty in other prompts.

    `anchor` is the text that stands right before the answer, back to the last line break: what the
    answer's own tokenisation depends on. It is None where a control token stands there. `end` is
    the token that ends an answer here.
    """

    shared: Ids
    kept: Ids
    own: Ids
    anchor: str | None
    end: int

    @property
    def ids(self) -> Ids:
        """All token ids of the prompt."""
        return self.shared + self.kept + self.own


class Codec:
    """Encodes renderings with one tokenizer.

    The shared and the kept part end behind a control token or a line break, or are empty: there no
    tokenizer merges across, so the ids of one part do not depend on the next.
    """

    def __init__(self, tokenizer: "PreTrainedTokenizerBase", end_ids: Sequence[int] = ()) -> None:
        self._tokenizer = tokenizer
        added = _control_tokens(tokenizer)
        self._controls = {token.content: number for number, token in added.items()}
        self._control_ids = frozenset(added)
        # Phi-3's marks take the white space behind them away.
        self._strip_before = {token.content for token in added.values() if token.lstrip}
        self._strip_behind = {token.content for token in added.values() if token.rstrip}
        longest_first = sorted(self._controls, key=len, reverse=True)
        self._control_pattern = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        self.end_ids = frozenset(end_ids) | _eos(tokenizer)
        start = tokenizer("a", add_special_tokens=True)["input_ids"]
        self._start: Ids = (start[0],) if start and start[0] == tokenizer.bos_token_id else ()
        self.plain = lru_cache(maxsize=_CACHED_TEXTS)(self._plain)
        self._skeleton = lru_cache(maxsize=64)(self._run_template)
        self._restarts = self._restarts_after_control()

    @property
    def has_chat_template(self) -> bool:
        """Whether chat layouts can be encoded."""
        return self._tokenizer.chat_template is not None

    def encode(self, rendered: Rendered) -> Encoded:
        """Encode one rendering.

        Raises:
            UserError: a chat rendering for a tokenizer without a chat template.
        """
        if not rendered.is_chat:
            shared, kept, own = self._encode(text_parts(rendered))
            return Encoded(
                shared=self._start + shared,
                kept=kept,
                own=own,
                anchor=rendered.lead.rpartition("\n")[2],
                end=self._end_of_text(rendered.stops),
            )
        parts, closing = self._chat_parts(rendered)
        shared, kept, own = self._encode(parts)
        last = rendered.lead or self._runs([(closing, True)])[-1]
        return Encoded(
            shared=shared,
            kept=kept,
            own=own,
            anchor=last.rpartition("\n")[2] if isinstance(last, str) else None,
            end=self._end_of_turn,
        )

    def answer_ids(self, anchor: str | None, answer: str) -> Ids:
        """Encode an answer as it continues the anchor: the ids that follow the anchor's own."""
        return self._behind_control(answer) if anchor is None else self._continue(anchor, answer)

    def decode(self, ids: Sequence[int]) -> str:
        """Turn generated ids into text, leaving control tokens out."""
        text = self._tokenizer.decode(list(ids), skip_special_tokens=True)
        assert isinstance(text, str)
        return text

    def chat_text(self, rendered: Rendered) -> str:
        """Give the whole prompt as the text that the tokenizer stands for, for people to read."""
        if not rendered.is_chat:
            return rendered.turns[-1].text + rendered.lead
        parts, _ = self._chat_parts(rendered)
        return "".join(text for part in parts for text, _ in part)

    def _chat_parts(self, rendered: Rendered) -> tuple[list[list[_Piece]], str]:
        """Give the (text, is template) pieces of each part, and the template's last text."""
        turns, opening = rendered.turns, ""
        if turns[0].role == "system" and not self._accepts_system():
            system, user = turns[:2]
            opening = f"{system.text}\n\n"
            turns = (Turn(role="user", text=opening + user.text), *turns[2:])
        skeleton = self._skeleton(tuple(turn.role for turn in turns))
        before: list[_Piece] = []
        for literal, turn in zip(skeleton, turns, strict=False):
            before += [(literal, True), (turn.text, False)]
        last = before.pop()[0]
        moved = len(opening) if len(turns) == 1 else 0
        shared, kept, own = _parts(last[moved:], rendered)
        ending: list[_Piece] = [(own, False), (skeleton[-1], True), (rendered.lead, False)]
        parts = [[*before, (last[:moved] + shared, False)], [(kept, False)], ending]
        return parts, skeleton[-1]

    @cached_property
    def _system_turns(self) -> bool:
        """Whether the template writes a system turn; some refuse it, some drop it silently."""
        turns = (Turn(role="system", text=_SENTINEL.format(0)), Turn(role="user", text="a"))
        try:
            return _SENTINEL.format(0) in self._apply(turns)
        except TemplateError:
            return False

    def _accepts_system(self) -> bool:
        return self.has_chat_template and self._system_turns

    def _run_template(self, roles: tuple[Role, ...]) -> tuple[str, ...]:
        """Run the chat template over sentinels: its own texts around them, one more than turns."""
        if not self.has_chat_template:
            raise UserError("this model has no chat template: use a text layout")
        turns = [Turn(role=role, text=_SENTINEL.format(n)) for n, role in enumerate(roles)]
        try:
            parts = _SENTINELS.split(self._apply(turns))
        except TemplateError as error:
            raise UserError(f"the model's chat template refuses {roles}: {error}") from error
        if [int(n) for n in parts[1::2]] != list(range(len(roles))):
            raise UserError("the model's chat template drops or moves a turn: use a text layout")
        return tuple(parts[0::2])

    def _apply(self, turns: Sequence[Turn]) -> str:
        messages = [{"role": turn.role, "content": turn.text} for turn in turns]
        text = self._tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )
        assert isinstance(text, str)
        return text

    def _encode(self, parts: Sequence[list[_Piece]]) -> list[Ids]:
        """Encode each part as it stands behind those before it."""
        encoded: list[Ids] = []
        state: _State = "start"
        *begun, last = self._cut(parts)
        for runs in begun:
            line = runs.pop() if runs and isinstance(runs[-1], str) else ""
            assert isinstance(line, str)
            ids = self._ids(runs, state)
            state = "control" if runs else state
            if line:
                ids += self._line(line, state)
                state = "line"
            encoded.append(ids)
        encoded.append(self._ids(last, state))
        return encoded

    def _cut(self, parts: Sequence[list[_Piece]]) -> list[list[str | int]]:
        """Give each part's runs; what stands behind a part's last possible cut moves to the next.

        A text that ends a part which is not the last is a whole line.
        """
        cut: list[list[str | int]] = []
        moved = ""
        for pieces in parts[:-1]:
            runs = self._runs([(moved, False), *pieces])
            tail = runs.pop() if runs and isinstance(runs[-1], str) else ""
            assert isinstance(tail, str)
            line, newline, moved = tail.rpartition("\n")
            cut.append([*runs, line + newline] if newline else runs)
        cut.append(self._runs([(moved, False), *parts[-1]]))
        return cut

    def _runs(self, pieces: Sequence[tuple[str, bool]]) -> list[str | int]:
        """Join pieces into runs of plain text (str) and control tokens (int)."""
        runs: list[str | int] = []
        for text, is_template in pieces:
            if not is_template:
                _append_text(runs, text)
                continue
            at, control = 0, ""
            for match in self._control_pattern.finditer(text):
                before = self._stripped(text[at : match.start()], control, match.group())
                control, at = match.group(), match.end()
                _append_text(runs, before)
                runs.append(self._controls[control])
            _append_text(runs, self._stripped(text[at:], control, ""))
        return runs

    def _stripped(self, text: str, before: str, behind: str) -> str:
        """Strip the template's text between two control tokens as these ask for it."""
        text = text.lstrip() if before in self._strip_behind else text
        return text.rstrip() if behind in self._strip_before else text

    def _ids(self, runs: Sequence[str | int], state: _State) -> Ids:
        ids: list[int] = []
        for run in runs:
            if isinstance(run, int):
                ids.append(run)
            else:
                ids.extend(self._text(run, state))
            state = "control"
        return tuple(ids)

    def _text(self, text: str, state: _State) -> Ids:
        """Encode text as it stands at the start, behind a control token, or on a later line."""
        if state == "start":
            return self.plain(text)
        return self._behind_control(text) if state == "control" else self._continue("", text)

    def _behind_control(self, text: str) -> Ids:
        return self.plain(text) if self._restarts else self._continue("", text)

    def _end_of_text(self, stops: Sequence[str]) -> int:
        """The token that ends an answer in plain text: the stop; demos put an empty line there."""
        stop = stops[0] if stops else "\n"
        following = "\n\na" if stop == "\n" else f"{stop}a"
        return next(iter(self._continue("a", following)), self._any_end)

    @cached_property
    def _end_of_turn(self) -> int:
        """The token that the chat template puts behind an assistant's turn."""
        try:
            closing = self._skeleton(("user", "assistant", "user"))[2]
        except UserError:
            return self._any_end
        return next(
            (run for run in self._runs([(closing, True)]) if isinstance(run, int)), self._any_end
        )

    @property
    def _any_end(self) -> int:
        eos = self._tokenizer.eos_token_id
        return min(self.end_ids, default=-1) if eos is None else int(eos)

    def _restarts_after_control(self) -> bool:
        """Whether text behind a control token reads as at the beginning, dummy prefix and all."""
        for control, number in self._controls.items():
            ids = tuple(self._tokenizer(f"a{control}a", add_special_tokens=False)["input_ids"])
            if number in ids:
                return ids[ids.index(number) + 1 :] == self.plain("a")
        return True

    def _line(self, text: str, state: _State) -> Ids:
        """Encode text that ends a line as if more followed: GPT-2 splits "\\n\\n" only then."""
        whole, more = self._text(text + "a", state), self._continue("", "a")
        return whole[: -len(more)] if whole[-len(more) :] == more else self._text(text, state)

    def _continue(self, anchor: str, text: str) -> Ids:
        """Encode text as it follows the anchor; "" is the beginning of a later line."""
        anchor = anchor or "\n"
        whole, start = self.plain(anchor + text), self.plain(anchor)
        if whole[: len(start)] != start:
            # The two merge: what the anchor did not say by itself is then said by the text alone.
            return self.plain(text)
        return whole[len(start) :]

    def _plain(self, text: str) -> Ids:
        """Encode text in which nothing is a control token."""
        if not text:
            return ()
        text = text.encode("utf-8", "replace").decode("utf-8")
        ids = self._tokenize(text)
        if not any(token in self._control_ids for token in ids):
            return ids
        # An added token that is not marked special: break its spelling after its first character.
        # What a normaliser still turns into one is left out.
        pieces, at = [], 0
        while match := self._control_pattern.search(text, at):
            pieces.append(text[at : match.start() + 1])
            at = match.start() + 1
        pieces.append(text[at:])
        broken = (token for piece in pieces if piece for token in self._tokenize(piece))
        return tuple(token for token in broken if token not in self._control_ids)

    def _tokenize(self, text: str) -> Ids:
        encoded: Any = self._tokenizer(text, add_special_tokens=False, split_special_tokens=True)
        return tuple(encoded["input_ids"])


def _parts(text: str, rendered: Rendered) -> tuple[str, str, str]:
    """Cut the last turn's text where its shared part ends, and where its kept part ends."""
    shared, kept = rendered.n_shared_chars, max(rendered.n_shared_chars, rendered.n_kept_chars)
    return text[:shared], text[shared:kept], text[kept:]


def token_ids(given: int | Sequence[int] | None) -> list[int]:
    """Give the tokens of a setting that may hold none, one or several."""
    return [] if given is None else [given] if isinstance(given, int) else list(given)


def text_parts(rendered: Rendered) -> list[list[_Piece]]:
    """Give the pieces of each part of a plain-text prompt."""
    texts = _parts(rendered.turns[-1].text + rendered.lead, rendered)
    return [[(text, False)] for text in texts]


def _append_text(runs: list[str | int], text: str) -> None:
    if not text:
        return
    if runs and isinstance(runs[-1], str):
        runs[-1] += text
    else:
        runs.append(text)


def _control_tokens(tokenizer: "PreTrainedTokenizerBase") -> "dict[int, AddedToken]":
    template = tokenizer.chat_template
    written = template if isinstance(template, str) else ""
    named = {tokenizer.bos_token, tokenizer.eos_token, tokenizer.pad_token}
    return {
        number: token
        for number, token in tokenizer.added_tokens_decoder.items()
        if token.content.strip()
        and (token.special or token.content in named or token.content in written)
    }


def _eos(tokenizer: "PreTrainedTokenizerBase") -> frozenset[int]:
    eos = tokenizer.eos_token_id
    return frozenset() if eos is None else frozenset({eos})
