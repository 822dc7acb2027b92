"""promptolution over our model: its language model, its best prompt, its cells."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.search import contestants, protocol
from benchmarks.search.promptolution_install import is_installed
from modules.lm import BudgetExceeded, Ledger, LocalModel, Sampling
from modules.tasks.example import Task
from tests.benchmarks_tests.cells import cell

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice:RuntimeWarning:promptolution")

needs_promptolution = pytest.mark.skipif(
    not is_installed(), reason="promptolution is not installed (see benchmarks/README.md)"
)


def test_promptolution_is_left_out_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contestants, "is_installed", lambda: False)

    missing = contestants.absent(protocol.OPTIMIZERS)

    assert tuple(missing) == protocol.PROMPTOLUTION
    assert missing["capo"] == "promptolution is not installed (see benchmarks/README.md)"


@needs_promptolution
def test_the_language_model_answers_and_charges(task: Task, model: LocalModel) -> None:
    from benchmarks.search.promptolution_lm import InProcessLLM

    texts = [example.inputs[task.input_field] for example in task.splits.dev[:3]]
    llm = InProcessLLM(
        model, Sampling(max_tokens=4), 0, inputs=texts, opening="Output:", stops=("\nInput:",)
    )
    prompts = [f"Say it.\n\nIn one word.\n{text}" for text in texts]

    said = llm.get_response(prompts)

    assert said == llm.get_response(prompts)
    assert model.ledger.account.n_prompts == 6
    rendered = llm.rendered(prompts[0], "system")
    assert rendered.turns[-1].text[rendered.n_shared_chars :].rstrip("\n") == texts[0]
    assert rendered.is_chat == model.has_chat_template
    scored = np.exp(llm.choose(prompts, "system", task.label_names))
    assert scored.sum(axis=1) == pytest.approx(np.ones(3))


@needs_promptolution
def test_the_language_model_stops_at_the_budget(task: Task, model: LocalModel) -> None:
    from benchmarks.search.promptolution_lm import InProcessLLM

    model.ledger = Ledger(5)
    with pytest.raises(BudgetExceeded, match="5 forward tokens"):
        InProcessLLM(model, Sampling(max_tokens=4), 0).get_response(["a text of many tokens"])


@needs_promptolution
def test_a_prompt_that_is_too_long_has_no_answer(task: Task, model: LocalModel) -> None:
    from benchmarks.search.promptolution_lm import InProcessLLM

    llm = InProcessLLM(model, Sampling(max_tokens=4), 0)

    assert llm.get_response(["bad " * (model.context + 1)]) == [""]


@needs_promptolution
@pytest.mark.parametrize(
    ("scores", "best"),
    [([], "a"), ([0.1, 0.9, 0.9], "b"), ([float("nan"), 0.2, 0.1], "b"), ([float("nan")] * 3, "a")],
    ids=["none", "tie", "unscored", "all-unscored"],
)
def test_the_best_prompt_so_far_is_kept(scores: list[float], best: str) -> None:
    from benchmarks.search.promptolution_search import best_prompt

    asked = SimpleNamespace(eval_cache={})
    assert best_prompt(SimpleNamespace(prompts=["a", "b", "c"], scores=scores, task=asked)) == best


@needs_promptolution
def test_before_the_first_scores_single_answers_tell() -> None:
    """Two of two have the lower end 0.34, five of eight 0.31, eight of ten 0.49 (Wilson)."""
    from benchmarks.search.promptolution_search import best_prompt

    right = {"a": [1.0] * 2, "b": [1.0] * 8 + [0.0] * 2, "c": [1.0] * 5 + [0.0] * 3}
    cache = {(p, f"x{n}", "y"): one for p, all_of in right.items() for n, one in enumerate(all_of)}
    optimizer = SimpleNamespace(
        prompts=["a", "c"], scores=[], task=SimpleNamespace(eval_cache=cache)
    )

    assert best_prompt(optimizer) == "b"


@needs_promptolution
@pytest.mark.parametrize("name", protocol.PROMPTOLUTION)
def test_promptolution_searches_to_the_end_of_the_budget(
    name: str, task: Task, model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks.search import promptolution_search

    monkeypatch.setattr(promptolution_search, "ANSWER_TOKENS", 2)
    monkeypatch.setattr(promptolution_search, "META_TOKENS", 4)
    monkeypatch.setattr(protocol, "LARGE_TOKENS", 12_000)

    found = contestants.run_cell(cell(optimizer=name, budget="large"), task, model, tmp_path)
    again = contestants.run_cell(cell(optimizer=name, budget="large"), task, model, tmp_path)

    assert found.error == ""
    assert len(found.correct) == len(found.guided) == len(task.splits.test.unseal())
    assert 0 < found.forward_tokens <= 12_000
    assert found.notes["ended_by"] == ""
    assert (again.prompt, again.correct) == (found.prompt, found.correct)
