"""The codec: data stays data, and two parts make the very tokens of the whole."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from modules.errors import UserError
from modules.files import cache_dir
from modules.lm.codec import Codec
from modules.prompts import Prompt, render
from modules.prompts.render import Rendered, Turn
from tests import tiny
from tests.modules_tests.prompts.strategies import prompts

BUILT: dict[str, Callable[[], PreTrainedTokenizerBase]] = {
    "gpt2": tiny.byte_level_tokenizer,
    "gpt2-bos": lambda: tiny.byte_level_tokenizer(adds_bos=True),
    "gpt2-no-system": lambda: tiny.byte_level_tokenizer(tiny.NO_SYSTEM),
    "llama2": tiny.sentencepiece_tokenizer,
    "llama2-no-system": lambda: tiny.sentencepiece_tokenizer(tiny.NO_SYSTEM),
    "phi3": lambda: tiny.sentencepiece_tokenizer(prepend="always", strips=True),
    "phi3-drops-system": lambda: tiny.sentencepiece_tokenizer(
        tiny.DROPS_SYSTEM, prepend="always", strips=True
    ),
}
REAL = sorted(path.name for path in cache_dir("models").glob("*-*") if path.is_dir())
FAST = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(
    scope="module",
    params=[*BUILT, *(pytest.param(name, marks=pytest.mark.real_model) for name in REAL)],
)
def tokenizer(request: pytest.FixtureRequest) -> PreTrainedTokenizerBase:
    if request.param in BUILT:
        return BUILT[request.param]()
    return AutoTokenizer.from_pretrained(cache_dir("models") / request.param)


@pytest.fixture(scope="module")
def codec(tokenizer: PreTrainedTokenizerBase) -> Codec:
    return Codec(tokenizer)


@pytest.fixture(scope="module")
def controls(tokenizer: PreTrainedTokenizerBase) -> dict[str, int]:
    """By our own reading: special tokens, and added ones that the template writes."""
    written = tokenizer.chat_template or ""
    return {
        token.content: number
        for number, token in tokenizer.added_tokens_decoder.items()
        if token.content.strip() and (token.special or token.content in written)
    }


def hostile(controls: dict[str, int]) -> st.SearchStrategy[str]:
    """Text that spells control tokens, whole and in pieces, among emoji and combining marks."""
    spelled = [
        *controls,
        "<|im_",
        "start|>",
        "<",
        "|>",
        "<bos",
        "\ue0f00\ue0f1",
        "👩‍👩‍👧",
        "e\u0301",
        "\u0301",
    ]
    piece = st.sampled_from(spelled) | st.text(st.characters(), max_size=6)
    return st.lists(piece, max_size=6).map("".join)


def kind(prompt: Prompt, codec: Codec) -> Prompt:
    """Without a chat template only text layouts can be encoded."""
    if codec.has_chat_template or prompt.layout.kind == "text":
        return prompt
    layout = prompt.layout.model_copy(
        update={"kind": "text", "system": False, "answer_lead": prompt.layout.answer_lead or "A:"}
    )
    return prompt.model_copy(update={"layout": layout})


@FAST
@given(data=st.data())
def test_data_never_makes_a_control_token(codec: Codec, controls: dict[str, int], data) -> None:
    text = data.draw(hostile(controls))
    assert not set(codec.plain(text)) & set(controls.values())


@FAST
@given(data=st.data())
def test_controls_are_the_templates_own(codec: Codec, controls: dict[str, int], data) -> None:
    prompt = kind(data.draw(prompts()), codec)
    rendered, bland = render(prompt, data.draw(hostile(controls))), render(prompt, "x")
    marks = set(controls.values())
    one, other = codec.encode(rendered), codec.encode(bland)
    assert [i for i in one.ids if i in marks] == [i for i in other.ids if i in marks]


@FAST
@given(data=st.data())
def test_shared_part_is_the_same_for_any_two_inputs(codec: Codec, controls, data) -> None:
    prompt = kind(data.draw(prompts()), codec)
    one, other = data.draw(hostile(controls)), data.draw(hostile(controls))
    assert codec.encode(render(prompt, one)).shared == codec.encode(render(prompt, other)).shared


@FAST
@given(data=st.data())
def test_plain_text_comes_back(codec: Codec, data) -> None:
    text = data.draw(st.text(st.characters(exclude_categories=("C",)), max_size=20))
    assert codec.decode(codec.plain("a" + text)).removeprefix(" ") == "a" + text


PLAIN = st.text(st.sampled_from("abc not good .,!?'é👍\n\n2"), max_size=30)


@FAST
@given(data=st.data())
def test_two_parts_are_the_tokens_of_the_whole_text(
    tokenizer: PreTrainedTokenizerBase, codec: Codec, data
) -> None:
    """What the tokenizer itself makes of the whole, template, data and all."""
    prompt = kind(data.draw(prompts()), codec)
    plain = {
        "instruction": tuple(
            p.model_copy(update={"text": "Say " + data.draw(PLAIN) + "."})
            for p in prompt.instruction
        ),
        "demos": tuple(d.model_copy(update={"text": data.draw(PLAIN)}) for d in prompt.demos),
        "words": tuple(w.model_copy(update={"word": f"w{w.label}"}) for w in prompt.words),
    }
    prompt = prompt.model_copy(update=plain)
    rendered = render(prompt, "a" + data.draw(PLAIN))
    whole = tokenizer(codec.chat_text(rendered), add_special_tokens=not rendered.is_chat)
    assert list(codec.encode(rendered).ids) == whole["input_ids"]


@FAST
@given(
    anchor=st.sampled_from(["It was", "Sentiment:", "→", '{"a":', "A"]),
    answer=st.text(max_size=8).map(lambda text: " w" + text),
)
def test_answer_continues_its_anchor(codec: Codec, anchor: str, answer: str) -> None:
    ids = codec.answer_ids(anchor, answer)
    assert codec.plain(anchor) + ids == codec.plain(anchor + answer)


def test_shared_part_takes_all_that_does_not_depend_on_the_input(codec: Codec) -> None:
    body = "Judge this.\n\n" + "Review: x\nMood: good\n\n" * 3
    turn = Turn(role="text", text=body + "Review: new\n")
    rendered = Rendered(
        turns=(turn,), n_shared_chars=len(body), lead="Mood:", answer_start=" ", stops=("\n",)
    )
    encoded = codec.encode(rendered)
    assert codec.decode(encoded.shared).strip() == body.strip()
    assert codec.decode(encoded.own).strip() == "Review: new\nMood:"


def chat(*turns: tuple[str, str]) -> Rendered:
    made = tuple(Turn(role=role, text=text) for role, text in turns)  # type: ignore[arg-type]
    return Rendered(turns=made, n_shared_chars=0, lead="", answer_start="", stops=())


@pytest.mark.parametrize("template", [tiny.NO_SYSTEM, tiny.DROPS_SYSTEM], ids=["refuse", "drop"])
def test_a_system_turn_that_the_template_does_not_write_opens_the_user_turn(template: str) -> None:
    codec = Codec(tiny.byte_level_tokenizer(template))
    with_system = codec.encode(chat(("system", "Be brief."), ("user", "Hi.")))
    assert with_system.ids == codec.encode(chat(("user", "Be brief.\n\nHi."))).ids
    assert "Be brief.\n\n" in codec.decode(with_system.shared)


def test_chat_needs_a_template() -> None:
    with pytest.raises(UserError, match="no chat template: use a text layout"):
        Codec(tiny.byte_level_tokenizer(None)).encode(chat(("user", "Hi.")))


def test_a_template_that_drops_a_turn_is_refused() -> None:
    codec = Codec(tiny.byte_level_tokenizer("{{ messages[-1]['content'] }}"))
    with pytest.raises(UserError, match="drops or moves a turn"):
        codec.encode(chat(("user", "a"), ("assistant", "b"), ("user", "c")))


def test_a_template_that_refuses_the_roles_is_a_user_error() -> None:
    codec = Codec(tiny.byte_level_tokenizer("{{ raise_exception('never') }}"))
    with pytest.raises(UserError, match=r"chat template refuses .*never"):
        codec.encode(chat(("user", "a")))


def test_an_unmarked_added_token_is_control_only_where_the_template_writes_it() -> None:
    writes = Codec(tiny.byte_level_tokenizer(tiny.UNMARKED + tiny.CHATML))
    number = tiny.byte_level_tokenizer().convert_tokens_to_ids(tiny.UNMARKED)
    assert number in writes.encode(chat(("user", "a"))).shared
    assert number not in writes.plain(f"x{tiny.UNMARKED}y{tiny.UNMARKED * 2}")
    assert number in Codec(tiny.byte_level_tokenizer()).plain(tiny.UNMARKED)


@pytest.mark.parametrize("is_restart", [True, False], ids=["always", "first"])
def test_answer_behind_a_control_token_is_encoded_as_the_tokenizer_would(is_restart: bool) -> None:
    closing = tiny.CHATML.replace("<|im_start|>assistant\n' }}{% endif", "<|im_start|>' }}{% endif")
    tokenizer = tiny.sentencepiece_tokenizer(closing, prepend="always" if is_restart else "first")
    codec = Codec(tokenizer)
    encoded = codec.encode(chat(("user", "a")))
    assert encoded.anchor is None
    whole = tokenizer("x<|im_start|>good", add_special_tokens=False)["input_ids"]
    mark = tokenizer.convert_tokens_to_ids("<|im_start|>")
    assert list(codec.answer_ids(None, "good")) == whole[whole.index(mark) + 1 :]
