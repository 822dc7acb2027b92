"""`choose` against the slow reference, and its independence of batches."""

import math
import random
from typing import Any

import numpy as np
import pytest
import torch

from modules.lm import Account, BudgetExceeded, Ledger, PromptTooLong
from modules.lm.model import LocalModel
from modules.prompts import answers, render
from tests import tiny
from tests.modules_tests.conftest import Loader
from tests.modules_tests.lm import slow

LAYOUTS: dict[str, dict[str, Any]] = {
    "text": {},
    "text, nothing shared": {"instruction": "after", "n_demos": 0},
    "text, same line": {"same_line": True, "answer_lead": "It was"},
    "chat": {"kind": "chat", "n_demos": 0, "answer_lead": ""},
    "chat, demos, lead": {"kind": "chat", "n_demos": 2},
    "chat, system": {"kind": "chat", "system": True, "answer_lead": ""},
    "chat, after": {"kind": "chat", "instruction": "after", "n_demos": 0},
}
WORDS = {
    "one token or more": ("negative", "positive"),
    "shared first tokens": ("good", "goodbye", "good evening"),
    "one the beginning of another": ("not", "not good", "bad"),
    "shared beginning and prefix": ("very", "very good", "very good film"),
    "unknown to the tokenizer": ("👍", "👎", "žß"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", ["llama", "gemma", "phi-3", "qwen2"])
def test_choose_is_the_slow_trie_walk_in_every_layout(load: Loader, kind: str, layout: str) -> None:
    model, prompt = load(kind), slow.prompt_of(**LAYOUTS[layout])
    _check(model, prompt, (1.0,))


@pytest.mark.parametrize("words", WORDS)
@pytest.mark.parametrize("kind", ["base", "gemma"])
def test_choose_is_the_slow_trie_walk_for_every_kind_of_answer(
    load: Loader, kind: str, words: str
) -> None:
    model, prompt = load(kind), slow.prompt_of(WORDS[words])
    _check(model, prompt, (1.0, 0.3, 2.5))


def _check(model: LocalModel, prompt: Any, temperatures: tuple[float, ...]) -> None:
    rendered = [render(prompt, text) for text in slow.TEXTS]
    got = model.choose(rendered, answers(prompt))
    for temperature in temperatures:
        p = np.exp(got.log_probabilities(temperature))
        assert p.sum(axis=1) == pytest.approx(1, abs=1e-12)
        assert slow.spread(p) > 1e-3
        for row, one in enumerate(rendered):
            expected, free = slow.choose(model, one, answers(prompt), temperature)
            assert p[row] == pytest.approx(expected, abs=1e-9)
            assert got.free_mass[row] == pytest.approx(free, abs=1e-9)
    assert got.n_input_tokens == tuple(len(model.codec.encode(r).ids) for r in rendered)


def test_gemma_prompts_of_these_tests_pass_its_window(load: Loader) -> None:
    model = load("gemma")
    assert model._forward.window == tiny.WINDOW
    prompt = slow.prompt_of()
    lengths = [model.count_tokens(render(prompt, text)) for text in slow.TEXTS]
    assert min(lengths) > tiny.WINDOW
    assert max(lengths) > 5 * tiny.WINDOW
    short = slow.prompt_of(instruction="after", n_demos=0, answer_lead="A", input_lead="")
    short = short.model_copy(update={"instruction": ()})
    assert model.count_tokens(render(short, "x")) < tiny.WINDOW


@pytest.mark.parametrize("kind", ["llama", "gemma"])
def test_short_and_long_prompts_in_one_call(load: Loader, kind: str) -> None:
    model = load(kind)
    prompt = slow.prompt_of(n_demos=0).model_copy(update={"instruction": ()})
    _check(model, prompt, (1.0,))


@pytest.mark.parametrize("kind", ["llama", "gemma"])
@pytest.mark.parametrize("batch_tokens", [1, 60, 100_000])
def test_batch_size_and_order_do_not_matter(load: Loader, kind: str, batch_tokens: int) -> None:
    """Float64, to 1e-12; the bits are equal too where rows alone decide, see the next test."""
    prompt = slow.prompt_of(n_demos=2)
    rendered = [render(prompt, text) for text in slow.TEXTS * 2]
    order = random.Random(5).sample(range(len(rendered)), len(rendered))
    base = load(kind).choose(rendered, answers(prompt)).log_probabilities()
    moved = load(kind, batch_tokens=batch_tokens).choose(
        [rendered[n] for n in order], answers(prompt)
    )
    assert np.allclose(moved.log_probabilities(), base[order], rtol=0, atol=1e-12)


@pytest.mark.parametrize("side", ["after", "both"])
@pytest.mark.parametrize("n_more", range(12, 24, 3))
def test_float32_gives_the_same_bits_alone_and_in_company(
    load: Loader, side: str, n_more: int
) -> None:
    """Rows with a past of their own, whose lengths leave every kind of rest behind full vectors."""
    prompt = slow.prompt_of(n_demos=0, instruction=side)
    longer = prompt.instruction[0].text + " ab" * n_more
    part = prompt.instruction[0].model_copy(update={"text": longer})
    prompt = prompt.model_copy(update={"instruction": (part,)})
    rendered = [render(prompt, text) for text in slow.TEXTS]
    model = load("llama", "float32")
    together = model.choose(rendered, answers(prompt)).log_probabilities()
    alone = [model.choose([one], answers(prompt)).log_probabilities()[0] for one in rendered]
    assert together.tolist() == [row.tolist() for row in alone]


@pytest.mark.parametrize("batch_tokens", [1, 60, 300])
def test_bfloat16_gives_the_same_bits_in_any_batch(load: Loader, batch_tokens: int) -> None:
    if not torch.cpu.get_capabilities().get("avx512_bf16"):
        pytest.skip("this processor does not compute in bfloat16")
    prompt = slow.prompt_of(n_demos=2)
    rendered = [render(prompt, text) for text in slow.TEXTS * 2]
    order = random.Random(5).sample(range(len(rendered)), len(rendered))
    base = load("llama", "bfloat16").choose(rendered, answers(prompt)).log_probabilities()
    moved = load("llama", "bfloat16", batch_tokens=batch_tokens).choose(
        [rendered[n] for n in order], answers(prompt)
    )
    assert moved.log_probabilities().tolist() == base[order].tolist()


def test_prompts_of_several_instructions_in_one_call(load: Loader) -> None:
    model = load("llama")
    prompts = [slow.prompt_of(n_demos=n) for n in (0, 1, 2, 0)]
    rendered = [render(p, text) for p, text in zip(prompts, slow.TEXTS, strict=False)]
    got = np.exp(model.choose(rendered, answers(prompts[0])).log_probabilities())
    for row, one in enumerate(rendered):
        assert got[row] == pytest.approx(slow.choose(model, one, answers(prompts[0]))[0], abs=1e-9)


def test_a_kept_prefix_does_not_change_the_answer(load: Loader) -> None:
    model, prompt = load("gemma"), slow.prompt_of()
    rendered = [render(prompt, text) for text in slow.TEXTS]
    once = model.choose(rendered, answers(prompt)).log_probabilities()
    for n in range(6):  # push it out of the few that are kept
        model.choose([render(slow.prompt_of(n_demos=n), "x")], answers(prompt))
    again = model.choose(rendered, answers(prompt)).log_probabilities()
    assert once.tolist() == again.tolist()


def test_ledger_counts_distinct_rows_and_the_shared_part_once(load: Loader) -> None:
    ledger = Ledger()
    model, prompt = load("llama", ledger=ledger), slow.prompt_of(("not", "not good", "bad"))
    rendered = [render(prompt, text) for text in slow.TEXTS]
    model.choose(rendered, answers(prompt))
    encoded = [model.codec.encode(r) for r in rendered]
    path = model.codec.answer_ids("Sentiment:", " not")  # the second fork stands behind it
    rows = {e.own for e in encoded} | {e.own + path for e in encoded}
    expected = len(encoded[0].shared) + sum(len(row) for row in rows)
    assert ledger.account == Account(n_prompts=len(rendered), forward_tokens=expected)
    assert model.cost(rendered, answers(prompt)) == expected
    model.choose(rendered, answers(prompt))
    own = expected - len(encoded[0].shared)  # whatever is cached: the shared part alone is known
    assert ledger.account.forward_tokens == expected + own
    assert model.cost(rendered, answers(prompt), with_shared=False) == own


def test_refused_charge_runs_nothing_and_leaves_the_account(load: Loader) -> None:
    groups = [render(slow.prompt_of(n_demos=n), text) for n in (0, 2) for text in slow.TEXTS]
    budget = load("llama").cost(groups, (" yes", " no"))
    ledger = Ledger(budget_tokens=budget)
    model = load("llama", ledger=ledger)
    one = model.choose(groups[:1], (" yes", " no"))
    before = ledger.account
    seen: list[int] = []
    with pytest.raises(BudgetExceeded, match=f"{budget} forward tokens are spent"):
        model.choose(groups, (" yes", " no"), seen.append)
    assert (ledger.account, seen) == (before, [])
    assert ledger.tokens_left == budget - sum(one.n_input_tokens)


def test_progress_adds_up_to_the_prompts(load: Loader) -> None:
    seen: list[int] = []
    prompt = slow.prompt_of(("not", "not good"))
    rendered = [render(slow.prompt_of(n_demos=n), t) for n in (0, 1) for t in slow.TEXTS]
    load("llama", batch_tokens=60).choose(rendered, answers(prompt), seen.append)
    assert sum(seen) == len(rendered)


def test_too_long_a_prompt_is_refused_before_anything_runs(load: Loader) -> None:
    ledger = Ledger()
    model = load("llama", ledger=ledger)
    rendered = [render(slow.prompt_of(n_demos=0), text) for text in ("x", "good " * 3000)]
    with pytest.raises(PromptTooLong, match=f"context of {tiny.CONTEXT}; set an input cap"):
        model.choose(rendered, (" yes", " no"))
    assert ledger.account == Account()


@pytest.mark.parametrize(
    ("given", "match"),
    [((" yes",), "at least two answers"), ((" yes", " yes"), "two choices have the same tokens")],
)
def test_choose_refuses(load: Loader, given: tuple[str, ...], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        load("llama").choose([render(slow.prompt_of(), "x")], given)


def test_different_leads_are_refused_where_they_change_the_answers_tokens(
    load: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load("llama")
    rendered = [render(slow.prompt_of(answer_lead=lead), "x") for lead in ("It was", "Mood:")]
    got = model.choose(rendered, (" yes", " no"))  # the same tokens behind either
    assert got.free_mass.shape == (2,)
    monkeypatch.setattr(
        model.codec, "answer_ids", lambda anchor, answer: (len(anchor), len(answer))
    )
    with pytest.raises(ValueError, match="different leads"):
        model.choose(rendered, (" yes", " no"))


def test_no_prompts_give_no_rows(load: Loader) -> None:
    got = load("llama").choose([], (" yes", " no"))
    assert got.log_probabilities().shape == (0, 2)


def test_free_mass_is_a_log_probability(load: Loader) -> None:
    prompt = slow.prompt_of()
    got = load("llama").choose([render(prompt, t) for t in slow.TEXTS], answers(prompt))
    assert (got.free_mass < 0).all()
    assert math.isfinite(got.free_mass.sum())
