"""The text: filled and given to the plain tokenizer, it is what the codec makes of the prompt."""

from pathlib import Path

import pytest
from transformers import AutoTokenizer

from burnish.export import export
from burnish.exports import text as text_export
from modules.lm.codec import Codec
from modules.prompts import Demo, InputCap, cut, render
from tests.burnish_tests.exports.frozen import LAYOUTS, artifact_for, prompt_of

INPUTS = ("An instant classic that I loved.", "  so\n\nso 👍 é ", "one two three four five")
DEMOS = (Demo(text="it was good", label="pos"), Demo(text="bad.\nnot good {x}", label="neg"))
KINDS = ("gpt2", "gpt2-tool", "llama2-no-system", "phi3-drops-system")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_plain_tokenizer_makes_the_codecs_ids(
    folders: dict[str, Path], kind: str, layout: str
) -> None:
    prompt = prompt_of(layout, demos=DEMOS, cap=InputCap(words=4, keep="both"))
    made = export(artifact_for(prompt, folders[kind]), "text")
    tokenizer = AutoTokenizer.from_pretrained(folders[kind])
    for given in INPUTS:
        filled = made.files[""].replace("{input}", cut(given, prompt.cap))
        is_text = prompt.layout.kind == "text"
        ids = tokenizer(filled, add_special_tokens=is_text)["input_ids"]
        assert tuple(ids) == Codec(tokenizer).encode(render(prompt, given)).ids
    assert not any("spells" in note for note in made.notes)


def test_a_prompt_that_spells_control_tokens_is_warned_of(folders: dict[str, Path]) -> None:
    made = export(artifact_for(prompt_of("chat"), folders["gpt2"]), "text")
    assert any("the prompt's own text spells <|im_end|>:" in note for note in made.notes)


def test_a_text_layout_needs_no_model(folders: dict[str, Path]) -> None:
    def absent() -> None:
        raise AssertionError("the tokenizer was asked for")

    prompt = prompt_of(demos=(Demo(text="say {input} or {input_1}", label="pos"),))
    made = text_export.export(artifact_for(prompt, folders["gpt2"]), absent)  # type: ignore[arg-type]
    assert made.files[""].count("{input_2}") == 1
    assert made.files[""].endswith("Review: {input_2}\nSentiment:")


@pytest.mark.parametrize(
    ("cap", "said"),
    [
        (InputCap(), "the input, without the white space around it"),
        (InputCap(words=3), "only its first 3 words"),
        (InputCap(words=3, keep="tail"), "only its last 3 words"),
        (InputCap(words=3, keep="both"), "only its first 2 and its last 1 words, with ' … '"),
    ],
)
def test_the_notes_say_how_to_fill_it(folders: dict[str, Path], cap: InputCap, said: str) -> None:
    made = export(artifact_for(prompt_of(cap=cap), folders["gpt2"]), "text")
    assert any(said in note for note in made.notes)
