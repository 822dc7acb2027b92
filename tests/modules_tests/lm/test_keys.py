"""Kept keys and values: within their bound, least recently used, and never in the answer."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch

from modules.lm import Choices, Ledger, LocalModel
from modules.lm.attention import Keys
from modules.lm.codec import Encoded
from modules.lm.keys import KeyCache, default_limit
from modules.prompts import Part, answers, render
from tests.modules_tests.conftest import Loader
from tests.modules_tests.lm import slow

INSTRUCTIONS = (
    "Say whether the review is positive or negative.",
    "Is it good or bad?",
    "Answer with one word, please: what does the one who wrote this feel about it, all in all?",
)
LAYOUTS: dict[str, dict[str, Any]] = {
    "text": {},
    "text, same line": {"same_line": True, "answer_lead": "It was"},
    "chat": {"kind": "chat"},
}
BYTES = 64


def entry() -> Keys:
    """An entry of `BYTES` bytes."""
    one = torch.zeros((1, 1, 2, 4), dtype=torch.float32)
    return ((one, one.clone()),)


def kept(cache: KeyCache, *names: int) -> list[int]:
    """Give the names that are kept, in an order that makes the last the newest."""
    return [name for name in names if cache.get(((name,),)) is not None]


def test_what_was_put_is_there_until_it_is_cleared() -> None:
    cache, keys = KeyCache(3 * BYTES), entry()
    cache.put(((1,), (2,)), keys)
    assert cache.get(((1,), (2,))) is keys
    others: list[tuple[tuple[int, ...], ...]] = [((1,),), ((1, 2),), ((2,), (1,)), ((), (1, 2))]
    assert [cache.get(parts) for parts in others] == [None] * 4
    assert (len(cache), cache.size) == (1, BYTES)
    cache.clear()
    assert (len(cache), cache.size, cache.get(((1,), (2,)))) == (0, 0, None)
    cache.put(((1,), (2,)), keys)
    assert cache.size == BYTES


def test_the_least_recently_used_goes_first() -> None:
    cache = KeyCache(3 * BYTES)
    for name in (1, 2, 3):
        cache.put(((name,),), entry())
    assert kept(cache, 2, 1) == [2, 1]
    cache.put(((4,),), entry())
    assert kept(cache, 1, 2, 3, 4) == [1, 2, 4]
    cache.put(((5,),), entry())
    assert kept(cache, 1, 2, 3, 4, 5) == [2, 4, 5]
    assert (len(cache), cache.size) == (3, 3 * BYTES)


def test_one_large_entry_drops_several() -> None:
    cache = KeyCache(3 * BYTES)
    for name in (1, 2, 3):
        cache.put(((name,),), entry())
    cache.put(((4,),), entry() + entry())
    assert kept(cache, 1, 2, 3, 4) == [3, 4]
    assert cache.size == 3 * BYTES


@pytest.mark.parametrize(
    ("limit", "n"), [(0, 0), (BYTES - 1, 0), (BYTES, 1), (2 * BYTES - 1, 1), (2 * BYTES, 2)]
)
def test_the_limit_is_never_passed(limit: int, n: int) -> None:
    cache = KeyCache(limit)
    for name in range(5):
        cache.put(((name,),), entry())
        assert cache.size <= limit
    assert (len(cache), cache.size) == (n, n * BYTES)


def test_an_entry_larger_than_the_limit_is_not_kept_and_drops_nothing() -> None:
    cache = KeyCache(2 * BYTES)
    cache.put(((1,),), entry())
    cache.put(((2,),), entry() * 3)
    assert kept(cache, 1, 2) == [1]
    assert cache.size == BYTES


def test_an_entry_put_twice_counts_once() -> None:
    cache = KeyCache(2 * BYTES)
    for _ in range(3):
        cache.put(((1,),), entry())
    assert (len(cache), cache.size) == (1, BYTES)


def test_the_default_is_a_part_of_the_memory() -> None:
    assert 0 < default_limit() < 2**50


def prompt_of(instruction: str, **layout: Any) -> Any:
    """A prompt whose instruction follows the input."""
    part = Part(role="task", text=instruction)
    prompt = slow.prompt_of(instruction="after", n_demos=0, **layout)
    return prompt.model_copy(update={"instruction": (part,)})


def choose(model: LocalModel, prompt: Any, texts: Sequence[str] = slow.TEXTS) -> Choices:
    got = model.choose([render(prompt, text) for text in texts], answers(prompt))
    assert [fork.path for fork in got.fork_list] == [()]
    return got


def encoded(model: LocalModel, prompt: Any, texts: Sequence[str] = slow.TEXTS) -> set[Encoded]:
    return {model.codec.encode(render(prompt, text)) for text in texts}


def bits(got: Choices) -> tuple[bytes, bytes, bytes]:
    return (
        got.fork_logits[0].tobytes(),
        got.free_mass.tobytes(),
        got.log_probabilities().tobytes(),
    )


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["llama", "phi-3", "qwen2", "gemma"])
def test_another_instruction_runs_only_what_follows_the_input(
    load: Loader, kind: str, dtype: str, layout: str
) -> None:
    ledger = Ledger()
    model = load(kind, dtype, ledger)
    assert model._forward.packs
    for number, instruction in enumerate(INSTRUCTIONS):
        prompt = prompt_of(instruction, **LAYOUTS[layout])
        rows, before = encoded(model, prompt), (model._forward.n_run, ledger.account)
        inputs = sum(len(kept) for kept in {row.kept for row in rows})
        (shared,) = {row.shared for row in rows}
        own = sum(len(row.own) for row in rows)
        assert inputs > 100
        got = choose(model, prompt)
        expected = own if number else len(shared) + inputs + own
        assert model._forward.n_run - before[0] == expected
        charged = ledger.account.forward_tokens - before[1].forward_tokens
        parts = sum(len(row.kept + row.own) for row in rows)
        assert charged == parts + (0 if number else len(shared))
        assert ledger.account.reused_tokens - before[1].reused_tokens == charged - expected
        assert bits(got) == bits(choose(load(kind, dtype), prompt))


@pytest.mark.parametrize("kind", ["llama", "base"])
def test_the_answers_are_the_slow_ones(load: Loader, kind: str) -> None:
    model = load(kind)
    for instruction in INSTRUCTIONS:
        prompt = prompt_of(instruction)
        p = choose(model, prompt).log_probabilities()
        for row, text in zip(p, slow.TEXTS, strict=True):
            expected, _ = slow.choose(model, render(prompt, text), answers(prompt))
            assert row == pytest.approx(torch.tensor(expected).double().log().numpy(), abs=1e-6)


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9])
@pytest.mark.parametrize("batch_tokens", [60, 2048])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("layout", ["text", "chat"])
def test_a_small_limit_changes_no_bit(
    load: Loader, layout: str, dtype: str, batch_tokens: int, share: float
) -> None:
    whole, ledger = load("llama", dtype), Ledger()
    choose(whole, prompt_of(INSTRUCTIONS[0], **LAYOUTS[layout]))
    model = load("llama", dtype, ledger, batch_tokens)
    keys = model._forward.keys
    keys.limit = int(share * whole._forward.keys.size)
    for number, instruction in enumerate(INSTRUCTIONS):
        prompt = prompt_of(instruction, **LAYOUTS[layout])
        before = model._forward.n_run, ledger.account
        got = choose(model, prompt)
        assert bits(got) == bits(choose(load("llama", dtype), prompt))
        assert keys.size <= keys.limit
        n_run = model._forward.n_run - before[0]
        own = sum(len(row.own) for row in encoded(model, prompt))
        assert n_run > own or not number
        charged = ledger.account.forward_tokens - before[1].forward_tokens
        reused = ledger.account.reused_tokens - before[1].reused_tokens
        assert reused == max(0, charged - n_run)
    assert bool(len(keys)) == (share > 0)


@pytest.mark.parametrize("kind", ["llama", "qwen2"])
def test_keys_of_other_texts_and_orders_change_no_bit(load: Loader, kind: str) -> None:
    model, prompt = load(kind, "float32", batch_tokens=60), prompt_of(INSTRUCTIONS[0])
    choose(model, prompt, slow.TEXTS[::-2])
    choose(model, prompt_of(INSTRUCTIONS[1]), ["another", *slow.TEXTS[3:5]])
    assert bits(choose(model, prompt)) == bits(choose(load(kind, "float32"), prompt))


def test_a_sliding_window_sees_no_neighbours(load: Loader) -> None:
    """A row that fits into the window, alone and beside one that does not."""
    prompt = prompt_of("A?", input_lead="", answer_lead="A")
    texts = ["x", "good", "it was", "it was good and not bad at all, and not bad at all"]
    model = load("gemma", "float32")
    lengths = [len(row.ids) for row in encoded(model, prompt, texts)]
    assert min(lengths) < model._forward.window < max(lengths)
    together = choose(model, prompt, texts).split()
    for text, one in zip(texts, together, strict=True):
        assert bits(one) == bits(choose(load("gemma", "float32"), prompt, [text])), text


def test_forgotten_keys_are_run_again(load: Loader) -> None:
    model, prompt = load("llama"), prompt_of(INSTRUCTIONS[0])
    first = choose(model, prompt)
    n_run = model._forward.n_run
    model._forward.forget()
    assert (len(model._forward.keys), model._forward.keys.size) == (0, 0)
    assert bits(choose(model, prompt)) == bits(first)
    assert model._forward.n_run == 2 * n_run
