"""Packed passes: they give what the plain model gives, and the same bits in any company."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor
from transformers import (
    AttentionInterface,
    AutoModelForCausalLM,
    DynamicCache,
    PreTrainedModel,
)

from modules.lm import attention, load_model
from modules.lm.attention import Keys
from modules.lm.batching import Ids
from modules.lm.forward import Forward, Row
from modules.lm.packed import PackedRow, pack_rows, run_packed
from modules.prompts import answers, render
from tests import tiny
from tests.modules_tests.conftest import Loader
from tests.modules_tests.lm import slow

KINDS = ["llama", "gemma", "phi-3", "qwen2"]
# One token, around the buckets' edges, equal lengths, far beyond the tiny window.
LENGTHS = (1, 7, 8, 9, 33, 5, 5, 16, 17, 70, 130, 1)
PAST_LENGTHS = (3, 1, 40, 9, 16, 90, 2, 15, 64, 5, 33, 1)
PREFIX_LENGTHS = [0, 1, 5, 70]

N_ROWS = st.lists(st.integers(1, 700), max_size=60)
BUDGET = st.integers(1, 3000)


@given(N_ROWS, BUDGET)
def test_every_row_is_in_exactly_one_pass(lengths: list[int], budget: int) -> None:
    rows = [row for numbers in pack_rows(lengths, budget) for row in numbers]
    assert sorted(rows) == list(range(len(lengths)))


@given(N_ROWS, BUDGET)
def test_a_pass_keeps_to_the_budget_or_has_one_row(lengths: list[int], budget: int) -> None:
    for numbers in pack_rows(lengths, budget):
        assert numbers
        assert len(numbers) == 1 or sum(lengths[row] for row in numbers) <= budget


@given(N_ROWS, BUDGET)
def test_longest_first(lengths: list[int], budget: int) -> None:
    seen = [lengths[row] for numbers in pack_rows(lengths, budget) for row in numbers]
    assert seen == sorted(lengths, reverse=True)


@given(N_ROWS, BUDGET)
def test_a_pass_takes_what_fits(lengths: list[int], budget: int) -> None:
    passes = list(pack_rows(lengths, budget))
    for one, after in pairwise(passes):
        assert sum(lengths[row] for row in one) + lengths[after[0]] > budget


@given(N_ROWS, BUDGET)
def test_passes_are_deterministic(lengths: list[int], budget: int) -> None:
    passes = list(pack_rows(lengths, budget))
    assert passes == list(pack_rows(tuple(lengths), budget))
    seen = [row for numbers in passes for row in numbers]
    assert seen == sorted(seen, key=lambda row: (-lengths[row], row))


@pytest.fixture(scope="module")
def plain(folders: dict[str, Path]) -> dict[str, PreTrainedModel]:
    """The models as transformers loads them, float64."""
    return {
        kind: AutoModelForCausalLM.from_pretrained(folders[kind], dtype=torch.float64).eval()
        for kind in KINDS
    }


def ids_of(n: int, seed: int) -> Ids:
    """Random tokens of every tiny vocabulary."""
    made = torch.Generator().manual_seed(seed)
    return tuple(torch.randint(5, 400, (n,), generator=made).tolist())


def drawn(lengths: Sequence[int], seed: int) -> list[Ids]:
    return [ids_of(n, seed + at) for at, n in enumerate(lengths)]


@torch.inference_mode()
def alone(model: PreTrainedModel, ids: Ids) -> Tensor:
    """The last hidden state [H] by one whole pass without a cache."""
    out = model.base_model(input_ids=torch.tensor([ids]), use_cache=False)
    state = out.last_hidden_state[0, -1]
    assert isinstance(state, Tensor)
    return state


def keys_of(model: PreTrainedModel, parts: Sequence[Ids], prefix: Keys | None) -> list[Keys]:
    """The keys and values of parts after a prefix, by one packed pass."""
    rows = [PackedRow(ids=part) for part in parts]
    return run_packed(model, rows, prefix, keep=True)[1]


def prefix_keys(model: PreTrainedModel, prefix: Ids) -> Keys | None:
    return keys_of(model, [prefix], None)[0] if prefix else None


@pytest.mark.parametrize("n_prefix", PREFIX_LENGTHS)
@pytest.mark.parametrize("kind", KINDS)
def test_rows_are_the_plain_models(
    load: Loader, plain: dict[str, PreTrainedModel], kind: str, n_prefix: int
) -> None:
    model, prefix, rows = load(kind)._forward.model, ids_of(n_prefix, 1), drawn(LENGTHS, 2)
    packed = [PackedRow(ids=row) for row in rows]
    hidden, keys = run_packed(model, packed, prefix_keys(model, prefix))
    assert keys == []
    expected = torch.stack([alone(plain[kind], prefix + row) for row in rows])
    assert torch.allclose(hidden, expected, rtol=0, atol=1e-9)
    assert expected.std(dim=0).min() > 1e-2  # equal rows would prove nothing


@pytest.mark.parametrize("n_prefix", PREFIX_LENGTHS)
@pytest.mark.parametrize("kind", KINDS)
def test_rows_with_pasts_are_the_plain_models(
    load: Loader, plain: dict[str, PreTrainedModel], kind: str, n_prefix: int
) -> None:
    model, prefix = load(kind)._forward.model, ids_of(n_prefix, 1)
    pasts, rows = drawn(PAST_LENGTHS, 50), drawn(LENGTHS, 2)
    shared = prefix_keys(model, prefix)
    keys = keys_of(model, pasts, shared)
    packed = [PackedRow(ids=row, past=past) for row, past in zip(rows, keys, strict=True)]
    hidden, _ = run_packed(model, packed, shared)
    expected = torch.stack(
        [alone(plain[kind], prefix + past + row) for past, row in zip(pasts, rows, strict=True)]
    )
    assert torch.allclose(hidden, expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("n_past", [0, 4])
@pytest.mark.parametrize("n_own", [1, 4])
def test_around_gemmas_window(
    load: Loader, plain: dict[str, PreTrainedModel], n_past: int, n_own: int
) -> None:
    """Prefixes that put the row's last token right before, at and behind the window's edge."""
    model = load("gemma")._forward.model
    past, own = ids_of(n_past, 3), ids_of(n_own, 4)
    for n_prefix in range(1, tiny.WINDOW + 4):
        prefix = ids_of(n_prefix, 5)
        shared = prefix_keys(model, prefix)
        row = PackedRow(ids=own, past=keys_of(model, [past], shared)[0] if past else None)
        hidden, _ = run_packed(model, [row], shared)
        expected = alone(plain["gemma"], prefix + past + own)
        assert torch.allclose(hidden[0], expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("n_prefix", [0, 40])
@pytest.mark.parametrize("kind", KINDS)
@torch.inference_mode()
def test_kept_keys_are_those_of_a_cache(
    load: Loader, plain: dict[str, PreTrainedModel], kind: str, n_prefix: int
) -> None:
    model, prefix, rows = load(kind)._forward.model, ids_of(n_prefix, 1), drawn(LENGTHS, 2)
    kept = keys_of(model, rows, prefix_keys(model, prefix))
    for row, layers in zip(rows, kept, strict=True):
        cache = DynamicCache()  # without a configuration it keeps all, whatever the window
        plain[kind].base_model(
            input_ids=torch.tensor([prefix + row]), past_key_values=cache, use_cache=True
        )
        assert len(layers) == len(cache.layers)
        for (key, value), layer in zip(layers, cache.layers, strict=True):
            assert key.shape[2] == value.shape[2] == len(row)
            assert torch.allclose(key, layer.keys[:, :, n_prefix:], rtol=0, atol=1e-9)
            assert torch.allclose(value, layer.values[:, :, n_prefix:], rtol=0, atol=1e-9)


def states(forward: Forward, prefix: Ids, rows: Sequence[Row], batch_tokens: int) -> Tensor:
    """The last hidden states [B, H] in the rows' order; nothing is kept from before."""
    forward.keys.clear()
    forward.batch_tokens = batch_tokens
    found: dict[int, Tensor] = {}
    for scored in forward.score(prefix, rows):
        found.update(zip(scored.rows, scored.hidden, strict=True))
    assert len(found) == len(rows)
    return torch.stack([found[n] for n in range(len(rows))])


def differing(one: Tensor, other: Tensor) -> list[int]:
    """The rows that do not have the same bits."""
    return (one != other).any(dim=1).nonzero().flatten().tolist()


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


COMPANY = [
    pytest.param(
        kind,
        has_pasts,
        n_prefix,
        id=f"{kind}, {'pasts' if has_pasts else 'rows'}, {n_prefix}",
    )
    for kind in KINDS
    for has_pasts in (False, True)
    for n_prefix in (0, 5, 70)
]


@pytest.mark.usefixtures("threads")
@pytest.mark.parametrize(("kind", "has_pasts", "n_prefix"), COMPANY)
def test_company_does_not_change_a_bit(
    load: Loader, kind: str, has_pasts: bool, n_prefix: int
) -> None:
    """Float32: alone, together, reversed, in passes of any size, on one thread or two."""
    forward, prefix = load(kind, "float32")._forward, ids_of(n_prefix, 1)
    assert forward.packs
    pasts: Sequence[Ids] = drawn(PAST_LENGTHS, 50) if has_pasts else [()] * len(LENGTHS)
    rows = [Row(kept=past, own=own) for past, own in zip(pasts, drawn(LENGTHS, 2), strict=True)]
    torch.set_num_threads(1)
    base = torch.cat([states(forward, prefix, [row], 100_000) for row in rows])
    for n_threads, batch_tokens in ((1, 1), (1, 20), (1, 100), (1, 100_000), (2, 60), (2, 100_000)):
        torch.set_num_threads(n_threads)
        together = states(forward, prefix, rows, batch_tokens)
        back = states(forward, prefix, rows[::-1], batch_tokens).flip(0)
        assert differing(together, base) == []
        assert differing(back, base) == []


@pytest.mark.parametrize("kind", KINDS)
def test_these_kinds_run_packed(load: Loader, kind: str) -> None:
    forward = load(kind)._forward
    assert forward.packs
    assert forward.model.config._attn_implementation == attention.NAME
    assert (forward.n_run, len(forward.keys)) == (0, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_choose_is_the_same_packed_and_padded(load: Loader, kind: str) -> None:
    packed, padded = load(kind), load(kind)
    padded._forward.packs = False
    for layout in ({"n_demos": 2}, {"n_demos": 0, "instruction": "after"}):
        prompt = slow.prompt_of(("not", "not good", "bad"), **layout)
        rendered = [render(prompt, text) for text in slow.TEXTS]
        one, other = (model.choose(rendered, answers(prompt)) for model in (packed, padded))
        assert slow.spread(np.exp(one.log_probabilities())) > 1e-3
        assert np.allclose(one.log_probabilities(), other.log_probabilities(), rtol=0, atol=1e-9)
        assert np.allclose(one.free_mass, other.free_mass, rtol=0, atol=1e-9)


@pytest.fixture(scope="module")
def gemma2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Gemma 2, whose attention has a soft cap."""
    pieces = tiny.sentencepiece_tokenizer(tiny.NO_SYSTEM)
    model = tiny.tiny_gemma2(len(pieces))
    return tiny.save(tmp_path_factory.mktemp("gemma2"), model, pieces)


def test_a_soft_cap_on_attention_is_not_packed(gemma2: Path) -> None:
    model = load_model(str(gemma2), dtype="float64")
    assert not model._forward.packs
    _check_choose(model)


@pytest.fixture
def silent_window(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No model's attention says which window it has."""
    whole = attention._attention

    def silent(*args: Any, **settings: Any) -> tuple[Tensor, None]:
        settings.pop("sliding_window", None)
        return whole(*args, **settings)

    with monkeypatch.context() as patch:
        patch.setattr(attention, "_attention", silent)
        yield
    AttentionInterface.register(attention.NAME, whole)


@pytest.mark.usefixtures("silent_window")
def test_a_window_that_is_not_told_is_not_packed(load: Loader) -> None:
    model = load("gemma")
    assert not model._forward.packs
    assert model._forward.model.config._attn_implementation == "sdpa"
    _check_choose(model)


@pytest.mark.usefixtures("silent_window")
def test_no_window_needs_no_telling(load: Loader) -> None:
    model = load("llama")
    assert model._forward.packs
    _check_choose(model)


def _check_choose(model: Any) -> None:
    for layout in ({"n_demos": 1}, {"n_demos": 0, "instruction": "after"}):
        prompt = slow.prompt_of(("not", "not good", "bad"), **layout)
        rendered = [render(prompt, text) for text in slow.TEXTS]
        p = np.exp(model.choose(rendered, answers(prompt)).log_probabilities())
        assert slow.spread(p) > 1e-3
        for row, one in enumerate(rendered):
            assert p[row] == pytest.approx(slow.choose(model, one, answers(prompt))[0], abs=1e-9)
