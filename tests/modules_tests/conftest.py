"""Tiny models in folders, loaded by `load_model` as a user's own are."""

from collections.abc import Callable
from pathlib import Path

import pytest
from transformers import Phi3Config, Phi3ForCausalLM, Qwen2Config, Qwen2ForCausalLM

from modules.lm import Ledger, LocalModel, load_model
from tests import tiny

Loader = Callable[..., LocalModel]


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One folder a kind of model."""
    root = tmp_path_factory.mktemp("models")
    chatml = tiny.byte_level_tokenizer()
    base = tiny.byte_level_tokenizer(None, adds_bos=True)
    pieces = tiny.sentencepiece_tokenizer(tiny.NO_SYSTEM)
    return {
        "llama": tiny.save(root / "llama", tiny.tiny_llama(len(chatml)), chatml),
        "base": tiny.save(root / "base", tiny.tiny_llama(len(base), seed=1), base),
        "phi-3": tiny.save(
            root / "phi-3",
            tiny.tiny_named(Phi3Config, Phi3ForCausalLM, len(pieces)),
            pieces,
        ),
        "qwen2": tiny.save(
            root / "qwen2",
            tiny.tiny_named(Qwen2Config, Qwen2ForCausalLM, len(chatml)),
            chatml,
        ),
        "gemma": tiny.save(root / "gemma", tiny.tiny_gemma(len(pieces)), pieces),
    }


@pytest.fixture(scope="session")
def load(folders: dict[str, Path]) -> Loader:
    """Load one by its kind."""

    def _load(
        kind: str, dtype: str = "float64", ledger: Ledger | None = None, batch_tokens: int = 2048
    ) -> LocalModel:
        model = load_model(str(folders[kind]), dtype=dtype, ledger=ledger)
        model._forward.batch_tokens = batch_tokens
        return model

    return _load
