"""The stand-alone file: the codec's ids, the distribution of `choose`, few lines, no Burnish."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers import AutoTokenizer

from burnish.export import export
from modules.lm.codec import Codec
from modules.prompts import (
    Artifact,
    Evidence,
    InputCap,
    answers,
    calibrated,
    evidence_words,
    render,
)
from tests.burnish_tests.exports.frozen import (
    CAPS,
    TEXTS,
    artifact_for,
    model_for,
    prompt_of,
)

KINDS = ("gpt2", "gpt2-tool", "llama2-no-system", "phi3-drops-system", "gemma")


def source(artifact: Artifact) -> str:
    return export(artifact, "python").files[""]


def ran(text: str) -> SimpleNamespace:
    """Run the file as a module, not as the program."""
    names: dict[str, Any] = {"__name__": "exported"}
    exec(compile(text, "exported.py", "exec"), names)
    return SimpleNamespace(**names)


def expected(artifact: Artifact, texts: tuple[str, ...]) -> np.ndarray:
    """The labels' calibrated probabilities by `choose`."""
    prompt, model = artifact.prompt, model_for(artifact)
    rendered = [render(prompt, t) for t in texts]
    scored = model.choose(rendered, answers(prompt), words=evidence_words(prompt))
    return np.exp(calibrated(prompt, scored.log_probabilities(), scored.word_logits))


def check(artifact: Artifact, text: str, tolerance: float) -> None:
    prompt = artifact.prompt
    p = expected(artifact, TEXTS)
    got = ran(text).classify(TEXTS)
    assert [label for label, _ in got] == [prompt.label_names[n] for n in p.argmax(axis=1)]
    for row, (_, found) in zip(p, got, strict=True):
        assert list(found) == list(prompt.label_names)
        assert list(found.values()) == pytest.approx(row.tolist(), abs=tolerance)


# Every kind of tokenizer and every way that a layout cuts a prompt.
PAIRS = [
    *(("gpt2-tool", layout) for layout in ("text", "text, after", "chat, lead", "chat, after")),
    *(("llama2-no-system", layout) for layout in ("text, same line", "chat, system")),
    ("phi3-drops-system", "chat, system"),
    ("gemma", "text"),
]


@pytest.mark.parametrize(("kind", "layout"), PAIRS)
def test_it_gives_what_choose_gives(folders: dict[str, Path], kind: str, layout: str) -> None:
    artifact = artifact_for(prompt_of(layout), folders[kind])
    check(artifact, source(artifact), 1e-9)


@pytest.mark.parametrize(
    ("words", "kind", "layout"),
    [
        (("good", "not good"), "gpt2", "text"),
        (("good", "good bad"), "gemma", "text"),
        (("a", "ab", "abc"), "phi3-drops-system", "chat"),
    ],
)
def test_answers_of_several_tokens_and_one_that_begins_another(
    folders: dict[str, Path], words: tuple[str, ...], kind: str, layout: str
) -> None:
    artifact = artifact_for(prompt_of(layout, words=words), folders[kind])
    check(artifact, source(artifact), 1e-9)


@pytest.mark.parametrize("cap", [CAPS[1], CAPS[2], CAPS[4]], ids=str)
def test_the_cap(folders: dict[str, Path], cap: InputCap) -> None:
    artifact = artifact_for(prompt_of("chat, after", cap=cap), folders["gpt2-tool"])
    check(artifact, source(artifact), 1e-9)


@pytest.mark.parametrize("kind", ["gpt2", "gemma"])
def test_bfloat16_runs_its_last_layer_in_full_precision(
    folders: dict[str, Path], kind: str
) -> None:
    """The same lines, on float64 weights, are exact."""
    text = source(artifact_for(prompt_of(), folders[kind], "bfloat16"))
    assert "torch.bfloat16" in text
    assert "logits_to_keep" not in text
    exact = artifact_for(prompt_of(), folders[kind])
    check(exact, text.replace("torch.bfloat16", "torch.float64"), 1e-9)


SPELLED = [
    *("<|im_start|>", "<|im_end|>", "<bos>", "<eos>", "<pad>", "<tool>"),
    *("<|im_", "start|>", "<to", "ol>", "<", "\n", " ", "{input}", "e\u0301", "👍"),
]
HOSTILE = st.lists(st.sampled_from(SPELLED) | st.text(st.characters(), max_size=4), max_size=8)


@pytest.mark.parametrize(
    ("kind", "layout"),
    [
        *(("gpt2-tool", layout) for layout in ("text", "text, after", "chat, after")),
        *(("llama2-no-system", layout) for layout in ("text, after", "chat")),
        *(("phi3-drops-system", layout) for layout in ("text", "chat, after")),
    ],
)
def test_it_encodes_as_the_codec(folders: dict[str, Path], kind: str, layout: str) -> None:
    prompt = prompt_of(layout)
    tokenizer = AutoTokenizer.from_pretrained(folders[kind])
    exported = ran(source(artifact_for(prompt, folders[kind])))
    codec = Codec(tokenizer)

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(text=HOSTILE.map("".join))
    def same(text: str) -> None:
        encoded = codec.encode(render(prompt, text))
        parts = [exported.encode(tokenizer, part, text.strip()) for part in exported.PROMPT]
        assert tuple(parts[0]) == encoded.shared
        assert tuple(parts[1]) == encoded.kept
        assert tuple(parts[2]) == encoded.own

    same()


@pytest.mark.parametrize("kind", ["gpt2-tool", "gemma"])
@pytest.mark.parametrize("words", [("not good", "good"), ("good", "good film"), ("bad", "good")])
@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_evidence_is_weighed(
    folders: dict[str, Path], kind: str, words: tuple[str, str], dtype: str
) -> None:
    for layout in ("text", "chat", "chat, after"):
        evidence = Evidence(
            scale=0.75, bias=(0.25, -0.25), weights={"pos": {"film": 1.5, "loved": -0.5, "it": 3.0}}
        )
        prompt = prompt_of(layout, words=words).model_copy(update={"evidence": evidence})
        text = source(artifact_for(prompt, folders[kind], dtype))
        assert len(text.splitlines()) <= 66
        # the lines for bfloat16, on float64 weights, are exact
        exact = artifact_for(prompt, folders[kind])
        check(exact, text.replace("torch.bfloat16", "torch.float64"), 1e-9)
        plain = artifact_for(prompt.model_copy(update={"evidence": None}), folders[kind])
        assert np.abs(expected(exact, TEXTS) - expected(plain, TEXTS)).max() > 0.01


def test_it_is_short_and_imports_only_the_two_libraries(folders: dict[str, Path]) -> None:
    for kind in ("gpt2-tool", "gemma"):
        for layout in ("text", "chat, after"):
            for dtype in ("float32", "bfloat16"):
                prompt = prompt_of(layout, cap=InputCap(words=256, keep="both"))
                text = source(artifact_for(prompt, folders[kind], dtype))
                lines = text.splitlines()
                assert len(lines) <= 60
                start = next(n for n, line in enumerate(lines) if line.startswith("MODEL, "))
                end = next(n for n, line in enumerate(lines) if line.startswith("def encode"))
                assert max(map(len, lines[:1] + lines[3:start] + lines[end:])) <= 120
    imported = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(text))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert imported - set(sys.stdlib_module_names) == {"torch", "transformers"}


def test_what_the_file_holds_is_only_data(folders: dict[str, Path]) -> None:
    """Quotes, escapes and line breaks of a prompt, a label or a name stay in their strings."""
    nasty = "x\"\"\"\n'''\\\x1b\u202e{braces}%s"
    prompt = prompt_of(
        demos=(*prompt_of().demos, prompt_of().demos[0].model_copy(update={"text": nasty}))
    )
    artifact = artifact_for(prompt, folders["gpt2"])
    named = artifact.model_copy(
        update={"model": artifact.model.model_copy(update={"source": nasty})}
    )
    text = source(named)
    assert "\x1b" not in text
    assert "\u202e" not in text
    check(artifact, text, 1e-9)


def test_a_text_that_is_too_long_is_refused(folders: dict[str, Path]) -> None:
    exported = ran(source(artifact_for(prompt_of(), folders["gpt2"])))
    with pytest.raises(AssertionError, match="too long for the model"):
        exported.classify(["good " * 2000])


def test_the_program_reads_lines_and_prints_json(folders: dict[str, Path], tmp_path: Path) -> None:
    artifact = artifact_for(prompt_of("chat"), folders["gpt2"])
    (tmp_path / "classify.py").write_text(source(artifact), "utf-8")
    lines = [text for text in TEXTS if "\n" not in text and "\ud800" not in text]
    (tmp_path / "texts.txt").write_text("\n".join(lines), "utf-8")
    p = expected(artifact, tuple(lines))
    done = subprocess.run(
        [sys.executable, "-I", "classify.py", str(folders["gpt2"]), "texts.txt"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    got = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["label"] for one in got] == [("neg", "pos")[n] for n in p.argmax(axis=1)]
    assert [one["probability"] for one in got] == pytest.approx(p.max(axis=1), abs=1e-9)
