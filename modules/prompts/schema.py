"""The JSON Schema of an artifact, drawn from the models themselves.

    python -m modules.prompts.schema > artifacts/schema.json

It says what any JSON tool can check: names, types, sizes. What holds between fields, and the seal,
only `load_artifact` checks.
"""

import json
import sys
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from modules.prompts.artifact import Artifact
from modules.prompts.prompt import Grown, Layout, Prompt
from modules.prompts.records import SearchRecord, SearchSettings

MEANINGS: dict[str, dict[str, str]] = {
    "Artifact": {
        "schema_version": "The version of this form.",
        "prompt": "The prompt as a value: what it is made of.",
        "members": "The further prompts of an ensemble; left out where there are none.",
        "prompt_id": "sha256 of the canonical JSON of `prompt`: equal prompts share it.",
        "reading": "The prompt as the model reads it. It follows from `prompt` alone.",
        "scores": "How the prompt did on dev and on confirm.",
        "task": "Which task and which data it was made for.",
        "model": "Which model it was made for.",
        "search": "How it was found, and what that cost.",
        "probes": "Some confirm examples with what the model said, to run again.",
        "versions": "The versions of the libraries that could change the result.",
        "command": "The command line that made it.",
        "sha256": "sha256 of this file's text with this value empty.",
    },
    "Prompt": {
        "layout": "How the parts stand.",
        "instruction": "The sentences of the instruction, in order.",
        "demos": "The demonstrations, in order.",
        "words": "The word for each label, in the order of every list of probabilities.",
        "cap": "How much of an input is read.",
        "decoding": "How it was frozen to be used: the most probable label, or written text.",
        "bias": "What is added to each label's log-probability; all 0 is no calibration.",
        "evidence": "What is used in place of `bias` where all words' logits can be seen; left out "
        "where label words alone are read.",
    },
    "Evidence": {
        "scale": "What a label word's log-probability is multiplied by.",
        "bias": "What is then added, in label order.",
        "weights": "For every label but the first, whose weights are 0: what each word's logit at "
        "the beginning of the answer, less the mean of all these words' logits, is multiplied by "
        "before it is added.",
    },
    "Layout": {
        "kind": "`chat` goes through the model's chat template, `text` is one plain text.",
        "instruction": "On which side of the input the instruction stands, or on both.",
        "system": "Whether the one before the input stands in a system turn (chat only).",
        "input_lead": "What stands before the input, such as `Review:`.",
        "answer_lead": "What stands before the answer, such as `Sentiment:`.",
        "same_line": "Whether the answer's lead goes on in the line of the input.",
        "separator": "What stands between the parts of a plain text; left out: an empty line.",
    },
    "Part": {"role": "What the sentence is for.", "text": "The sentence."},
    "Demo": {"text": "An input, in full.", "label": "The name of its label."},
    "LabelWord": {
        "label": "The name of the label, as in the data.",
        "word": "What the model reads and says for it.",
    },
    "InputCap": {
        "words": "At most so many words of an input are read; null is all of them.",
        "keep": "Which end of a longer input is kept.",
    },
    "Reading": {
        "placeholder": "What stands in place of the input, once, in the last turn.",
        "turns": "The chat's turns; or one, with the role `text`, that is the whole prompt.",
        "lead": "What opens the answer: it begins the assistant's turn, or follows the text.",
        "answers": "What the model would write after the lead for each label.",
    },
    "ReadTurn": {"role": "Who speaks, or `text`.", "text": "What is said, word for word."},
    "ReadAnswer": {
        "label": "The name of the label.",
        "text": "The answer, with the space before it where there is one.",
    },
    "Score": {
        "n": "The number of examples.",
        "n_correct": "How many were answered with their label.",
        "accuracy": "n_correct / n.",
        "low": "The lower end of the 95 % Wilson interval.",
        "high": "The upper end of the 95 % Wilson interval.",
        "log_loss": "The mean of -log of the label's calibrated probability, in nats.",
    },
    "TaskRecord": {
        "name": "The name of the task.",
        "source": "The loader's own settings, to load the same data again.",
        "split_seed": "The seed of the splits.",
        "sizes": "The number of examples in each split.",
        "data_hash": "Digest of all labelled examples that were loaded.",
        "test_hash": "Digest of the test split.",
        "metric": "What counts as right.",
        "input_field": "The name of the task's input.",
        "output_field": "The name of the task's output.",
        "labels": "The labels, in the order of every list of probabilities.",
    },
    "LabelRecord": {
        "name": "The label, as in the data.",
        "meaning": "What it means, in a few words; may be empty.",
    },
    "ModelRecord": {
        "name": "The name that loads it: a short name, a hub id or a folder.",
        "source": "Where the weights came from.",
        "revision": "Which version of it: a commit, a package version, or `local`.",
        "digest": "sha256 that stands for the weights and the tokenizer.",
        "dtype": "The type of number that was computed in.",
        "processor": "What it was computed on; on another the last bits may differ.",
    },
    "SearchRecord": {
        "optimizer": "What chose the candidates.",
        "seed": "The seed of the search, the same as that of the splits.",
        "budget_tokens": "The forward tokens that it was allowed.",
        "budget_calls": "The prompts it might have answered; left out where not bounded.",
        "budget_seconds": "The seconds that it was allowed; left out where not bounded.",
        "settings": "How our own search was set; left out for any other optimizer.",
        "spent": "What it used: prompts answered, forward tokens, tokens sampled; and the forward "
        "tokens that stopping trials early saved.",
        "n_trials": "The number of prompts that were tried.",
        "n_pruned": "How many of them were stopped early.",
        "n_finalists": "How many were scored again on confirm.",
    },
    "SearchSettings": {
        "sampler": "Optuna's sampler.",
        "at_once": "How many trials might run at once.",
        "ensemble": "How many prompts were to be frozen together.",
        "racing": "Whether a trial that was behind was stopped.",
        "writer": "Who wrote instructions beside the composed ones, or null.",
        "evidence": "Whether other words than the label words might be weighed; left out: not.",
    },
    "Probe": {
        "example_id": "sha256 (32 digits) of the canonical JSON of {input_field: text}.",
        "text": "The input, in full.",
        "label": "The name of its label.",
        "log_probabilities": "Each label's, in label order: a prompt's before calibration; "
        "calibrated where it has evidence, and an ensemble's combined; at least -1000.",
    },
}
_GROWN: tuple[type[Grown], ...] = (Artifact, Layout, SearchRecord, Prompt, SearchSettings)


class _Plain(GenerateJsonSchema):
    """Leaves out the titles that would repeat every field's name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def artifact_schema() -> dict[str, Any]:
    """Give the JSON Schema (draft 2020-12) of the current schema version."""
    schema = Artifact.model_json_schema(schema_generator=_Plain)
    records = schema.pop("$defs")
    named = records | {"Artifact": schema}
    _narrow({name: record["properties"] for name, record in named.items()})
    added = {grown.__name__: grown.added for grown in _GROWN}
    for name, record in named.items():
        record["description"] = record["description"].partition("\n\n")[0]
        free = added.get(name, ())  # else a file has also what has a default
        record["required"] = [field for field in record["properties"] if field not in free]
        for field, value in record["properties"].items():
            value.pop("default", None)
            value["description"] = MEANINGS[name][field]
    head = {"$schema": GenerateJsonSchema.schema_dialect, "title": "Burnish artifact"}
    return head | (schema | head) | {"$defs": records}


def _narrow(records: dict[str, dict[str, Any]]) -> None:
    """Take out what no file of versions 2 to 4 has.

    That is version 1, what only it lacks, the digest that only an unsealed artifact lacks, and the
    defaults that are left out.
    """
    artifact, layout, search, prompt, settings = (records[grown.__name__] for grown in _GROWN)
    artifact["schema_version"] = {"type": "integer", "enum": [2, 3, 4]}
    artifact["sha256"] = dict(artifact["prompt_id"])
    artifact["reading"] = artifact["reading"]["anyOf"][0]
    artifact["members"]["minItems"] = 1
    layout["separator"]["enum"].remove("blank-line")
    prompt["evidence"] = prompt["evidence"]["anyOf"][0]
    settings["evidence"] = {"type": "boolean", "const": True}
    for field in SearchRecord.added:
        search[field] = search[field]["anyOf"][0]
    records["ModelRecord"]["processor"] = records["ModelRecord"]["processor"]["anyOf"][0]


def schema_text() -> str:
    """Give the text of `artifacts/schema.json`."""
    return json.dumps(artifact_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())
