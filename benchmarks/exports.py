"""Do the exports that run elsewhere give our labels? The Python file and llama.cpp, on dev texts.

    python -m benchmarks.exports --plain-python plain/bin/python --llama-python llama/bin/python

The Python file weighs evidence, as we do. llama.cpp has the label words and their bias alone, so
its labels are compared with ours without evidence, and with those of the frozen prompt.
`plain` is an environment with torch and transformers alone, `llama` one with llama-cpp-python.
Without an interpreter, its export is left out. The test split stays closed.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import machine, save_result
from burnish.export import export, write
from modules.command import recorded
from modules.lm import DEFAULT_MODELS, load_recorded
from modules.lm.known import KNOWN_MODELS, PackagedModel
from modules.lm.tokenizer import load_tokenizer
from modules.lm.weights import assemble_gguf, find_weights
from modules.prompts import (
    Artifact,
    answers,
    apply_bias,
    artifact_path,
    calibrated,
    cut,
    evidence_words,
    load_artifact,
    reading,
    render,
)
from modules.tasks import TaskSpec, load_task

Array = NDArray[np.float64]

_LLAMA = Path(__file__).parent / "contestants" / "llama_export.py"


def ours(artifact: Artifact, texts: Sequence[str]) -> tuple[Array, Array]:
    """Give our probabilities, [n, k]: those of the frozen prompt, and those without evidence."""
    prompt = artifact.prompt
    scored = load_recorded(artifact.model).choose(
        [render(prompt, text) for text in texts], answers(prompt), words=evidence_words(prompt)
    )
    logp = scored.log_probabilities()
    frozen = calibrated(prompt, logp, scored.word_logits)
    return np.exp(frozen), np.exp(apply_bias(logp, np.array(prompt.bias)))


def labels_of(artifact: Artifact, p: Array) -> list[str]:
    """Give the most probable labels."""
    return [artifact.prompt.label_names[at] for at in p.argmax(axis=1)]


def plain_python(artifact: Artifact, texts: Sequence[str], p: Array, python: str) -> dict[str, Any]:
    """Run the stand-alone file in its own environment, far from our packages."""
    with tempfile.TemporaryDirectory() as folder:
        write(export(artifact, "python"), Path(folder) / "classify.py")
        (Path(folder) / "texts.txt").write_text("\n".join(texts), "utf-8")
        weights = find_weights(artifact.model.name).folder
        command = [python, "-I", "classify.py", str(weights), "texts.txt"]
        done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=True)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    labels = labels_of(artifact, p)
    return {
        "export": "python",
        "dtype": artifact.model.dtype,
        "n": len(texts),
        "n_same_label": _n_same(labels, [one["label"] for one in found]),
        "largest_difference_in_probability": float(
            max(abs(one["probability"] - row.max()) for one, row in zip(found, p, strict=True))
        ),
    }


def llama_cpp(
    artifact: Artifact, texts: Sequence[str], frozen: Array, p: Array, python: str
) -> dict[str, Any]:
    """Run the exported prompt, grammar and biases on the GGUF file that the weights come from."""
    prompt, codec = artifact.prompt, load_tokenizer(artifact.model)
    known = KNOWN_MODELS[artifact.model.name]
    assert isinstance(known, PackagedModel)
    files = export(artifact, "llamacpp").files
    given = re.findall(r"--logit-bias (\d+)([+-][\d.]+)", files["command.txt"])
    with tempfile.TemporaryDirectory() as folder:
        gguf = Path(folder) / "model.gguf"
        assemble_gguf(known, gguf)
        job = {
            "gguf": str(gguf),
            "threads": 1,
            "prompt": files["prompt.txt"],
            "grammar": files["grammar.gbnf"],
            "biases": {token: float(bias) for token, bias in given},
            "placeholder": reading(prompt).placeholder,
            "texts": [cut(text, prompt.cap) for text in texts],
            "begin": codec.begin,
            "n_predict": 4,
        }
        done = subprocess.run(
            [python, str(_LLAMA)],
            input=json.dumps(job),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    found = json.loads(done.stdout)
    named = dict(zip(answers(prompt), prompt.label_names, strict=True))
    same_tokens = [
        list(codec.encode(render(prompt, text)).ids) == read
        for text, read in zip(texts, found["read"], strict=True)
    ]
    labels, theirs = labels_of(artifact, p), [named.get(text, "") for text in found["written"]]
    differ = [n for n, pair in enumerate(zip(labels, theirs, strict=True)) if pair[0] != pair[1]]
    return {
        "export": "llamacpp",
        "dtype": f"the file's own; ours {artifact.model.dtype}",
        "n": len(texts),
        "n_same_label": _n_same(labels, theirs),
        "n_same_label_as_frozen": _n_same(labels_of(artifact, frozen), theirs),
        "n_no_label": theirs.count(""),
        "n_same_tokens": sum(same_tokens),
        "our_probability_where_labels_differ": [round(float(p[n].max()), 3) for n in differ],
    }


def _n_same(one: Sequence[str], other: Sequence[str]) -> int:
    return sum(a == b for a, b in zip(one, other, strict=True))


def _in(artifact: Artifact, dtype: str) -> Artifact:
    """Give the artifact as if it had been frozen in another dtype."""
    model = artifact.model.model_copy(update={"dtype": dtype})
    return artifact.model_copy(update={"model": model})


def results(options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Compare each model's exports with `choose`."""
    task, _ = load_task(TaskSpec(name="snippets"), 0)
    texts = [example.inputs[task.input_field] for example in task.splits.dev[: options.n]]
    assert not any("\n" in text for text in texts)
    for name in options.models:
        frozen = load_artifact(artifact_path(options.artifacts, task.name, name, 0))
        for dtype in dict.fromkeys(("float32", frozen.model.dtype)):
            artifact = _in(frozen, dtype)
            frozen_p, plain_p = ours(artifact, texts)
            known = {"model": name, "artifact": frozen.sha256}
            if options.plain_python:
                yield known | plain_python(artifact, texts, frozen_p, options.plain_python)
            if options.llama_python and dtype == "float32":
                yield known | llama_cpp(artifact, texts, frozen_p, plain_p, options.llama_python)


def main() -> None:
    """Run all and write the dated result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", nargs="+", default=list(DEFAULT_MODELS))
    parser.add_argument("--artifacts", type=Path, default=Path("artifacts"))
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--plain-python", help="an interpreter with torch and transformers alone")
    parser.add_argument("--llama-python", help="an interpreter with llama-cpp-python")
    options = parser.parse_args()
    found = []
    for result in results(options):
        print(result, flush=True)
        found.append(result)
    whole = {
        "command": recorded("python", "-m", "benchmarks.exports", *sys.argv[1:]),
        "machine": machine(),
        "task": "snippets, dev",
        "results": found,
    }
    print(save_result("exports", whole))


if __name__ == "__main__":
    main()
