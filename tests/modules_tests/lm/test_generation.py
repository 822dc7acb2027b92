"""`generate` against a slow loop, and its independence of neighbours."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch

from modules.lm import (
    Account,
    BudgetExceeded,
    Completion,
    GenerateRequest,
    Ledger,
    LocalModel,
    PromptTooLong,
    Sampling,
    stream,
)
from modules.lm.sampling import token_probabilities
from modules.prompts import render
from modules.prompts.render import Rendered
from tests import tiny
from tests.modules_tests.conftest import Loader
from tests.modules_tests.lm import slow

N = 24  # new tokens: more than the tiny window of 16
LAYOUTS: dict[str, dict[str, Any]] = {
    "text, shared": {"n_demos": 1},
    "text, nothing shared": {"n_demos": 0, "instruction": "after"},
    "chat": {"kind": "chat", "n_demos": 0, "answer_lead": ""},
}


def without_stops(prompt: Any, texts: Sequence[str] = slow.TEXTS) -> list[Rendered]:
    return [replace(render(prompt, text), stops=()) for text in texts]


def written(model: LocalModel, tokens: list[int]) -> tuple[str, int, str]:
    """What a row of raw tokens must come back as."""
    ended = tokens[-1] in model.codec.end_ids
    text = model.codec.decode(tokens[:-1] if ended else tokens).strip()
    return text, len(tokens), "stop" if ended else "length"


def fields(done: Completion) -> tuple[str, int, str]:
    return done.text, done.n_output_tokens, done.finish


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", ["llama", "base", "gemma"])
def test_greedy_is_the_slow_loop(load: Loader, kind: str, layout: str) -> None:
    """Rows of many lengths in one batch; Gemma goes beyond its window while it writes."""
    if kind == "base" and layout == "chat":
        pytest.skip("a base model has no chat template")
    model = load(kind)
    rendered = without_stops(slow.prompt_of(**LAYOUTS[layout]))
    asked = [GenerateRequest(prompt=r, sampling=Sampling(max_tokens=N)) for r in rendered]
    for one, done in zip(rendered, model.generate(asked), strict=True):
        assert fields(done) == written(model, slow.greedy(model, one, N))
        assert done.n_input_tokens == len(model.codec.encode(one).ids)


@pytest.mark.parametrize("max_tokens", [1, 2, 9])
def test_gemma_crossing_its_window_while_writing(load: Loader, max_tokens: int) -> None:
    model = load("gemma")
    bare = slow.prompt_of(n_demos=0, input_lead="", answer_lead="A").model_copy(
        update={"instruction": ()}
    )
    rendered = without_stops(bare, ("x", "good", "it was good", "it was good and not bad at all"))
    assert min(model.count_tokens(r) for r in rendered) < tiny.WINDOW
    asked = [GenerateRequest(prompt=r, sampling=Sampling(max_tokens=max_tokens)) for r in rendered]
    for one, done in zip(rendered, model.generate(asked), strict=True):
        assert fields(done) == written(model, slow.greedy(model, one, max_tokens))


def test_sampled_tokens_follow_the_rows_own_stream(load: Loader) -> None:
    """Drawn by hand: slow logits, inverse distribution function, the stream of the key."""
    model, sampling = load("llama"), Sampling(temperature=1.3, max_tokens=6, top_k=40)
    (one,) = without_stops(slow.prompt_of(), ("it was",))
    ids, tokens, draws = list(model.codec.encode(one).ids), [], stream("s", 3)
    while len(tokens) < 6 and not set(tokens[-1:]) & model.codec.end_ids:
        p = token_probabilities(tiny.slow_logits(model._forward.model, ids + tokens), sampling)
        u = draws.random()
        tokens.append(next(n for n in range(len(p)) if u < float(p[: n + 1].sum())))
    done = model.generate([GenerateRequest(prompt=one, sampling=sampling, key=("s", 3))])
    assert fields(done[0]) == written(model, tokens)


@pytest.mark.parametrize("kind", ["llama", "gemma"])
def test_a_draw_does_not_depend_on_its_neighbours(load: Loader, kind: str) -> None:
    rendered = without_stops(slow.prompt_of())
    asked = [
        GenerateRequest(
            prompt=rendered[n % len(rendered)],
            sampling=Sampling(temperature=1.0, max_tokens=4 + n % 7),
            key=("draw", n),
        )
        for n in range(2 * len(rendered))
    ]
    together = load(kind).generate(asked)
    alone = [load(kind, batch_tokens=1).generate([request])[0] for request in asked]
    backwards = load(kind, batch_tokens=90).generate(asked[::-1])[::-1]
    assert together == alone == backwards
    assert len({done.text for done in together}) > len(rendered)


def test_equal_prompts_draw_differently_and_equal_keys_alike(load: Loader) -> None:
    (one,) = without_stops(slow.prompt_of(), ("x",))
    sampling = Sampling(temperature=1.5, max_tokens=8)
    keys: list[tuple[object, ...]] = [("a",), ("b",), ("a",), ("c",)]
    done = load("llama").generate(
        [GenerateRequest(prompt=one, sampling=sampling, key=key) for key in keys]
    )
    assert done[0] == done[2]
    assert len({d.text for d in done}) == 3


def test_bfloat16_draws_the_same_alone_and_in_a_batch(load: Loader) -> None:
    if not torch.cpu.get_capabilities().get("avx512_bf16"):
        pytest.skip("this processor does not compute in bfloat16")
    asked = [
        GenerateRequest(prompt=r, sampling=Sampling(temperature=1.0, max_tokens=8), key=(n,))
        for n, r in enumerate(without_stops(slow.prompt_of()))
    ]
    together = load("llama", "bfloat16").generate(asked)
    model = load("llama", "bfloat16", batch_tokens=1)
    assert together == [model.generate([request])[0] for request in asked]


def scripted(model: LocalModel, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the model write this, whatever it reads; control tokens by their spelling."""
    tokens = model.codec._tokenizer(text, add_special_tokens=False)["input_ids"]
    count = iter(tokens)
    monkeypatch.setattr("modules.lm.generation.pick_all", lambda *_: [next(count)])


@pytest.mark.parametrize(
    ("script", "stops", "text", "finish"),
    [
        pytest.param("good\nbad", ("\n",), "good", "stop", id="stop string"),
        pytest.param("\n\n good\nbad", ("\n",), "good", "stop", id="leading line breaks"),
        pytest.param("good bad. no", (" bad", "."), "good", "stop", id="the first stop of two"),
        pytest.param("good<|im_end|>bad", (), "good", "stop", id="end token"),
        pytest.param("<|im_end|>bad", (), "", "stop", id="nothing but an end"),
        pytest.param("good bad no yes maybe", (), None, "length", id="length"),
        pytest.param("good<bos><|im_end|>", (), "good", "stop", id="control tokens are left out"),
    ],
)
def test_where_a_completion_ends(
    load: Loader,
    monkeypatch: pytest.MonkeyPatch,
    script: str,
    stops: tuple[str, ...],
    text: str | None,
    finish: str,
) -> None:
    model = load("llama")
    scripted(model, script, monkeypatch)
    prompt = replace(render(slow.prompt_of(), "x"), stops=stops)
    (done,) = model.generate([GenerateRequest(prompt=prompt, sampling=Sampling(max_tokens=5))])
    assert done.finish == finish
    assert done.text == text or (text is None and script.startswith(done.text))
    assert done.n_output_tokens <= 5


def test_an_end_token_at_the_last_place_is_a_stop(
    load: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = load("llama")
    n = len(model.codec.plain("good"))
    prompt = render(slow.prompt_of(), "x")
    for max_tokens, finish in ((n, "length"), (n + 1, "stop")):
        scripted(model, "good<|im_end|>", monkeypatch)
        sampling = Sampling(max_tokens=max_tokens)
        (done,) = model.generate([GenerateRequest(prompt=prompt, sampling=sampling)])
        assert (done.text, done.finish, done.n_output_tokens) == ("good", finish, max_tokens)


def test_ledger_counts_what_ran_and_what_was_sampled(load: Loader) -> None:
    ledger = Ledger()
    model = load("llama", ledger=ledger)
    rendered = without_stops(slow.prompt_of())
    done = model.generate(
        [GenerateRequest(prompt=r, sampling=Sampling(max_tokens=5)) for r in rendered]
    )
    encoded = [model.codec.encode(r) for r in rendered]
    prompts = len(encoded[0].shared) + sum(len(own) for own in {e.own for e in encoded})
    sampled = sum(d.n_output_tokens for d in done)
    assert ledger.account == Account(
        n_prompts=len(done),
        forward_tokens=prompts + sampled - len(done),  # a row's last token is never run
        sampled_tokens=sampled,
    )


def test_budget_stops_the_writing_and_counts_what_was_done(load: Loader) -> None:
    (one,) = without_stops(slow.prompt_of(), ("x",))
    n = load("llama").count_tokens(one)
    ledger = Ledger(budget_tokens=n + 3)
    with pytest.raises(BudgetExceeded, match="forward tokens are spent"):
        load("llama", ledger=ledger).generate(
            [GenerateRequest(prompt=one, sampling=Sampling(temperature=1.0, max_tokens=50))]
        )
    assert ledger.account.forward_tokens == n + 3


def test_too_long_a_completion_is_refused_before_anything_runs(load: Loader) -> None:
    ledger = Ledger()
    prompt = render(slow.prompt_of(), "x")
    asked = [
        GenerateRequest(prompt=prompt, sampling=Sampling(max_tokens=n)) for n in (1, tiny.CONTEXT)
    ]
    with pytest.raises(PromptTooLong, match="do not fit"):
        load("llama", ledger=ledger).generate(asked)
    assert ledger.account == Account()


def test_nothing_asked_gives_nothing(load: Loader) -> None:
    assert load("llama").generate([]) == []


def test_progress_adds_up_to_the_completions(load: Loader) -> None:
    seen: list[int] = []
    asked = [
        GenerateRequest(prompt=r, sampling=Sampling(max_tokens=1))
        for r in without_stops(slow.prompt_of())
    ]
    load("llama", batch_tokens=60).generate(asked, seen.append)
    assert sum(seen) == len(asked)
