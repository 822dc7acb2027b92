"""A CUDA device: what it gives is what the CPU gives, to its precision."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import DynamicCache

from modules.lm import GenerateRequest, LocalModel, Sampling, load_model
from modules.lm import load as loading
from modules.lm.batching import Batch, Ids
from modules.prompts import answers, render
from modules.prompts.render import Rendered
from tests.modules_tests.lm import slow

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")

KINDS = ["llama", "qwen2"]
WORDS = ("not", "not good", "bad")


def on_cpu(folder: Path, monkeypatch: pytest.MonkeyPatch) -> LocalModel:
    """The model in float32 on the CPU, although there is a better device."""
    with monkeypatch.context() as patch:
        patch.setattr(loading, "place", lambda folder, dtype: {"": "cpu"})
        model = load_model(str(folder), dtype="float32")
    assert model._forward.device.type == "cpu"
    return model


def rendered() -> list[Rendered]:
    """Prompts with and without an instruction behind the input."""
    layouts = ({"n_demos": 1}, {"n_demos": 0, "instruction": "after"})
    return [render(slow.prompt_of(WORDS, **one), text) for one in layouts for text in slow.TEXTS]


def probabilities(model: LocalModel) -> np.ndarray:
    """What `choose` gives for all prompts, [n, n_choices]."""
    return np.exp(model.choose(rendered(), answers(slow.prompt_of(WORDS))).log_probabilities())


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_sits_on_the_device(folders: dict[str, Path], kind: str) -> None:
    model = load_model(str(folders[kind]))
    wanted = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    parameters = list(model._forward.model.parameters())
    assert {parameter.device.type for parameter in parameters} == {"cuda"}
    assert {parameter.dtype for parameter in parameters} == {wanted}
    assert model._forward.device.type == "cuda"
    assert model.identity.dtype == str(wanted).removeprefix("torch.")
    assert not model._forward.packs


@pytest.mark.parametrize("kind", KINDS)
def test_choose_agrees_with_the_cpu(
    folders: dict[str, Path], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closely in float32; bfloat16 moves the answers of these random models by some percent."""
    expected = probabilities(on_cpu(folders[kind], monkeypatch))
    assert slow.spread(expected) > 0.1
    exact = load_model(str(folders[kind]), dtype="float32")
    assert exact._forward.device.type == "cuda"
    assert np.abs(probabilities(exact) - expected).max() < 1e-4
    assert np.abs(probabilities(load_model(str(folders[kind]))) - expected).max() < 5e-2


@pytest.mark.parametrize("kind", KINDS)
def test_greedy_text_is_the_cpus(
    folders: dict[str, Path], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In float32: in bfloat16 near ties go either way."""
    sampling = Sampling(max_tokens=24)
    asked = [GenerateRequest(prompt=one, sampling=sampling) for one in rendered()]
    expected = on_cpu(folders[kind], monkeypatch).generate(asked)
    model = load_model(str(folders[kind]), dtype="float32")
    assert model._forward.device.type == "cuda"
    assert model.generate(asked) == expected
    assert len({done.text for done in expected}) > 1


@pytest.mark.parametrize("kind", KINDS)
def test_batch_size_hardly_matters(folders: dict[str, Path], kind: str) -> None:
    found = []
    for batch_tokens in (64, 4096):
        model = load_model(str(folders[kind]))
        model._forward.batch_tokens = batch_tokens
        found.append(probabilities(model))
    assert np.abs(found[0] - found[1]).max() < 1e-2


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_without_memory_is_done_in_halves(
    folders: dict[str, Path], kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load_model(str(folders[kind]))
    before, expected = model._forward.batch_tokens, probabilities(model)
    run, seen = model._forward._padded.run, []

    def short_of_memory(
        prefix: Ids, rows: Sequence[Ids], batch: Batch
    ) -> tuple[Tensor, DynamicCache]:
        seen.append(len(batch.rows))
        if len(batch.rows) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return run(prefix, rows, batch)

    monkeypatch.setattr(model._forward._padded, "run", short_of_memory)
    assert np.abs(probabilities(model) - expected).max() < 1e-2
    assert max(seen) > 1
    assert seen.count(1) > 1
    assert model._forward.batch_tokens < before
