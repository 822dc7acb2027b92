"""Kept answers: warm is cold bit for bit, runs nothing, and costs the same in the ledger."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from modules.lm import BudgetExceeded, Choices, GenerateRequest, Ledger, LocalModel, Sampling
from modules.lm.answers import Answers
from modules.lm.store import AnswerStore
from modules.prompts import answers, render
from modules.prompts.render import Rendered
from tests.modules_tests.conftest import Loader
from tests.modules_tests.lm import slow
from tests.modules_tests.lm.test_store import keys_in, sql

LAYOUTS: dict[str, dict[str, Any]] = {
    "text": {},
    "text, after": {"instruction": "after", "n_demos": 0},
    "chat": {"kind": "chat", "n_demos": 0, "answer_lead": ""},
    "chat, after": {"kind": "chat", "instruction": "after", "n_demos": 0},
}
WORDS = ("not", "not good", "bad")  # two forks

Open = Callable[..., LocalModel]
Bits = tuple[bytes, ...]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.sqlite3"


@pytest.fixture
def fresh(load: Loader, path: Path) -> Open:
    """Give a new model with a new ledger, on the one file."""

    def _fresh(kind: str = "llama", dtype: str = "float32", **changed: Any) -> LocalModel:
        model = load(kind, dtype, Ledger(changed.pop("budget", None)))
        model._forward.packs &= changed.pop("packs", True)
        asked: dict[str, Any] = {
            "digest": model.identity.digest,
            "dtype": getattr(torch, dtype),
            "processor": model.identity.processor,
            "way": "packed" if model._forward.packs else "padded",
        }
        model.answers = Answers(AnswerStore(path), **(asked | changed))
        return model

    return _fresh


def bits(choices: Choices) -> Bits:
    return (*(logits.tobytes() for logits in choices.fork_logits), choices.free_mass.tobytes())


def rendered(prompt: Any, texts: Sequence[str] = slow.TEXTS) -> list[Rendered]:
    return [render(prompt, text) for text in texts]


def check_account(model: LocalModel, cold: LocalModel, n_run: int) -> None:
    """The same charge as cold, and what was not run noted as reused.

    A shared part that is charged once may be run twice, to choose after it and to write after it.
    """
    account = model.ledger.account
    assert account.to_json() == cold.ledger.account.to_json()
    assert model._forward.n_run == n_run
    assert account.reused_tokens == max(0, account.forward_tokens - n_run)


@pytest.mark.parametrize("packs", [True, False])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    ("kind", "dtype"), [("llama", "float32"), ("llama", "float64"), ("gemma", "float32")]
)
def test_choose_is_read_by_a_new_model(
    fresh: Open, load: Loader, kind: str, dtype: str, layout: str, packs: bool
) -> None:
    prompt = slow.prompt_of(WORDS, **LAYOUTS[layout])
    asked = rendered(prompt), answers(prompt)
    without = load(kind, dtype)
    without._forward.packs &= packs
    cold, warm = (fresh(kind, dtype, packs=packs) for _ in range(2))
    first, second = cold.choose(*asked), warm.choose(*asked)
    assert bits(first) == bits(second) == bits(without.choose(*asked))
    assert len(first.fork_list) == 2
    assert first.n_input_tokens == second.n_input_tokens
    check_account(cold, cold, cold._forward.n_run)
    check_account(warm, cold, 0)


def test_bfloat16_is_kept_as_it_is(fresh: Open) -> None:
    prompt = slow.prompt_of()
    cold, warm = fresh(dtype="bfloat16"), fresh(dtype="bfloat16")
    first, second = (model.choose(rendered(prompt), answers(prompt)) for model in (cold, warm))
    assert bits(first) == bits(second)
    check_account(warm, cold, 0)


def test_the_same_model_reads_its_own_answers(fresh: Open) -> None:
    model, prompt = fresh(), slow.prompt_of()
    first = model.choose(rendered(prompt), answers(prompt))
    n_run = model._forward.n_run
    assert bits(model.choose(rendered(prompt), answers(prompt))) == bits(first)
    assert model._forward.n_run == n_run
    shared = model.codec.encode(rendered(prompt)[0]).shared  # which is charged once
    assert model.ledger.account.reused_tokens == n_run - len(shared)


def test_a_model_remembers_inside_and_forgets_after(load: Loader) -> None:
    model, prompt = load("llama"), slow.prompt_of()

    def runs() -> tuple[int, Any]:
        before = model._forward.n_run
        got = bits(model.choose(rendered(prompt), answers(prompt)))
        return model._forward.n_run - before, got

    with model.remembering():
        first, second = runs(), runs()
    third = runs()
    assert first[0] > 0 == second[0]
    assert third[0] > 0
    assert first[1] == second[1] == third[1]


def test_kept_answers_stay_the_ones_that_are_read(fresh: Open) -> None:
    model = fresh()
    kept = model.answers
    with model.remembering():
        assert model.answers is kept
    assert model.answers is kept


def test_other_words_need_no_run(fresh: Open, load: Loader) -> None:
    zero_shot = slow.prompt_of(("negative", "positive"), n_demos=0)
    other = slow.prompt_of(("bad", "good"), n_demos=0)
    assert rendered(zero_shot) == rendered(other)
    fresh().choose(rendered(zero_shot), answers(zero_shot))
    warm = fresh()
    got = warm.choose(rendered(other), answers(other))
    assert [fork.path for fork in got.fork_list] == [()]
    assert warm._forward.n_run == 0
    assert warm.ledger.account.reused_tokens == warm.ledger.account.forward_tokens
    expected = load("llama", "float32").choose(rendered(other), answers(other))
    assert bits(got) == bits(expected)


def test_words_with_another_fork_run_the_fork_alone(fresh: Open, load: Loader) -> None:
    prompt, other = slow.prompt_of(("bad", "good"), n_demos=0), slow.prompt_of(WORDS, n_demos=0)
    fresh().choose(rendered(prompt), answers(prompt))
    warm, cold = fresh(), load("llama", "float32", Ledger())
    got, expected = (m.choose(rendered(other), answers(other)) for m in (warm, cold))
    assert bits(got) == bits(expected)
    paths = [fork.path for fork in got.fork_list]
    assert paths[0] == ()
    encoded = [warm.codec.encode(r) for r in rendered(other)]
    rows = {e.own + path for e in encoded for path in paths[1:]}
    check_account(warm, cold, len(encoded[0].shared) + sum(map(len, rows)))


CHANGES: list[dict[str, Any]] = [
    {"digest": "another"},
    {"processor": "another"},
    {"way": "another"},
    {"packs": False},
    {"dtype": "float64"},
    {"kind": "qwen2"},
]


@pytest.mark.parametrize("changed", CHANGES, ids=repr)
def test_another_model_dtype_processor_or_way_shares_nothing(
    fresh: Open, path: Path, changed: dict[str, Any]
) -> None:
    prompt = slow.prompt_of()
    asked = [GenerateRequest(prompt=r, sampling=Sampling()) for r in rendered(prompt)]
    for model in (fresh(), fresh(**changed)):
        before = len(keys_in(path)) if path.exists() else 0
        model.choose(rendered(prompt), answers(prompt))
        assert model._forward.n_run == model.ledger.account.forward_tokens
        model.generate(asked)
        assert model.ledger.account.sampled_tokens > len(asked)
        n_texts = len(set(slow.TEXTS))
        assert len(keys_in(path)) == before + 2 * n_texts


def test_the_dtype_is_part_of_the_key(path: Path) -> None:
    store, row = AnswerStore(path), ((1,), (2,), (3,))
    for dtype in (torch.bfloat16, torch.float16, torch.float32, torch.float64):
        kept = Answers(store, "digest", dtype, "cpu", "way")
        assert kept.states([row]) == {}
        kept.keep_states([row], torch.ones((1, 8), dtype=dtype), [0.1])
        hidden, total = kept.states([row])[0]
        assert (hidden.tolist(), hidden.dtype, total) == ([1.0] * 8, dtype, 0.1)


def test_the_parts_of_a_row_are_part_of_the_key(path: Path) -> None:
    kept = Answers(AnswerStore(path), "digest", torch.float32, "cpu", "way")
    kept.keep_states([((1,), (2,), (3,))], torch.ones((1, 8)), [0.0])
    others = [((1, 2), (), (3,)), ((1,), (), (2, 3)), ((), (1, 2), (3,)), ((1,), (2,), (4,))]
    assert kept.states(others) == {}
    assert list(kept.states([*others, ((1,), (2,), (3,))])) == [len(others)]


@pytest.mark.parametrize("n_broken", [1, 3])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_broken_entry_is_computed_again(
    fresh: Open, path: Path, layout: str, n_broken: int
) -> None:
    prompt = slow.prompt_of(**LAYOUTS[layout])
    cold = fresh()
    first = cold.choose(rendered(prompt), answers(prompt))
    for key, sealed in sql(path, "SELECT key, value FROM answers LIMIT ?", n_broken):
        broken = sealed[:-1] + bytes([sealed[-1] ^ 1])
        sql(path, "UPDATE answers SET value = ? WHERE key = ?", broken, key)
    again = fresh()
    assert bits(again.choose(rendered(prompt), answers(prompt))) == bits(first)
    assert 0 < again._forward.n_run < cold._forward.n_run
    check_account(again, cold, again._forward.n_run)
    healed = fresh()
    assert bits(healed.choose(rendered(prompt), answers(prompt))) == bits(first)
    check_account(healed, cold, 0)


@pytest.mark.parametrize("n_known", [1, 2, 5])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_part_known_part_unknown(fresh: Open, load: Loader, layout: str, n_known: int) -> None:
    prompt = slow.prompt_of(WORDS, **LAYOUTS[layout])
    fresh().choose(rendered(prompt, slow.TEXTS[:n_known]), answers(prompt))
    partly, cold = fresh(), load("llama", "float32", Ledger())
    seen: list[int] = []
    got = partly.choose(rendered(prompt), answers(prompt), seen.append)
    assert bits(got) == bits(cold.choose(rendered(prompt), answers(prompt)))
    assert sum(seen) == len(slow.TEXTS)
    encoded = [partly.codec.encode(r) for r in rendered(prompt)]
    paths = [fork.path for fork in got.fork_list]
    rows = {(e.kept, e.own + path) for e in encoded for path in paths}
    rows -= {(e.kept, e.own + path) for e in encoded[:n_known] for path in paths}
    kept = {kept for kept, _ in rows}
    n_run = len(encoded[0].shared) + sum(map(len, kept)) + sum(len(own) for _, own in rows)
    assert partly._forward.n_run == n_run
    account = partly.ledger.account
    assert account.to_json() == cold.ledger.account.to_json()
    assert account.reused_tokens == max(0, account.forward_tokens - n_run)


def test_progress_adds_up_warm_and_with_several_instructions(fresh: Open) -> None:
    prompts = [r for n in (0, 1) for r in rendered(slow.prompt_of(WORDS, n_demos=n))]
    for model in (fresh(), fresh()):
        seen: list[int] = []
        model.choose(prompts, (" not", " not good", " bad"), seen.append)
        assert sum(seen) == len(prompts)


def test_prompts_charged_apart_are_charged_the_same_warm(fresh: Open) -> None:
    prompt = slow.prompt_of()
    cold, warm = fresh(), fresh()
    for model in (cold, warm):
        model.choose(rendered(prompt), answers(prompt), apart=True)
    assert cold.ledger.account.reused_tokens > 0
    check_account(warm, cold, 0)


def drawn(temperature: float = 0.8, n: int = 2, max_tokens: int = 9) -> list[GenerateRequest]:
    """Requests for each text, n of each, with a key of its own."""
    sampling = Sampling(temperature=temperature, max_tokens=max_tokens)
    return [
        GenerateRequest(prompt=one, sampling=sampling, key=("draw", number, k))
        for number, one in enumerate(rendered(slow.prompt_of()))
        for k in range(n)
    ]


@pytest.mark.parametrize("apart", [False, True])
@pytest.mark.parametrize("temperature", [0.0, 0.8])
@pytest.mark.parametrize("kind", ["llama", "gemma"])
def test_generate_is_read_by_a_new_model(
    fresh: Open, load: Loader, kind: str, temperature: float, apart: bool
) -> None:
    asked = drawn(temperature)
    cold, warm = fresh(kind), fresh(kind)
    first, second = (model.generate(asked, apart=apart) for model in (cold, warm))
    assert first == second == load(kind, "float32").generate(asked)
    assert temperature == 0 or len({done.text for done in first}) > 4
    check_account(warm, cold, 0)
    assert cold.ledger.account.sampled_tokens == sum(done.n_output_tokens for done in first)


@pytest.mark.parametrize("n_known", [1, 5, 15])
def test_texts_partly_known(fresh: Open, load: Loader, n_known: int) -> None:
    asked = drawn()
    fresh().generate(asked[3 : 3 + n_known])
    partly, cold = fresh(), load("llama", "float32", Ledger())
    seen: list[int] = []
    assert partly.generate(asked, seen.append) == cold.generate(asked)
    assert sum(seen) == len(asked)
    assert 0 < partly._forward.n_run < cold._forward.n_run
    check_account(partly, cold, partly._forward.n_run)


def test_a_broken_text_is_drawn_again(fresh: Open, path: Path) -> None:
    asked, cold = drawn(), fresh()
    first = cold.generate(asked)
    sql(path, "UPDATE answers SET value = substr(value, 1, length(value) - 1)")
    again = fresh()
    assert again.generate(asked) == first
    check_account(again, cold, cold._forward.n_run)
    warm = fresh()
    assert warm.generate(asked) == first
    check_account(warm, cold, 0)


ONE = GenerateRequest(
    prompt=render(slow.prompt_of(), "x"),
    sampling=Sampling(temperature=0.8, max_tokens=9),
    key=("a", 1),
)
OTHERS = {
    "key": replace(ONE, key=("a", 2)),
    "key's type": replace(ONE, key=("a", "1")),
    "temperature": replace(ONE, sampling=replace(ONE.sampling, temperature=0.9)),
    "max_tokens": replace(ONE, sampling=replace(ONE.sampling, max_tokens=8)),
    "top_p": replace(ONE, sampling=replace(ONE.sampling, top_p=0.9)),
    "top_k": replace(ONE, sampling=replace(ONE.sampling, top_k=9)),
    "stop": replace(ONE, prompt=replace(ONE.prompt, stops=("e",))),
    "no stop": replace(ONE, prompt=replace(ONE.prompt, stops=())),
    "text": replace(ONE, prompt=render(slow.prompt_of(), "y")),
    "instruction": replace(ONE, prompt=render(slow.prompt_of(n_demos=0), "x")),
}


@pytest.mark.parametrize("other", OTHERS)
def test_what_is_drawn_another_way_is_not_shared(fresh: Open, load: Loader, other: str) -> None:
    fresh().generate([ONE])
    model = fresh()
    assert model.generate([OTHERS[other]]) == load("llama", "float32").generate([OTHERS[other]])
    assert model.ledger.account.reused_tokens == 0
    assert model._forward.n_run == model.ledger.account.forward_tokens


def test_a_stop_that_is_no_unicode_is_a_stop_like_others(fresh: Open, load: Loader) -> None:
    asked = [replace(ONE, prompt=replace(ONE.prompt, stops=("\ud800",)))]
    assert fresh().generate(asked) == load("llama", "float32").generate(asked)


def test_progress_of_texts_adds_up(fresh: Open) -> None:
    asked = drawn()
    for model in (fresh(), fresh()):
        seen: list[int] = []
        model.generate(asked, seen.append)
        assert sum(seen) == len(asked)


@pytest.mark.parametrize("short_by", [0, 1])
def test_the_budget_is_spent_at_the_same_request(fresh: Open, short_by: int) -> None:
    cold = fresh()
    cold.generate(drawn())
    warm = fresh(budget=cold.ledger.account.forward_tokens - short_by)
    if not short_by:
        warm.generate(drawn())
        return
    with pytest.raises(BudgetExceeded):
        warm.generate(drawn())


def test_a_refused_text_leaves_the_same_account_warm_and_cold(fresh: Open, load: Loader) -> None:
    asked = [replace(ONE, prompt=replace(ONE.prompt, stops=()))]
    (done,) = fresh().generate(asked)
    assert done.n_output_tokens > 4
    budget = done.n_input_tokens + 2
    accounts = []
    for model in (load("llama", "float32", Ledger(budget)), fresh(budget=budget)):
        with pytest.raises(BudgetExceeded):
            model.generate(asked)
        accounts.append(model.ledger.account.to_json())
    assert accounts[0] == accounts[1]


def test_a_store_that_cannot_be_written_changes_nothing(
    load: Loader, fresh: Open, path: Path
) -> None:
    path.mkdir()
    prompt, plain = slow.prompt_of(), load("llama", "float32", Ledger())
    expected = plain.choose(rendered(prompt), answers(prompt)), plain.generate(drawn())
    for _ in range(2):
        model = fresh()
        assert bits(model.choose(rendered(prompt), answers(prompt))) == bits(expected[0])
        assert model.generate(drawn()) == expected[1]
        check_account(model, plain, plain._forward.n_run)


def test_a_moved_file_is_read(fresh: Open, path: Path, tmp_path: Path) -> None:
    prompt = slow.prompt_of()
    cold = fresh()
    first = cold.choose(rendered(prompt), answers(prompt))
    assert cold.answers is not None
    cold.answers._store.close()
    moved = tmp_path / "moved.sqlite3"
    path.rename(moved)
    warm = fresh()
    assert warm.answers is not None
    warm.answers._store = AnswerStore(moved)
    assert bits(warm.choose(rendered(prompt), answers(prompt))) == bits(first)
    check_account(warm, cold, 0)
