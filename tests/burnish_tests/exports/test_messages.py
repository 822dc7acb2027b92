"""The messages: through the tokenizer's own chat template they are the codec's ids."""

import json
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from burnish.export import export
from modules.lm.codec import Codec
from modules.prompts import InputCap, render
from tests.burnish_tests.exports.frozen import LAYOUTS, artifact_for, prompt_of
from tests.burnish_tests.exports.test_text import DEMOS, INPUTS, KINDS


@pytest.mark.parametrize("layout", [name for name in LAYOUTS if name.startswith("chat")])
@pytest.mark.parametrize("kind", KINDS)
def test_the_chat_template_makes_the_codecs_ids(
    folders: dict[str, Path], kind: str, layout: str
) -> None:
    prompt = prompt_of(layout, demos=DEMOS)
    value = json.loads(export(artifact_for(prompt, folders[kind]), "messages").files[""])
    tokenizer = AutoTokenizer.from_pretrained(folders[kind])
    assert value["kind"] == "chat"
    assert value["messages"][-1]["role"] == "user"
    assert ("assistant_prefill" in value) == bool(prompt.layout.answer_lead)
    for given in INPUTS:
        last = value["messages"][-1]
        filled = last["content"].replace(value["placeholder"], given.strip())
        text = tokenizer.apply_chat_template(
            [*value["messages"][:-1], {**last, "content": filled}],
            tokenize=False,
            add_generation_prompt=True,
        )
        text += value.get("assistant_prefill", "")
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        assert tuple(ids) == Codec(tokenizer).encode(render(prompt, given)).ids


def test_it_says_what_an_endpoint_does_not_know(folders: dict[str, Path]) -> None:
    prompt = prompt_of("chat, lead", cap=InputCap(words=5, keep="tail"))
    artifact = artifact_for(prompt, folders["gpt2"])
    value = json.loads(export(artifact, "messages").files[""])
    assert value["artifact"] == artifact.sha256
    assert value["model"]["digest"] == artifact.model.digest
    assert value["answers"] == {"neg": " not good", "pos": " good"}
    assert value["bias"] == {"neg": 0.4, "pos": -0.4}
    assert value["cap"] == {"words": 5, "keep": "tail"}
    assert "plus its bias" in value["rule"]


def test_plain_text_is_one_message_with_a_warning(folders: dict[str, Path]) -> None:
    artifact = artifact_for(prompt_of("text"), folders["gpt2"])
    made = export(artifact, "messages")
    value = json.loads(made.files[""])
    (message,) = value["messages"]
    assert value["kind"] == "text"
    assert message == {"role": "user", "content": export(artifact, "text").files[""]}
    assert "assistant_prefill" not in value
    assert any("a chat endpoint wraps it" in note for note in made.notes)
