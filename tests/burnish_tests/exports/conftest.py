"""Tiny models whose tokenizers differ in what matters to a prompt's text."""

from pathlib import Path

import pytest

from tests import tiny

# Its template writes an added token that is not marked special.
TOOL = "{{ '<tool>' }}" + tiny.CHATML


@pytest.fixture(scope="session")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One folder a kind of tokenizer."""
    root = tmp_path_factory.mktemp("models")
    tokenizers = {
        "gpt2": tiny.byte_level_tokenizer(),
        "gpt2-tool": tiny.byte_level_tokenizer(TOOL, adds_bos=True),
        "llama2-no-system": tiny.sentencepiece_tokenizer(tiny.NO_SYSTEM),
        "phi3-drops-system": tiny.sentencepiece_tokenizer(
            tiny.DROPS_SYSTEM, prepend="always", strips=True
        ),
    }
    made = {
        name: tiny.save(root / name, tiny.tiny_llama(len(tokenizer), seed=3), tokenizer)
        for name, tokenizer in tokenizers.items()
    }
    pieces = tokenizers["llama2-no-system"]
    made["gemma"] = tiny.save(root / "gemma", tiny.tiny_gemma(len(pieces)), pieces)
    return made
