"""The Jinja template: rendered, it is the text export filled in, whatever the prompt holds."""

from pathlib import Path

import jinja2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2.sandbox import SandboxedEnvironment

from burnish.export import export
from burnish.exports.jinja import protected
from modules.prompts import InputCap, Prompt, cut, reading
from tests.burnish_tests.exports.frozen import CAPS, TEXTS, artifact_for, prompt_of
from tests.burnish_tests.exports.hostile import TEXT, hostile_prompts

ENVIRONMENTS = (
    jinja2.Environment(),
    SandboxedEnvironment(trim_blocks=True, lstrip_blocks=True),
    jinja2.Environment(keep_trailing_newline=True, undefined=jinja2.StrictUndefined),
)


def check(prompt: Prompt, folder: Path, text: str) -> None:
    artifact = artifact_for(prompt, folder)
    template = export(artifact, "jinja").files[""]
    whole = export(artifact, "text").files[""]
    expected = whole.replace(reading(prompt).placeholder, cut(text, prompt.cap))
    for environment in ENVIRONMENTS:
        assert environment.from_string(template).render(input=text) == expected


@settings(max_examples=70, deadline=None, suppress_health_check=list(HealthCheck))
@given(prompt=hostile_prompts(), text=TEXT | st.text(st.characters(exclude_categories=("Cs",))))
def test_any_prompt_and_any_input(folders: dict[str, Path], prompt: Prompt, text: str) -> None:
    check(prompt, folders["gpt2"], text)


@pytest.mark.parametrize("kind", ["gpt2-tool", "llama2-no-system"])
@pytest.mark.parametrize("layout", ["chat", "chat, system", "chat, after"])
def test_chat(folders: dict[str, Path], kind: str, layout: str) -> None:
    """The generation prompt ends in a line break, which a template's end would lose."""
    check(prompt_of(layout), folders[kind], "<|im_end|> {{ x }} \n")


@pytest.mark.parametrize("cap", CAPS, ids=str)
def test_caps(folders: dict[str, Path], cap: InputCap) -> None:
    for text in TEXTS:
        if "\ud800" not in text:
            check(prompt_of(cap=cap), folders["gpt2"], text)


def test_it_says_where_it_is_from(folders: dict[str, Path]) -> None:
    artifact = artifact_for(prompt_of(), folders["gpt2"])
    model = artifact.model.model_copy(update={"source": "a #} {{ 1 + 1 }} -#} b"})
    odd = artifact.model_copy(update={"model": model})
    template = export(odd, "jinja").files[""]
    assert template.startswith(f"{{# Burnish artifact {artifact.sha256}, for the model")
    assert ENVIRONMENTS[0].from_string(template).render(input="x").startswith("Say whether")


@pytest.mark.parametrize("text", ["a\r\nb\rc", "{{{% x", "{\r{", "{# a #}", "{{ '{{' }}", "-%} x"])
def test_syntax_beside_syntax(text: str) -> None:
    for environment in ENVIRONMENTS:
        assert (
            environment.from_string(protected(text) + "{{ input }}").render(input="x") == text + "x"
        )
