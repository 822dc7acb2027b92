"""`burnish predict` for tests: small tables, the command, and a classifier without a model."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

from burnish import Answer, predict
from burnish.__main__ import main


def some_texts(n: int) -> list[str]:
    rng = random.Random(1)
    texts = ["".join(rng.choices('abdegil mnorst,"\n', k=rng.randint(1, 60))) for _ in range(n)]
    texts[:4] = ["", " ", "a " * 3000, "007"]
    return texts


def csv_of(path: Path, n: int) -> Path:
    frame = pd.DataFrame({"id": [f"{i:05}" for i in range(n)], "text": some_texts(n)})
    frame.to_csv(path, index=False)
    return path


def arguments(frozen: Path, data: Path | str, *more: str | Path) -> list[str]:
    return [str(part) for part in (frozen, "--data", data, *more)]


def run(frozen: Path, data: Path | str, *more: str | Path) -> int | None:
    return main(["predict", *arguments(frozen, data, *more)])


def fake(monkeypatch: pytest.MonkeyPatch, answer: Callable[[str], Answer]) -> list[int]:
    """Put a classifier that needs no model in the command's way; give the sizes of its calls."""
    sizes: list[int] = []

    def classify(texts: Sequence[str], _: object) -> list[Answer]:
        sizes.append(len(texts))
        return [answer(text) for text in texts]

    classify.model = SimpleNamespace(  # type: ignore[attr-defined]
        identity=SimpleNamespace(dtype="d", processor="p")
    )
    classify.artifact = SimpleNamespace(sha256="s")  # type: ignore[attr-defined]
    monkeypatch.setattr(predict, "_classifier", lambda *_: classify)
    return sizes


def by_length(text: str) -> Answer:
    p = 1 / (1 + len(text))
    return Answer(label="n" if p < 0.1 else "y", confidence=p, probabilities={}, outcome="ok")
