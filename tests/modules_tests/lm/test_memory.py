"""Memory that runs out: the pass is done again in halves, and no answer changes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from modules.errors import UserError
from modules.lm import Choices, GenerateRequest, Ledger, LocalModel, Sampling
from modules.lm.batching import Batch, Ids
from modules.lm.forward import Row
from modules.lm.packed import run_packed
from modules.lm.padded import PaddedPasses
from modules.prompts import answers, render
from tests.modules_tests.conftest import Loader
from tests.modules_tests.lm import slow

TEXTS = (*slow.TEXTS, "bad", "very good", "yes", "no, not good", "maybe\nnot")
LAYOUTS: dict[str, dict[str, Any]] = {
    "shared": {},
    "after": {"instruction": "after", "n_demos": 0},
    "chat, after": {"kind": "chat", "instruction": "after", "n_demos": 0},
}
ERRORS: dict[str, Callable[[], Exception]] = {
    "cuda": lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    "cpu": lambda: RuntimeError(
        "[enforce fail at alloc_cpu.cpp:121] err == 0. DefaultCPUAllocator: can't allocate memory: "
        "you tried to allocate 64 bytes. Error code 12 (Cannot allocate memory)"
    ),
    "python": MemoryError,
}


class Shortage:
    """Lets passes of more than k rows fail, on both ways; counts passes and failures."""

    def __init__(
        self, patch: pytest.MonkeyPatch, k: int, error: Callable[[], Exception] = ERRORS["cuda"]
    ) -> None:
        self.n_failed = self.n_done = 0
        padded = PaddedPasses.run

        def check(n_rows: int) -> None:
            if n_rows > k:
                self.n_failed += 1
                raise error()
            self.n_done += 1

        def packed_pass(model: Any, rows: Any, *args: Any, **settings: Any) -> Any:
            check(len(rows))
            return run_packed(model, rows, *args, **settings)

        def padded_pass(passes: PaddedPasses, prefix: Ids, rows: Any, batch: Batch) -> Any:
            check(len(batch.rows))
            return padded(passes, prefix, rows, batch)

        patch.setattr("modules.lm.forward.run_packed", packed_pass)
        patch.setattr(PaddedPasses, "run", padded_pass)


def choose(model: LocalModel, layout: str = "shared", **settings: Any) -> Choices:
    prompt = slow.prompt_of(("not", "not good", "bad"), **LAYOUTS[layout])
    return model.choose([render(prompt, text) for text in TEXTS], answers(prompt), **settings)


def check_same(one: Choices, other: Choices, packs: bool) -> None:
    """Bit for bit, or to 1e-12 where rows are padded."""
    pairs = [(one.free_mass, other.free_mass)]
    pairs += list(zip(one.fork_logits, other.fork_logits, strict=True))
    for a, b in pairs:
        assert a.shape == b.shape
        assert a.tobytes() == b.tobytes() if packs else np.allclose(a, b, rtol=0, atol=1e-12)


def asked(n: int = 2) -> list[GenerateRequest]:
    sampling = Sampling(temperature=0.8, max_tokens=7)
    return [
        GenerateRequest(prompt=render(slow.prompt_of(), text), sampling=sampling, key=(number, k))
        for number, text in enumerate(TEXTS)
        for k in range(n)
    ]


def loaded(load: Loader, packs: bool, dtype: str = "float64", kind: str = "llama") -> LocalModel:
    model = load(kind, dtype, Ledger())
    assert model._forward.packs
    model._forward.packs = packs
    return model


@pytest.mark.parametrize("packs", [True, False])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("k", [1, 2, 5])
def test_choose_gives_the_same_with_little_memory(
    load: Loader, monkeypatch: pytest.MonkeyPatch, k: int, layout: str, packs: bool
) -> None:
    plain = loaded(load, packs)
    expected = choose(plain, layout)
    model, seen = loaded(load, packs), list[int]()
    before = model._forward.batch_tokens
    shortage = Shortage(monkeypatch, k)
    check_same(choose(model, layout, progress=seen.append), expected, packs)
    assert sum(seen) == len(TEXTS)
    assert shortage.n_failed
    assert 0 < model._forward.batch_tokens < before
    assert model.ledger.account.to_json() == plain.ledger.account.to_json()


@pytest.mark.parametrize("kind", ["llama", "gemma"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_float32_keeps_its_bits_packed(
    load: Loader, monkeypatch: pytest.MonkeyPatch, layout: str, kind: str
) -> None:
    expected = choose(loaded(load, True, "float32", kind), layout)
    model = loaded(load, True, "float32", kind)
    shortage = Shortage(monkeypatch, 2)
    check_same(choose(model, layout), expected, True)
    assert shortage.n_failed


@pytest.mark.parametrize("packs", [True, False])
@pytest.mark.parametrize("error", ERRORS)
def test_every_word_for_it_is_understood(
    load: Loader, monkeypatch: pytest.MonkeyPatch, error: str, packs: bool
) -> None:
    expected = choose(loaded(load, packs))
    model = loaded(load, packs)
    shortage = Shortage(monkeypatch, 3, ERRORS[error])
    check_same(choose(model), expected, packs)
    assert shortage.n_failed


@pytest.mark.parametrize("packs", [True, False])
@pytest.mark.parametrize("k", [1, 3])
def test_every_row_is_answered_once(
    load: Loader, monkeypatch: pytest.MonkeyPatch, k: int, packs: bool
) -> None:
    model = loaded(load, packs)
    rows = [Row(kept=(7, 8, n) * (n % 3), own=tuple(range(5, 6 + n))) for n in range(40)]
    shortage = Shortage(monkeypatch, k)
    scored = list(model._forward.score((1, 2, 3), rows))
    assert shortage.n_failed
    assert sorted(n for one in scored for n in one.rows) == list(range(40))
    assert max(len(one.rows) for one in scored) == k
    assert all(one.hidden.shape == (len(one.rows), 16) for one in scored)
    assert sum(one.hidden.abs().sum().item() > 0 for one in scored) == len(scored)


@pytest.mark.parametrize("packs", [True, False])
def test_later_calls_make_smaller_passes(
    load: Loader, monkeypatch: pytest.MonkeyPatch, packs: bool
) -> None:
    """Rows of one length: what failed once is not tried again."""
    model, rows = loaded(load, packs), [Row(own=(n, *range(7))) for n in range(32)]
    shortage = Shortage(monkeypatch, 4)
    list(model._forward.score((1, 2), rows))
    assert shortage.n_failed
    assert model._forward.batch_tokens == 32
    failed, done = shortage.n_failed, shortage.n_done
    list(model._forward.score((1, 2), rows))
    assert (shortage.n_failed, shortage.n_done) == (failed, done + 8)


@pytest.mark.parametrize("error", ERRORS)
@pytest.mark.parametrize("k", [1, 2, 5])
def test_generate_gives_the_same_with_little_memory(
    load: Loader, monkeypatch: pytest.MonkeyPatch, k: int, error: str
) -> None:
    plain = loaded(load, True)
    expected = plain.generate(asked())
    model, seen = loaded(load, True), list[int]()
    before = model._forward.batch_tokens
    shortage = Shortage(monkeypatch, k, ERRORS[error])
    assert model.generate(asked(), seen.append) == expected
    assert sum(seen) == len(expected) == 2 * len(TEXTS)
    assert shortage.n_failed
    assert 0 < model._forward.batch_tokens < before
    assert model.ledger.account.to_json() == plain.ledger.account.to_json()


@pytest.mark.parametrize("way", ["packed", "padded", "generate"])
@pytest.mark.parametrize("error", ERRORS)
def test_one_row_that_fails_is_told_to_the_user(
    load: Loader, monkeypatch: pytest.MonkeyPatch, error: str, way: str
) -> None:
    model = loaded(load, way == "packed")
    expected = loaded(load, way == "packed")
    with monkeypatch.context() as patch:
        Shortage(patch, 0, ERRORS[error])
        with pytest.raises(UserError, match=r"no memory for one prompt of \d+ tokens: set an"):
            model.generate(asked()) if way == "generate" else choose(model)
    check_same(choose(model), choose(expected), way == "packed")
    assert model.generate(asked()) == expected.generate(asked())


@pytest.mark.parametrize("packs", [True, False])
def test_the_user_is_told_the_prompts_length(
    load: Loader, monkeypatch: pytest.MonkeyPatch, packs: bool
) -> None:
    model, prompt = loaded(load, packs), slow.prompt_of()
    one = render(prompt, TEXTS[1])
    Shortage(monkeypatch, 0)
    with pytest.raises(UserError, match=f"one prompt of {model.count_tokens(one)} tokens"):
        model.choose([one], answers(prompt))


@pytest.mark.parametrize("way", ["packed", "padded", "generate"])
def test_another_error_passes_through(
    load: Loader, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    model, error = loaded(load, way == "packed"), RuntimeError("the sizes of tensors must match")
    before = model._forward.batch_tokens
    shortage = Shortage(monkeypatch, 0, lambda: error)
    with pytest.raises(RuntimeError) as caught:
        model.generate(asked()) if way == "generate" else choose(model)
    assert caught.value is error
    assert shortage.n_failed == 1
    assert model._forward.batch_tokens == before
