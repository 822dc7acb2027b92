"""`look` against one slow pass a prompt, its charge, and what is kept of it."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from modules.lm import BudgetExceeded, Ledger, LocalModel, PromptTooLong
from modules.lm.answers import Answers
from modules.lm.store import AnswerStore
from modules.prompts import answers, render
from modules.prompts.render import Rendered
from tests import tiny
from tests.modules_tests.conftest import Loader
from tests.modules_tests.lm import slow

LAYOUTS: dict[str, dict[str, Any]] = {
    "text": {},
    "text, nothing shared": {"n_demos": 0},
    "text, after": {"instruction": "after", "n_demos": 0},
    "text, same line": {"same_line": True, "answer_lead": "It was"},
    "chat": {"kind": "chat", "n_demos": 0, "answer_lead": ""},
}


def rendered(**layout: Any) -> list[Rendered]:
    return [render(slow.prompt_of(**layout), text) for text in slow.TEXTS]


def slow_hidden(model: LocalModel, ids: tuple[int, ...]) -> torch.Tensor:
    with torch.inference_mode():
        base = model._forward.model.base_model
        out = base(input_ids=torch.tensor([ids]), use_cache=False).last_hidden_state
    return out[0, -1]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", ["llama", "gemma", "phi-3"])
def test_look_is_the_slow_pass(load: Loader, kind: str, layout: str) -> None:
    model, prompts = load(kind), rendered(**LAYOUTS[layout])
    looks = model.look(prompts)
    n_tokens = model._forward.model.config.vocab_size
    vocabulary = np.concatenate(list(looks.vocabulary()))
    assert vocabulary.shape == (len(prompts), n_tokens)
    chosen = [5, 3, n_tokens - 1]
    assert looks.hidden.dtype == np.float32
    for row, prompt in enumerate(prompts):
        ids = model.codec.encode(prompt).ids
        expected = torch.log_softmax(tiny.slow_logits(model._forward.model, ids), dim=0).numpy()
        assert vocabulary[row] == pytest.approx(expected, abs=1e-9)
        assert looks.log_probabilities(chosen)[row] == pytest.approx(expected[chosen], abs=1e-9)
        assert looks.hidden[row] == pytest.approx(slow_hidden(model, ids).numpy(), abs=1e-5)
        assert looks.n_input_tokens[row] == len(ids)
    assert np.ptp(vocabulary, axis=0).max() > 1e-3


def test_look_is_the_root_of_choose(load: Loader) -> None:
    """Where the answers' first tokens differ, both have the same bits there."""
    prompt = slow.prompt_of(("bad", "good"))
    prompts = [render(prompt, text) for text in slow.TEXTS]
    choices = load("llama", "float32").choose(prompts, answers(prompt))
    looks = load("llama", "float32").look(prompts)
    (fork,) = choices.fork_list
    logits = looks.log_probabilities(fork.tokens) + looks.log_totals[:, None]
    assert logits == pytest.approx(choices.fork_logits[0], abs=1e-12)
    assert np.logaddexp(*looks.log_probabilities(fork.tokens).T) == pytest.approx(choices.free_mass)


def test_tokens_in_parts_are_tokens_at_once(load: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    looks = load("llama").look(rendered())
    at_once = looks.log_probabilities(range(40))
    monkeypatch.setattr("modules.lm.forward._PRODUCTS", 1)
    assert looks.log_probabilities(range(40)).tobytes() == at_once.tobytes()


def test_vocabulary_comes_in_blocks_of_64(load: Loader) -> None:
    prompt = slow.prompt_of()
    looks = load("llama").look([render(prompt, f"good {n}") for n in range(70)])
    assert [len(block) for block in looks.vocabulary()] == [64, 6]
    whole = np.concatenate(list(looks.vocabulary()))
    assert np.exp(whole).sum(axis=1) == pytest.approx(1, abs=1e-9)


def test_look_is_charged_as_choose(load: Loader) -> None:
    """Two answers of one token each; equal prompts share their pass in both."""
    prompt = slow.prompt_of(("bad", "good"))
    prompts = [render(prompt, text) for text in slow.TEXTS]
    model, other = load("llama", ledger=Ledger()), load("llama", ledger=Ledger())
    model.look(prompts)
    other.choose(prompts, answers(prompt))
    account = model.ledger.account
    assert account == other.ledger.account
    distinct = {p: len(model.codec.encode(p).own) for p in prompts}
    shared = len(model.codec.encode(prompts[0]).shared)
    assert account.forward_tokens == shared + sum(distinct.values())
    assert account.n_prompts == len(prompts)


def test_progress_counts_every_prompt(load: Loader) -> None:
    seen: list[int] = []
    load("llama", batch_tokens=60).look(rendered(), seen.append)
    assert sum(seen) == len(slow.TEXTS)
    assert len(seen) > 1


def test_nothing_to_look_at(load: Loader) -> None:
    looks = load("llama").look([])
    assert looks.hidden.shape == (0, 16)
    assert looks.log_probabilities([1, 2]).shape == (0, 2)
    assert sum(map(len, looks.vocabulary())) == 0


def test_no_tokens_to_look_for(load: Loader) -> None:
    assert load("llama").look(rendered()).log_probabilities([]).shape == (len(slow.TEXTS), 0)


def test_a_kept_look_runs_nothing(load: Loader, tmp_path: Path) -> None:
    def fresh() -> LocalModel:
        model = load("llama", "float32", Ledger())
        store = AnswerStore(tmp_path / "answers.sqlite3")
        model.answers = Answers(store, "digest", torch.float32, "cpu", "packed")
        return model

    cold, warm, choosing = fresh(), fresh(), fresh()
    first, second = cold.look(rendered()), warm.look(rendered())
    assert first.states.equal(second.states)
    assert first.log_totals.tobytes() == second.log_totals.tobytes()
    assert first.log_probabilities(range(9)).tobytes() == (
        second.log_probabilities(range(9)).tobytes()
    )
    assert warm._forward.n_run == 0
    assert warm.ledger.account.to_json() == cold.ledger.account.to_json()
    assert warm.ledger.account.reused_tokens == warm.ledger.account.forward_tokens
    choosing.choose(rendered(), answers(slow.prompt_of(("bad", "good"))))
    assert choosing._forward.n_run == 0


def test_a_refused_look_runs_nothing(load: Loader) -> None:
    model = load("llama", ledger=Ledger(3))
    with pytest.raises(BudgetExceeded, match="3 forward tokens are spent"):
        model.look(rendered())
    assert model._forward.n_run == 0


def test_a_prompt_beyond_the_context(load: Loader) -> None:
    long = render(slow.prompt_of(), "x " * tiny.CONTEXT)
    with pytest.raises(PromptTooLong, match="set an input cap"):
        load("llama").look([long])
