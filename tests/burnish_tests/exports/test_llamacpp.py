"""For llama.cpp: the text, a grammar of exactly the answers, and the biases."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from burnish.export import export, joined
from burnish.exports.llamacpp import grammar
from modules.prompts import InputCap, answers, reading
from tests.burnish_tests.exports.frozen import artifact_for, model_for, prompt_of
from tests.burnish_tests.exports.hostile import LINE

_LITERAL = re.compile(r'"((?:[^"\\]|\\.)*)"')
_ESCAPE = re.compile(r'\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([nrt"\\\[\]]))')


def read_grammar(text: str) -> list[str]:
    """Give the texts that a grammar of one rule with string literals allows."""
    rules = [line for line in text.splitlines() if line and not line.startswith("#")]
    (rule,) = rules
    body = rule.removeprefix("root ::= ")
    assert _LITERAL.sub("", body).replace("|", "").strip() == ""
    return [_ESCAPE.sub(_escaped, literal) for literal in _LITERAL.findall(body)]


def _escaped(found: re.Match[str]) -> str:
    digits = found[1] or found[2] or found[3]
    return (
        chr(int(digits, 16))
        if digits
        else {"n": "\n", "r": "\r", "t": "\t"}.get(found[4], found[4])
    )


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(texts=st.lists(LINE | st.text(st.characters(exclude_categories=("Cs",))), min_size=1))
def test_the_grammar_allows_the_answers_and_nothing_else(texts: list[str]) -> None:
    assert read_grammar(grammar(texts)) == texts


@pytest.mark.parametrize("layout", ["text", "chat", "chat, lead"])
@pytest.mark.parametrize(("kind", "begin"), [("gpt2", ""), ("llama2-no-system", "<bos>")])
def test_the_files(folders: dict[str, Path], kind: str, begin: str, layout: str) -> None:
    prompt = prompt_of(layout, words=("bad", "good"), cap=InputCap(words=7))
    artifact = artifact_for(prompt, folders[kind])
    files = export(artifact, "llamacpp").files
    assert list(files) == ["prompt.txt", "grammar.gbnf", "command.txt"]
    assert files["prompt.txt"] == export(artifact, "text").files[""].removeprefix(begin)
    assert read_grammar(files["grammar.gbnf"]) == list(answers(prompt))
    assert artifact.sha256 in files["grammar.gbnf"]
    assert f"artifact {artifact.sha256}" in files["command.txt"]
    assert "only its first 7 words" in files["command.txt"]


def test_the_biases_stand_on_the_first_tokens(folders: dict[str, Path]) -> None:
    prompt = prompt_of(words=("bad", "good"), bias=(0.75, -1.25))
    artifact = artifact_for(prompt, folders["gpt2"])
    codec = model_for(artifact).codec
    first = [codec.answer_ids("Sentiment:", text)[0] for text in answers(prompt)]
    command = export(artifact, "llamacpp").files["command.txt"]
    given_to = re.findall(r"--logit-bias (\d+)\+([\d.]+)", command)
    assert given_to == [(str(first[0]), "100.75"), (str(first[1]), "98.75")]


@pytest.mark.parametrize("words", [("good bad", "good"), ("bad", "bad good")])
def test_answers_that_begin_alike_have_no_bias_and_a_note(
    folders: dict[str, Path], words: tuple[str, str]
) -> None:
    made = export(artifact_for(prompt_of(words=words), folders["gpt2"]), "llamacpp")
    assert "--logit-bias" not in made.files["command.txt"]
    assert any("do not settle them" in note for note in made.notes)


def test_the_command_fills_the_prompt_and_calls(folders: dict[str, Path], tmp_path: Path) -> None:
    artifact = artifact_for(prompt_of("chat"), folders["gpt2"])
    for name, text in export(artifact, "llamacpp").files.items():
        (tmp_path / name).write_bytes(text.encode())
    called = tmp_path / "llama-completion"
    called.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {shlex.quote(str(tmp_path / "called"))}\n')
    called.chmod(0o755)
    path = f"{tmp_path}:{Path(sys.executable).parent}:/usr/bin:/bin"
    subprocess.run(["sh", "command.txt"], cwd=tmp_path, env={"PATH": path}, check=True)
    placeholder = reading(artifact.prompt).placeholder
    whole = (tmp_path / "prompt.txt").read_bytes().decode()
    assert (tmp_path / "filled.txt").read_bytes().decode() == whole.replace(
        placeholder, "An input."
    )
    arguments = (tmp_path / "called").read_text().splitlines()
    assert arguments[arguments.index("-bf") + 1] == "filled.txt"
    assert arguments[arguments.index("--grammar-file") + 1] == "grammar.gbnf"
    assert {"--no-escape", "-no-cnv"} <= set(arguments)


def test_as_one_text_it_has_headed_sections(folders: dict[str, Path]) -> None:
    made = export(artifact_for(prompt_of(), folders["gpt2"]), "llamacpp")
    headed = re.findall(r"^==> (\S+) <==$", joined(made), re.MULTILINE)
    assert headed == ["prompt.txt", "grammar.gbnf", "command.txt"]
