"""The tokenizer alone encodes as the loaded model does, and its pieces are the whole prompt."""

from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modules.errors import UserError
from modules.lm import LocalModel, load_model
from modules.lm.pieces import Control, PieceCodec
from modules.lm.tokenizer import load_tokenizer
from modules.lm.weights import find_weights
from modules.prompts import Prompt, answers, render
from modules.prompts.records import ModelRecord
from tests import tiny
from tests.modules_tests.prompts.strategies import prompts

TOKENIZERS = {
    "gpt2": tiny.byte_level_tokenizer,
    "gpt2-bos": lambda: tiny.byte_level_tokenizer(adds_bos=True),
    "llama2-no-system": lambda: tiny.sentencepiece_tokenizer(tiny.NO_SYSTEM),
    "phi3": lambda: tiny.sentencepiece_tokenizer(prepend="always", strips=True),
}


def record_of(folder: Path, digest: str | None = None) -> ModelRecord:
    identity = _model(folder).identity
    return ModelRecord(
        name=identity.name,
        source=identity.source,
        revision=identity.revision,
        digest=digest or identity.digest,
        dtype=identity.dtype,
        processor=identity.processor,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tokenizer = tiny.byte_level_tokenizer()
    made = tmp_path_factory.mktemp("models") / "gpt2"
    return tiny.save(made, tiny.tiny_llama(len(tokenizer)), tokenizer)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(prompt=prompts(), text=st.text(max_size=20))
def test_it_encodes_as_the_model_does(folder: Path, prompt: Prompt, text: str) -> None:
    alone = _alone(folder)
    whole = _model(folder).codec
    rendered = render(prompt, text)
    encoded = whole.encode(rendered)
    assert alone.encode(rendered) == encoded
    assert alone.end_ids == whole.end_ids
    for answer in answers(prompt):
        assert alone.answer_ids(encoded.anchor, answer) == whole.answer_ids(encoded.anchor, answer)


def test_other_weights_are_refused(folder: Path) -> None:
    with pytest.raises(UserError, match=r"have digest .*, the prompt was frozen for eeeeeeeeeeee"):
        load_tokenizer(record_of(folder, "e" * 64))


def test_a_folder_without_a_tokenizer_is_one_line(folder: Path, tmp_path: Path) -> None:
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((folder / name).read_bytes())
    weights = find_weights(str(tmp_path))
    record = record_of(folder, weights.digest).model_copy(update={"name": str(tmp_path)})
    with pytest.raises(UserError, match="cannot load the tokenizer in"):
        load_tokenizer(record)


@pytest.mark.parametrize("kind", TOKENIZERS)
def test_pieces_are_the_whole_prompt_in_parts(kind: str) -> None:
    codec = PieceCodec(TOKENIZERS[kind]())

    @settings(max_examples=60, deadline=None)
    @given(prompt=prompts(), text=st.text(max_size=20))
    def whole(prompt: Prompt, text: str) -> None:
        rendered = render(prompt, text)
        parts = codec.pieces(rendered)
        assert len(parts) == 3
        said = "".join(
            piece.text if isinstance(piece, Control) else piece for part in parts for piece in part
        )
        begin = "" if rendered.is_chat else codec.begin
        if kind != "phi3":  # whose marks take white space of the template away
            assert said == begin + codec.chat_text(rendered)
        for part in parts[:-1]:
            assert not part or isinstance(part[-1], Control) or part[-1].endswith("\n")
        for part in parts:
            assert not any(isinstance(a, str) and isinstance(b, str) for a, b in pairwise(part))

    whole()


def test_what_a_prompt_spells_is_found() -> None:
    codec = PieceCodec(tiny.byte_level_tokenizer(adds_bos=True))
    assert codec.begin == "<bos>"
    assert codec.unmarked == ()
    assert set(codec.controls) == {"<bos>", "<eos>", "<pad>", "<|im_start|>", "<|im_end|>"}


@cache
def _alone(folder: Path) -> PieceCodec:
    return load_tokenizer(record_of(folder))


@cache
def _model(folder: Path) -> LocalModel:
    return load_model(str(folder), dtype="float32")
