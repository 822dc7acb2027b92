"""The three parts of an encoded prompt: what stands in which, and that they make the whole."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import PreTrainedTokenizerBase

from modules.lm.codec import Codec, Ids
from modules.prompts import Layout, Prompt, render
from modules.prompts.render import Rendered, Turn
from tests import tiny
from tests.modules_tests.lm import slow

BYTES: dict[str, Callable[[], PreTrainedTokenizerBase]] = {
    "bytes": tiny.byte_level_tokenizer,
    "bytes, bos": lambda: tiny.byte_level_tokenizer(adds_bos=True),
    "bytes, no template": lambda: tiny.byte_level_tokenizer(None),
    "bytes, no template, bos": lambda: tiny.byte_level_tokenizer(None, adds_bos=True),
    "bytes, no system": lambda: tiny.byte_level_tokenizer(tiny.NO_SYSTEM),
    "bytes, drops system": lambda: tiny.byte_level_tokenizer(tiny.DROPS_SYSTEM),
    "bytes, tool is a control": lambda: tiny.byte_level_tokenizer(tiny.UNMARKED + tiny.CHATML),
}
PIECES: dict[str, Callable[[], PreTrainedTokenizerBase]] = {
    "pieces": tiny.sentencepiece_tokenizer,
    "pieces, no template": lambda: tiny.sentencepiece_tokenizer(None),
    "pieces, no system": lambda: tiny.sentencepiece_tokenizer(tiny.NO_SYSTEM),
    "pieces, always": lambda: tiny.sentencepiece_tokenizer(prepend="always"),
    "pieces, never": lambda: tiny.sentencepiece_tokenizer(prepend="never"),
    "pieces, strips": lambda: tiny.sentencepiece_tokenizer(prepend="always", strips=True),
    "pieces, strips, drops system": lambda: tiny.sentencepiece_tokenizer(
        tiny.DROPS_SYSTEM, prepend="always", strips=True
    ),
}
BUILT = BYTES | PIECES
FAST = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

HARD = [
    *tiny.SPECIALS,
    tiny.UNMARKED,
    "<|im_",
    "end|>",
    "<bos",
    "👩‍👩‍👧",
    "👍🏽",
    "e\u0301",
    "\u0301",
    "\u200d",
    "\u200f",
    "\u202eabc",
    "\n",
    "\n\n",
    " ",
    "  ",
    "\t",
    "\r\n",
    "\ue0f00\ue0f1",
]
HOSTILE = st.lists(st.sampled_from(HARD) | st.text(st.characters(), max_size=6), max_size=7).map(
    "".join
)
PLAIN = st.text(st.sampled_from("abcXYZ019 good \n\n"), max_size=30)


@dataclass(frozen=True, kw_only=True)
class Case:
    """A tokenizer, its codec, and whether it is byte-level."""

    tokenizer: PreTrainedTokenizerBase
    codec: Codec
    is_bytes: bool


@pytest.fixture(scope="module", params=BUILT)
def case(request: pytest.FixtureRequest) -> Case:
    return _case(request.param)


@pytest.fixture(scope="module", params=BYTES)
def bytes_case(request: pytest.FixtureRequest) -> Case:
    return _case(request.param)


@pytest.fixture(scope="module", params=[name for name in BUILT if "no template" not in name])
def chat_case(request: pytest.FixtureRequest) -> Case:
    return _case(request.param)


def _case(name: str) -> Case:
    tokenizer = BUILT[name]()
    return Case(tokenizer=tokenizer, codec=Codec(tokenizer), is_bytes=name in BYTES)


SEPARATORS = ("blank-line", "line", "rule")


@st.composite
def prompts(
    draw: st.DrawFn,
    case: Case,
    *,
    sides: tuple[str, ...] = ("before", "after", "both"),
    kinds: tuple[str, ...] = ("text", "chat"),
    n_demos: tuple[int, ...] = (0, 2),
    texts: st.SearchStrategy[str] = HOSTILE,
) -> Prompt:
    """Draw a prompt that the tokenizer can encode, its instruction and demos from `texts`."""
    kinds = kinds if case.codec.has_chat_template else ("text",)
    kind, side = draw(st.sampled_from(list(product(kinds, sides))))
    layout = Layout(
        kind=kind,
        instruction=side,
        system=kind == "chat" and side != "after" and draw(st.booleans()),
        input_lead=draw(st.sampled_from(["", "Review:", "→"])),
        answer_lead=draw(st.sampled_from(["It was", "Mood:"] + [""] * (kind == "chat"))),
        same_line=kind == "text" and draw(st.booleans()),
        separator=draw(st.sampled_from(SEPARATORS)) if kind == "text" else "blank-line",
    )
    prompt = slow.prompt_of(n_demos=draw(st.sampled_from(n_demos)))
    demos = tuple(demo.model_copy(update={"text": draw(texts)}) for demo in prompt.demos)
    prompt = prompt.model_copy(update={"layout": layout, "demos": demos})
    return with_instruction(prompt, draw(texts))


def with_instruction(prompt: Prompt, text: str) -> Prompt:
    """The prompt with another instruction."""
    part = prompt.instruction[0].model_copy(update={"text": text})
    return prompt.model_copy(update={"instruction": (part,)})


def controls(codec: Codec, ids: Ids) -> Counter[int]:
    """How often each control token stands in the ids."""
    return Counter(token for token in ids if token in codec._control_ids)


@FAST
@given(data=st.data())
def test_two_inputs_share_the_shared_part(case: Case, data: st.DataObject) -> None:
    prompt = data.draw(prompts(case))
    one, other = (case.codec.encode(render(prompt, data.draw(HOSTILE))) for _ in range(2))
    assert one.shared == other.shared


@FAST
@given(data=st.data())
def test_instructions_behind_the_input_share_what_stands_before(
    case: Case, data: st.DataObject
) -> None:
    prompt = data.draw(prompts(case, sides=("after",), n_demos=(0,)))
    text = data.draw(HOSTILE)
    instructions = [data.draw(HOSTILE.filter(bool)) for _ in range(2)]
    one, other = (
        case.codec.encode(render(with_instruction(prompt, instruction), text))
        for instruction in instructions
    )
    assert (one.shared, one.kept) == (other.shared, other.kept)
    if text.strip():
        assert one.kept
        assert text.split()[0][:1] in decoded(case, one.kept) or not case.is_bytes


@FAST
@given(data=st.data())
def test_inputs_differ_behind_the_shared_part(case: Case, data: st.DataObject) -> None:
    """Where an instruction follows, the kept part ends with the input: own is the same for all."""
    prompt = data.draw(prompts(case, sides=("after", "both")))
    prompt = with_instruction(prompt, "Say " + data.draw(HOSTILE))
    one, other = (case.codec.encode(render(prompt, "a" + data.draw(HOSTILE))) for _ in range(2))
    assert one.own == other.own


@FAST
@given(data=st.data())
def test_nothing_is_kept_where_no_instruction_follows(case: Case, data: st.DataObject) -> None:
    prompt = data.draw(prompts(case, sides=("before",)))
    assert case.codec.encode(render(prompt, data.draw(HOSTILE))).kept == ()
    bare = data.draw(prompts(case, sides=("after", "both"))).model_copy(update={"instruction": ()})
    assert case.codec.encode(render(bare, data.draw(HOSTILE))).kept == ()


@FAST
@given(data=st.data())
def test_an_input_adds_no_control_token(case: Case, data: st.DataObject) -> None:
    prompt = data.draw(prompts(case))
    one = case.codec.encode(render(prompt, data.draw(HOSTILE)))
    other = case.codec.encode(render(prompt, "x"))
    assert controls(case.codec, one.ids) == controls(case.codec, other.ids)
    assert controls(case.codec, one.shared) == controls(case.codec, other.shared)


@FAST
@given(data=st.data())
def test_parts_decode_to_the_prompt(bytes_case: Case, data: st.DataObject) -> None:
    """Byte for byte, spelled control tokens too; a lone surrogate is read as a question mark."""
    prompt = data.draw(prompts(bytes_case))
    rendered = render(prompt, data.draw(HOSTILE))
    ids = list(bytes_case.codec.encode(rendered).ids)
    if rendered.is_chat:
        expected = bytes_case.codec.chat_text(rendered)
    else:
        expected = rendered.turns[-1].text + rendered.lead
        if bytes_case.tokenizer("a")["input_ids"][0] == bytes_case.tokenizer.bos_token_id:
            assert ids.pop(0) == bytes_case.tokenizer.bos_token_id
    assert decoded(bytes_case, ids) == expected.encode("utf-8", "replace").decode("utf-8")


def decoded(case: Case, ids: Ids | list[int]) -> str:
    """All that the ids spell, control tokens too."""
    text = case.tokenizer.decode(list(ids), skip_special_tokens=False)
    assert isinstance(text, str)
    return text


@FAST
@given(data=st.data())
def test_parts_are_the_tokens_of_the_whole(case: Case, data: st.DataObject) -> None:
    """Text layouts with plain texts: what the tokenizer makes of the whole at once.

    Only where what stands behind a cut begins with a letter or digit. A byte-level tokenizer takes
    a run of white space as one piece, but for its last character before a word, so an empty input
    without a lead ("\\n\\n" + "\\nMood:") or an instruction that begins with an empty line
    ("x\\n" + "\\n\\nSay") would make one piece on both sides of the cut.
    """
    prompt = data.draw(prompts(case, kinds=("text",), texts=PLAIN))
    if prompt.layout.instruction != "before":
        prompt = with_instruction(prompt, "Say" + data.draw(PLAIN))
    rendered = render(prompt, "a" + data.draw(PLAIN))
    whole = case.tokenizer(rendered.turns[-1].text + rendered.lead)["input_ids"]
    assert list(case.codec.encode(rendered).ids) == whole


@pytest.mark.parametrize("name", BYTES)
def test_a_run_of_newlines_is_cut_where_the_shared_part_ends(name: str) -> None:
    """The class that is left out above: the text is the same, its tokens are not."""
    case = _case(name)
    prompt = slow.prompt_of(n_demos=0, input_lead="", answer_lead="Mood:")
    rendered = render(prompt, "")
    text = rendered.turns[-1].text + rendered.lead
    ids = case.codec.encode(rendered).ids
    assert "\n\n\n" in text
    assert list(ids) != case.tokenizer(text)["input_ids"]
    assert decoded(case, ids).removeprefix("<bos>") == text
    assert case.codec.encode(render(prompt, "x")).shared == case.codec.encode(rendered).shared


@pytest.mark.parametrize("stop", ["\n", "", "###"])
def test_text_ends_with_the_token_behind_an_answer(case: Case, stop: str) -> None:
    """An empty line follows in demos; another stop stands for itself; never the end of the text."""
    turn = Turn(role="text", text="Review: x\n")
    stops = (stop,) if stop else ()
    rendered = Rendered(
        turns=(turn,), n_shared_chars=0, lead="Mood:", answer_start=" ", stops=stops
    )
    following = "\n\nReview:" if stop in ("", "\n") else f"{stop} b"
    whole, start = (
        case.tokenizer(f"Mood: good{text}", add_special_tokens=False)["input_ids"]
        for text in (following, "")
    )
    assert whole[: len(start)] == start
    end = case.codec.encode(rendered).end
    assert end == whole[len(start)]
    assert end not in case.codec.end_ids
    assert end not in case.codec._control_ids


@pytest.mark.parametrize("end_ids", [(), (1, 4), (4, 1), (0, 1, 2), (4,)], ids=str)
@pytest.mark.parametrize("lead", ["", "Mood:"])
def test_chat_ends_with_the_templates_mark(
    chat_case: Case, end_ids: tuple[int, ...], lead: str
) -> None:
    """Whichever ids a model lists as its ends, and in whichever order."""
    codec = Codec(chat_case.tokenizer, end_ids)
    prompt = slow.prompt_of(kind="chat", answer_lead=lead, n_demos=2)
    encoded = codec.encode(render(prompt, "x <eos>"))
    assert encoded.end == chat_case.tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert codec.end_ids == {*end_ids, chat_case.tokenizer.eos_token_id}
    assert encoded.end in encoded.shared


@pytest.mark.parametrize(("eos", "end_ids", "end"), [("<eos>", (4,), 1), (None, (4, 2), 2)])
def test_chat_without_a_mark_ends_with_the_text(
    eos: str | None, end_ids: tuple[int, ...], end: int
) -> None:
    template = "{% for m in messages %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endfor %}"
    tokenizer = tiny.byte_level_tokenizer(template)
    tokenizer.eos_token = eos
    encoded = Codec(tokenizer, end_ids).encode(render(slow.prompt_of(kind="chat"), "x"))
    assert encoded.end == end
