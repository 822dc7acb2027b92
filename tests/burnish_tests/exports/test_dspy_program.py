"""The DSPy program: plain DSPy loads it, and on our engine it is the batch path bit for bit."""

import json
import subprocess
import sys
from pathlib import Path

import dspy
import numpy as np
import pytest

from burnish.export import export
from burnish.exports.dspy_program import KEY, task_signature
from modules.programs import PromptAdapter, dspy_lm
from modules.prompts import Artifact, Part, answers, apply_bias, render
from tests.burnish_tests.exports.frozen import TEXTS, artifact_for, model_for, prompt_of

# Loads a program where none of our packages can be imported, and prints what it is.
LOADER = """
import json, sys
for name in ("burnish", "modules", "optimize", "evaluate"):
    sys.modules[name] = None
from typing import Literal
import dspy

program = dspy.Predict("review -> sentiment: Literal['neg', 'pos']")
program.load(sys.argv[1])
print(json.dumps({
    "instructions": program.signature.instructions,
    "fields": list(program.signature.fields),
    "demos": [dict(demo) for demo in program.demos],
    "lm": program.lm,
}))
"""


def saved(artifact: Artifact, folder: Path) -> Path:
    path = folder / "program.json"
    path.write_text(export(artifact, "dspy").files[""], "utf-8")
    return path


def test_plain_dspy_loads_it_without_our_code(folders: dict[str, Path], tmp_path: Path) -> None:
    prompt = prompt_of()
    path = saved(artifact_for(prompt, folders["gpt2"]), tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", LOADER, str(path)], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "instructions": prompt.instruction_text,
        "fields": ["review", "sentiment"],
        "demos": [{"review": demo.text, "sentiment": demo.label} for demo in prompt.demos],
        "lm": None,
    }


@pytest.mark.parametrize(
    ("layout", "told"), [("text", True), ("text, after", False), ("chat, system", True)]
)
def test_on_our_engine_it_is_choose(
    folders: dict[str, Path], tmp_path: Path, layout: str, told: bool
) -> None:
    prompt = prompt_of(layout) if told else prompt_of(layout, instruction=())
    artifact = artifact_for(prompt, folders["gpt2"])
    model = model_for(artifact)
    program = dspy.Predict("review -> sentiment: Literal['neg', 'pos']")
    program.load(saved(artifact, tmp_path))
    adapter = PromptAdapter(prompt, task_signature(artifact.task))
    with dspy.context(lm=dspy_lm(model), adapter=adapter):
        for text in TEXTS[:3]:
            scored = model.choose([render(prompt, text)], answers(prompt)).log_probabilities()
            p = np.exp(apply_bias(scored, np.array(prompt.bias)))[0]
            got = program(review=text)
            assert got.sentiment == prompt.label_names[int(p.argmax())]
            assert list(got.probabilities["sentiment"].values()) == p.tolist()


def test_it_says_that_dspys_own_layout_is_another_prompt(folders: dict[str, Path]) -> None:
    artifact = artifact_for(prompt_of(), folders["gpt2"])
    made = export(artifact, "dspy")
    told = json.loads(made.files[""])["metadata"][KEY]
    assert told["artifact"] == artifact.sha256
    assert told["signature"] == "review -> sentiment: Literal['neg', 'pos']"
    assert "another prompt" in told["note"]
    assert told["note"] in made.notes


def test_an_instruction_that_dspy_tidies_is_noted(folders: dict[str, Path]) -> None:
    indented = prompt_of(instruction=(Part(role="task", text="Judge:\n   one\n   two \n"),))
    for prompt, noted in (
        (indented, True),
        (prompt_of(), False),
        (prompt_of(instruction=()), False),
    ):
        made = export(artifact_for(prompt, folders["gpt2"]), "dspy")
        assert any("takes indentation" in note for note in made.notes) is noted
