"""An invented evaluation: rows and examples that look like real ones, from a seed."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from evaluate.analysis import PROMPTS
from evaluate.rows import frame
from evaluate.summary import summarise
from modules.wilson import wilson
from tests.evaluate_tests.records import summary_line, summary_of

LABELS = ("negative", "positive")
SIX = ("anger", "fear", "joy", "love", "sadness", "surprise")
MODELS = ("gemma-3-270m", "smollm2-135m")
FIVE = (
    "Phi-3-mini-4k-instruct",
    "Qwen2-1.5B-Instruct",
    "gemma-3-270m",
    "smollm2-135m",
    "smollm2-360m-instruct",
)
BASELINES = (
    ("majority class", 0.509),
    ("VADER lexicon", 0.702),
    ("TF-IDF + logistic regression", 0.697),
    ("TF-IDF + logistic regression, whole train", 0.774),
)
_HOT = (0.2, 0.8)


def prompts_of(model: str, models: Sequence[str]) -> list[str]:
    """Give the ladder and the prompts that were frozen for the other models."""
    return [*PROMPTS, *(f"frozen for {other}" for other in models if other != model)]


def examples(n: int, labels: Sequence[str] = LABELS, seed: int = 0) -> pd.DataFrame:
    """Give n examples of 3 to some 300 words, with ratings from -4 to 4."""
    rng = np.random.default_rng(seed)
    gold = rng.integers(len(labels), size=n)
    distance = np.clip(0.5 + rng.gamma(2.0, 0.6, n), 0.55, 4.0)
    return pd.DataFrame(
        {
            "example_id": [f"e{i:05}" for i in range(n)],
            "gold": [labels[g] for g in gold],
            "rating": np.where(gold > 0, distance, -distance),
            "n_words": np.clip(np.exp(rng.normal(3.0, 0.8, n)), 3, 700).astype(np.int64),
            "text": [f"a text of number {i}" for i in range(n)],
        }
    )


def rows(
    shown: pd.DataFrame,
    models: Sequence[str] = MODELS,
    labels: Sequence[str] = LABELS,
    seeds: Sequence[int] = (0,),
    seed: int = 0,
    prompts: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Give rows in both decodings, right the more often the later a prompt stands in the ladder.

    Without `prompts` there are all of `prompts_of`.
    """
    rng = np.random.default_rng(seed)
    records: list[dict[str, Any]] = []
    for model in models:
        for place, prompt in enumerate(prompts or prompts_of(model, models)):
            strength = 0.1 + 0.13 * place + 0.2 * rng.random()
            records += _records(rng, shown, model, prompt, labels, seeds, strength)
    return frame(records)


def _records(
    rng: np.random.Generator,
    shown: pd.DataFrame,
    model: str,
    prompt: str,
    labels: Sequence[str],
    seeds: Sequence[int],
    strength: float,
) -> list[dict[str, Any]]:
    gold = shown["gold"].map(list(labels).index).to_numpy()
    logits = rng.normal(0, 0.5, (len(shown), len(labels)))
    logits[np.arange(len(shown)), gold] += strength * shown["rating"].abs().to_numpy()
    records = []
    for temperature, seed in [(0.0, 0), *((t, s) for t in _HOT for s in seeds)]:
        for decoding in ("choose", "generate") if temperature > 0 else ("choose",):
            for i, line in enumerate(shown.itertuples(index=False)):
                records.append(
                    _record(rng, line, logits[i], labels, decoding, temperature)
                    | {"model": model, "prompt": prompt, "prompt_id": f"{model} {prompt}"}
                    | {"seed": seed}
                )
    return records


def _record(
    rng: np.random.Generator,
    line: Any,
    logits: Any,
    labels: Sequence[str],
    decoding: str,
    temperature: float,
) -> dict[str, Any]:
    p, gold = _softmax(logits), list(labels).index(line.gold)
    hot = np.eye(len(p))[p.argmax()] if temperature == 0 else _softmax(logits / temperature)
    at = int(rng.choice(len(p), p=hot))
    is_choice = decoding == "choose"
    is_read = is_choice or rng.random() > 0.1
    return {
        "task": "snippets",
        "decoding": decoding,
        "temperature": temperature,
        "example_id": line.example_id,
        "gold": line.gold,
        "answer": labels[at] if is_read else None,
        "outcome": "ok" if is_read else "invalid",
        "correct": is_read and at == gold,
        "probabilities": p.tolist() if is_choice else None,
        "confidence": float(p[at]) if is_choice else math.nan,
        "p_gold": float(p[gold]) if is_choice else math.nan,
        "p_correct": float(hot[gold]) if is_choice else math.nan,
        "text": None if is_choice else ("Well, it depends on the reader." if not is_read else "x"),
        "n_input_tokens": 40,
        "n_output_tokens": 1,
    }


def _softmax(logits: Any) -> Any:
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def summary(shown_rows: pd.DataFrame) -> pd.DataFrame:
    """Give the summary of the rows with four baselines below."""
    lines = [
        summary_line(model=name, prompt="-", decoding="classifier", accuracy=level)
        for name, level in BASELINES
    ]
    return pd.concat([summarise(shown_rows), summary_of(*lines)], ignore_index=True)


def bins(shown_rows: pd.DataFrame, n_bins: int = 10) -> pd.DataFrame:
    """Give the bins of reliability diagrams for every model and prompt."""
    cold = shown_rows[(shown_rows["decoding"] == "choose") & (shown_rows["temperature"] == 0)]
    place = np.minimum((cold["confidence"] * n_bins).astype(int), n_bins - 1)
    lines = []
    for (model, prompt, at), group in cold.groupby(["model", "prompt", place]):
        low, high = wilson(int(group["correct"].sum()), len(group))
        lines.append(
            {
                "model": model,
                "prompt": prompt,
                "n": len(group),
                "confidence": group["confidence"].mean(),
                "accuracy": group["correct"].mean(),
                "low": low,
                "high": high,
                "left": at / n_bins,
                "right": (at + 1) / n_bins,
            }
        )
    return pd.DataFrame(lines)


def expectations(shown_rows: pd.DataFrame) -> pd.DataFrame:
    """Give sampled accuracies beside their expectations."""
    hot = shown_rows[(shown_rows["decoding"] == "choose") & (shown_rows["temperature"] > 0)]
    keys = ["model", "prompt", "temperature"]
    means = hot.groupby(keys)[["correct", "p_correct"]].mean().reset_index()
    n = hot.groupby(keys).size().to_numpy()
    half = 1.96 * np.sqrt(means["correct"] * (1 - means["correct"]) / n)
    return pd.DataFrame(
        {
            **{key: means[key] for key in keys},
            "accuracy": means["correct"],
            "low": means["correct"] - half,
            "high": means["correct"] + half,
            "expected": means["p_correct"],
        }
    )


def shrinking(models: Sequence[str]) -> pd.DataFrame:
    """Give accuracies that fall from dev to test."""
    lines = []
    for place, model in enumerate(models):
        for split, n, accuracy in (("dev", 400, 0.93), ("confirm", 400, 0.91), ("test", 1000, 0.9)):
            n_correct = round(n * (accuracy - 0.03 * place))
            low, high = wilson(n_correct, n)
            lines.append(
                {
                    "model": model,
                    "split": split,
                    "accuracy": n_correct / n,
                    "low": low,
                    "high": high,
                }
            )
    return pd.DataFrame(lines)
