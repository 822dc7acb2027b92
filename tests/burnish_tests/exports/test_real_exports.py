"""The exports that run elsewhere, once on a real model; `benchmarks.exports` does 200 examples."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from burnish.export import export
from modules.errors import UserError
from modules.lm import load_model
from modules.lm.known import KNOWN_MODELS, PackagedModel
from modules.lm.weights import assemble_gguf, find_weights
from modules.prompts import Artifact, Demo, answers, apply_bias, reading, render
from modules.prompts.records import ModelRecord
from tests.burnish_tests.exports.frozen import artifact_for, prompt_of

NAME = "smollm2-135m"
TEXTS = (
    "A warm, funny and beautiful film that I will happily watch again.",
    "A dull, badly acted mess and a complete waste of two hours.",
    "One of the best movies of the year, with a wonderful cast.",
    "Boring from start to finish, with terrible dialogue.",
)
DEMOS = (
    Demo(text="I loved every minute of it.", label="pos"),
    Demo(text="I hated every minute of it.", label="neg"),
)

pytestmark = pytest.mark.real_model


@pytest.fixture(scope="module")
def artifact() -> Artifact:
    try:
        weights = find_weights(NAME)
    except UserError as error:
        pytest.skip(f"no real model: {error}")
    prompt = prompt_of("text", demos=DEMOS, words=("negative", "positive"), bias=(0.25, -0.25))
    frozen = artifact_for(prompt, weights.folder, "float32")
    model = ModelRecord(
        name=NAME,
        source=weights.source,
        revision=weights.revision,
        digest=weights.digest,
        dtype="float32",
        processor="any",
    )
    return frozen.model_copy(update={"model": model}).sealed()


@pytest.fixture(scope="module")
def p(artifact: Artifact) -> np.ndarray:
    rendered = [render(artifact.prompt, text) for text in TEXTS]
    model = load_model(NAME, dtype="float32")
    logp = model.choose(rendered, answers(artifact.prompt)).log_probabilities()
    return np.exp(apply_bias(logp, np.array(artifact.prompt.bias)))


def test_the_python_file(artifact: Artifact, p: np.ndarray, tmp_path: Path) -> None:
    (tmp_path / "classify.py").write_text(export(artifact, "python").files[""], "utf-8")
    (tmp_path / "texts.txt").write_text("\n".join(TEXTS), "utf-8")
    command = [sys.executable, "-I", "classify.py", str(find_weights(NAME).folder), "texts.txt"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["label"] for one in found] == ["pos", "neg", "pos", "neg"]
    assert [one["probability"] for one in found] == pytest.approx(p.max(axis=1), abs=1e-4)


def test_llama_cpp(artifact: Artifact, p: np.ndarray, tmp_path: Path) -> None:
    llama_cpp = pytest.importorskip("llama_cpp", reason="needs llama-cpp-python")
    known = KNOWN_MODELS[NAME]
    assert isinstance(known, PackagedModel)
    assemble_gguf(known, tmp_path / "model.gguf")
    files = export(artifact, "llamacpp").files
    biases = re.findall(r"--logit-bias (\d+)([+-][\d.]+)", files["command.txt"])
    model = llama_cpp.Llama(str(tmp_path / "model.gguf"), n_ctx=1024, verbose=False)
    for text, row in zip(TEXTS, p, strict=True):
        done = model.create_completion(
            files["prompt.txt"].replace(reading(artifact.prompt).placeholder, text),
            temperature=0.0,
            repeat_penalty=1.0,
            grammar=llama_cpp.LlamaGrammar.from_string(files["grammar.gbnf"], verbose=False),
            logit_bias={int(token): float(bias) for token, bias in biases},
        )
        assert done["choices"][0]["text"] == answers(artifact.prompt)[int(row.argmax())]
