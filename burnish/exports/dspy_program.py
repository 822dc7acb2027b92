"""A DSPy program: the JSON of an ordinary `dspy.Predict` that DSPy loads without our code."""

import json
import tempfile
from inspect import cleandoc
from pathlib import Path

import dspy

from burnish.exports.form import Export, Tokenizer, made_from, model_json
from modules.prompts import Artifact
from modules.prompts.records import TaskRecord
from modules.tasks import Label
from modules.tasks.signature import build_signature

KEY = "burnish"

_OTHER_LAYOUT = (
    "with DSPy's own adapters the layout, the label words and the bias are DSPy's, so the answers "
    "are those of another prompt; modules.programs.PromptAdapter has the frozen one"
)
_TIDIED = (
    "DSPy takes indentation and outer white space from instructions: the program's differ in that "
    "from the prompt's"
)


def export(artifact: Artifact, tokenizer: Tokenizer) -> Export:
    """Give the program's JSON. Its instruction and demos are the prompt's, its fields the task's.

    It is saved without a language model, so loading it needs none and imports nothing.
    """
    prompt, task = artifact.prompt, artifact.task
    program = dspy.Predict(task_signature(task))
    program.demos = [
        dspy.Example(**{task.input_field: demo.text, task.output_field: demo.label})
        for demo in prompt.demos
    ]
    value = _saved(program)
    value["signature"]["instructions"] = prompt.instruction_text  # DSPy would fill in an empty one
    value["metadata"][KEY] = {
        "made_from": made_from(artifact),
        "artifact": artifact.sha256,
        "model": model_json(artifact),
        "signature": _spelled(task),
        "note": _OTHER_LAYOUT,
    }
    notes = [made_from(artifact), f"load it into dspy.Predict({_spelled(task)!r})", _OTHER_LAYOUT]
    if cleandoc(prompt.instruction_text) != prompt.instruction_text:
        notes.append(_TIDIED)
    return Export.single(json.dumps(value, indent=2, ensure_ascii=False) + "\n", *notes)


def task_signature(task: TaskRecord) -> type[dspy.Signature]:
    """Make the signature of a task from its record alone."""
    return build_signature(
        input_field=task.input_field,
        output_field=task.output_field,
        noun="text",
        labels=[Label(name=label.name, meaning=label.meaning) for label in task.labels],
    )


def _spelled(task: TaskRecord) -> str:
    """Give the signature as DSPy reads it from a string."""
    labels = ", ".join(ascii(label.name) for label in task.labels)
    return f"{task.input_field} -> {task.output_field}: Literal[{labels}]"


def _saved(program: dspy.Predict) -> dict[str, dict[str, object]]:
    """Let DSPy itself write the program, and read that back."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "program.json"
        program.save(path)
        value: dict[str, dict[str, object]] = json.loads(path.read_bytes())
    return value
