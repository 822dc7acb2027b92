"""Artifacts for tiny models, and the model folders that they name."""

from pathlib import Path

from modules.lm import LocalModel, load_model
from modules.prompts import Artifact, Prompt, reading, save_artifact
from modules.prompts.records import LabelRecord, ModelRecord, Score, SearchRecord, TaskRecord
from tests import tables

HEX = "0123456789abcdef" * 4
SCORE = Score(n=30, n_correct=21, accuracy=0.7, low=0.52, high=0.83, log_loss=0.61)


def artifact_for(prompt: Prompt, model: LocalModel) -> Artifact:
    """Make an artifact of a prompt and a model, with a task that nobody loads."""
    identity = model.identity
    return Artifact(
        prompt=prompt,
        prompt_id=prompt.identity(),
        reading=reading(prompt),
        scores={"dev": SCORE, "confirm": SCORE},
        task=TaskRecord(
            name="file",
            source={"name": "file", "data": "a.csv"},
            split_seed=0,
            sizes={"train": 24, "dev": 30, "confirm": 30, "test": 40},
            data_hash=HEX,
            test_hash=HEX[::-1],
            metric="accuracy",
            input_field="text",
            output_field="label",
            labels=tuple(LabelRecord(name=name, meaning="") for name in prompt.label_names),
        ),
        model=ModelRecord(
            name=identity.name,
            source=identity.source,
            revision=identity.revision,
            digest=identity.digest,
            dtype=identity.dtype,
            processor=identity.processor,
        ),
        search=SearchRecord(
            optimizer="optuna",
            seed=0,
            budget_tokens=100,
            spent={"forward_tokens": 90},
            n_trials=4,
            n_pruned=1,
            n_finalists=2,
        ),
        versions={"burnish": "0.1.0"},
        command="python -m optimize",
    )


def freeze(folder: Path, prompt: Prompt, *, dtype: str = "float32", chat: bool = False) -> Path:
    """Write a tiny model and an artifact that names it, and give the artifact's path."""
    model = tables.model_folder(folder / "model", chat=chat)
    path = folder / "frozen.json"
    save_artifact(artifact_for(prompt, load_model(str(model), dtype=dtype)), path)
    return path
