"""Records of runs and tables of examples to go with rows that are made by hand."""

import math

import pandas as pd

from evaluate.run_record import (
    ModelRun,
    ParityRecord,
    PlanRecord,
    PromptRecord,
    RunRecord,
    SampleRecord,
    Stratum,
    TaskInfo,
    TimingRecord,
)
from modules.prompts import LabelWord, Layout, Prompt
from modules.prompts.records import LabelRecord, ModelRecord, Score, SearchRecord
from modules.wilson import wilson

LABELS = ("negative", "positive")
PROMPT = Prompt(
    layout=Layout(kind="text", input_lead="Review:", answer_lead="Sentiment:"),
    words=tuple(LabelWord(label=name, word=name) for name in LABELS),
    bias=(0.0, 0.0),
)


def score(n_correct: int, n: int) -> Score:
    """Give a score on a split."""
    low, high = wilson(n_correct, n)
    return Score(n=n, n_correct=n_correct, accuracy=n_correct / n, low=low, high=high, log_loss=0.5)


def model_run(name: str, *prompts: str) -> ModelRun:
    """Give a model's part of a record: dev 90 of 100, confirm 85 of 100."""
    return ModelRun(
        model=ModelRecord(
            name=name,
            source="a folder",
            revision="local",
            digest="0" * 64,
            dtype="float32",
            processor="cpu",
        ),
        prompts=tuple(
            PromptRecord(
                name=one,
                id=PROMPT.identity(),
                thinks=False,
                prompt=PROMPT,
                shown=f"{one}: {{review}}",
            )
            for one in prompts or ("naive", "frozen")
        ),
        unread=(),
        artifact="artifacts/x.json",
        artifact_id="0" * 64,
        scores={"dev": score(90, 100), "confirm": score(85, 100)},
        search=SearchRecord(
            optimizer="optuna",
            seed=0,
            budget_tokens=1000,
            spent={"forward_tokens": 900},
            n_trials=5,
            n_pruned=2,
            n_finalists=2,
        ),
        parity=ParityRecord(n=2, n_same_label=2, n_same_bits=2),
    )


def record_of(*models: str) -> RunRecord:
    """Give the record of a run with these models; the frozen prompt took 4 s."""
    return RunRecord(
        command="python -m evaluate",
        made="2026-11-24",
        machine="a machine",
        versions={"torch": "2"},
        task=TaskInfo(
            name="imdb",
            noun="movie review",
            input_field="review",
            output_field="sentiment",
            labels=tuple(LabelRecord(name=name, meaning="") for name in LABELS),
            sizes={"train": 1, "dev": 100, "confirm": 100, "test": 100},
            data_hash="1" * 64,
            test_hash="2" * 64,
            splits=("test 100",),
        ),
        sample=SampleRecord(
            n=100,
            n_whole=100,
            lines=("all of it",),
            strata=(Stratum(label="positive", words="9 to 16", n_sample=100, n_whole=100),),
        ),
        plan=PlanRecord(
            temperatures=(0.2, 0.8),
            seeds=(0,),
            max_tokens=16,
            max_reason_tokens=48,
            n_generated=10,
        ),
        models=tuple(model_run(name) for name in models),
        timings=tuple(
            TimingRecord(
                model=name,
                prompt="frozen",
                decoding="choose",
                n_answers=100,
                n_tokens=5000,
                n_reused_tokens=40,
                seconds=4.0,
            )
            for name in models
        ),
    )


def examples_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Give the examples that rows are of; all are alike but for their ids."""
    found = rows.drop_duplicates("example_id")[["example_id", "gold"]].reset_index(drop=True)
    return found.assign(rating=math.nan, n_words=12, text="A review.").astype(
        {"rating": "float64", "n_words": "int64"}
    )
