"""Draws: the most probable label at 0, the right frequencies above it, and rows that are valid."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import chisquare

from evaluate.draws import Entry, Plan, choose_records, generate_records
from evaluate.parity import dspy_parity
from evaluate.rows import frame
from modules.lm import LocalModel
from modules.programs.naive import naive_prompt
from modules.prompts import Part, Prompt, answers, ensemble_identity, parse_answer, render
from modules.tasks.example import Task
from tests import tables

LABELS = ("bad", "fine", "not good")  # sorted, as a table gives them
BIAS = (0.5, -1.0, 0.25)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    return tables.tiny_model(tables.model_folder(tmp_path_factory.mktemp("tiny") / "m", chat=True))


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return tables.file_task(tmp_path_factory.mktemp("table"), LABELS)


@pytest.fixture(scope="module", params=[False, True], ids=["text", "chat"])
def prompt(task: Task, request: pytest.FixtureRequest) -> Prompt:
    return naive_prompt(task, is_chat=request.param).model_copy(update={"bias": BIAS})


def plan(*seeds: int, temperatures: tuple[float, ...] = (0.5, 2.0)) -> Plan:
    return Plan(temperatures=temperatures, seeds=seeds, max_tokens=3)


def scores(model: LocalModel, task: Task, prompt: Prompt, t: float = 1.0) -> NDArray[np.float64]:
    texts = [example.inputs[task.input_field] for example in task.splits.dev]
    rendered = [render(prompt, text) for text in texts]
    return model.choose(rendered, answers(prompt)).log_probabilities(t)


def test_at_temperature_zero_the_most_probable_label(
    model: LocalModel, task: Task, prompt: Prompt
) -> None:
    entry = Entry(name="frozen", prompt=prompt)
    rows = frame(choose_records(model, task, entry, task.splits.dev, plan(3)))
    cold = rows[rows.temperature == 0]
    weights = np.exp(scores(model, task, prompt)) * np.exp(BIAS)
    expected = weights / weights.sum(axis=1, keepdims=True)
    assert cold.answer.tolist() == [LABELS[at] for at in expected.argmax(axis=1)]
    assert np.array(cold.probabilities.tolist()) == pytest.approx(expected)
    gold = [task.label_names.index(name) for name in cold.gold]
    assert cold.p_gold.tolist() == pytest.approx(expected[np.arange(len(gold)), gold])
    assert cold.confidence.tolist() == pytest.approx(expected.max(axis=1))
    assert cold.correct.tolist() == (cold.answer == cold.gold).tolist()
    assert set(cold.seed) == {3}
    assert cold.example_id.tolist() == [example.id for example in task.splits.dev]


@pytest.mark.parametrize("temperature", [1.5, 3.0])
def test_frequencies_over_seeds_are_the_distribution(
    model: LocalModel, task: Task, prompt: Prompt, temperature: float
) -> None:
    """log p is proportional to (log-probability + bias) / T; fixed seeds, so it cannot flake."""
    n_seeds = 600
    some = task.splits.dev[:4]
    wanted = plan(*range(n_seeds), temperatures=(temperature,))
    rows = frame(choose_records(model, task, Entry(name="x", prompt=prompt), some, wanted))
    hot = rows[rows.temperature == temperature]
    weights = np.exp(scores(model, task, prompt, temperature)[:4] + np.array(BIAS) / temperature)
    expected = weights / weights.sum(axis=1, keepdims=True)
    counts = np.array(
        [
            [((hot.example_id == example.id) & (hot.answer == name)).sum() for name in LABELS]
            for example in some
        ]
    )
    assert counts.sum(axis=1).tolist() == [n_seeds] * 4
    kept = expected.min(axis=1) * n_seeds >= 5  # the usual rule for a chi-square test
    assert kept.any()
    for row, p in zip(counts[kept], expected[kept], strict=True):
        assert chisquare(row, p * n_seeds).pvalue > 1e-4


def test_the_same_seed_gives_the_same_rows_in_any_company(
    model: LocalModel, task: Task, prompt: Prompt
) -> None:
    entry, dev = Entry(name="x", prompt=prompt), task.splits.dev
    for records in (choose_records, generate_records):
        whole = frame(records(model, task, entry, dev[:6], plan(0, 1)))
        assert whole.equals(frame(records(model, task, entry, dev[:6], plan(0, 1))))
        alone = frame(records(model, task, entry, dev[2:3], plan(1)))
        cell = whole[(whole.example_id == dev[2].id) & (whole.seed == 1)]
        hot = cell[cell.temperature > 0].reset_index(drop=True)
        assert hot.equals(alone[alone.temperature > 0].reset_index(drop=True))
        other = frame(records(model, task, entry, dev[:6], plan(2, 3)))
        assert other.drop(columns="seed").equals(whole.drop(columns="seed")) is False


def other_of(prompt: Prompt) -> Prompt:
    """Give a prompt with another instruction, other words and another bias."""
    words = tuple(
        entry.model_copy(update={"word": word})
        for entry, word in zip(prompt.words, ("poor", "so so", "dull"), strict=True)
    )
    said = (Part(role="task", text="Say what it is worth."),)
    return prompt.model_copy(update={"instruction": said, "words": words, "bias": (0.0, 2.0, -1.0)})


def test_an_ensemble_is_the_mean_of_its_prompts(
    model: LocalModel, task: Task, prompt: Prompt
) -> None:
    """By hand: at T each prompt's weights are p ** (1 / T) * exp(bias / T); then their roots."""
    other, some = other_of(prompt), task.splits.dev[:5]
    entry = Entry(name="frozen", prompt=prompt, members=(other,))
    rows = frame(choose_records(model, task, entry, some, plan(0)))
    means = {}
    for t in (0.5, 1.0, 2.0):
        p = [
            np.exp(scores(model, task, one, t)[:5]) * np.exp(np.array(one.bias) / t)
            for one in (prompt, other)
        ]
        p = [one / one.sum(axis=1, keepdims=True) for one in p]
        root = np.sqrt(p[0] * p[1])
        means[t] = root / root.sum(axis=1, keepdims=True)
    cold = rows[rows.temperature == 0]
    assert np.array(cold.probabilities.tolist()) == pytest.approx(means[1.0])
    assert cold.answer.tolist() == [LABELS[at] for at in means[1.0].argmax(axis=1)]
    gold = [task.label_names.index(name) for name in cold.gold]
    for t in (0.5, 2.0):
        hot = rows[rows.temperature == t]
        assert hot.p_correct.tolist() == pytest.approx(means[t][np.arange(5), gold])
    asked = [render(one, some[0].inputs[task.input_field]) for one in (prompt, other)]
    assert cold.n_input_tokens.iloc[0] == sum(map(model.count_tokens, asked))
    assert set(rows.prompt_id) == {ensemble_identity([prompt, other])}


def test_an_ensemble_writes_with_its_first_prompt(
    model: LocalModel, task: Task, prompt: Prompt
) -> None:
    some = task.splits.dev[:3]
    together = Entry(name="x", prompt=prompt, members=(other_of(prompt),))
    alone = Entry(name="x", prompt=prompt)
    rows = [frame(generate_records(model, task, one, some, plan(0))) for one in (together, alone)]
    assert rows[0].drop(columns="prompt_id").equals(rows[1].drop(columns="prompt_id"))


def test_a_text_that_is_too_long_for_one_prompt_is_too_long_for_the_ensemble(
    model: LocalModel, task: Task, prompt: Prompt
) -> None:
    filler = Part(role="guidance", text="a " * model.context)
    long = other_of(prompt).model_copy(update={"instruction": (filler,)})
    told: list[int] = []
    entry = Entry(name="x", prompt=prompt, members=(long,))
    some = task.splits.dev[:3]
    rows = frame(choose_records(model, task, entry, some, plan(0), told.append))
    assert set(rows.outcome) == {"lm_error"}
    assert sum(told) == 3
    told.clear()
    entry = Entry(name="x", prompt=prompt, members=(other_of(prompt),))
    rows = frame(choose_records(model, task, entry, some, plan(0), told.append))
    assert set(rows.outcome) == {"ok"}
    assert sum(told) == 3


def test_generated_text_is_parsed_or_invalid(
    model: LocalModel, task: Task, prompt: Prompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry, dev = Entry(name="x", prompt=prompt), task.splits.dev
    rows = frame(generate_records(model, task, entry, dev, plan(0)))
    assert len(rows) == 2 * len(dev)
    for row in rows.itertuples():
        parsed = parse_answer(prompt, row.text)
        assert (row.answer if row.outcome == "ok" else None) == parsed
        assert row.outcome == ("invalid" if parsed is None else "ok")
        assert row.correct == (parsed == row.gold)
    assert "invalid" in set(rows.outcome)  # a random model says a label only by chance
    said = iter(["Fine!", "bad or fine", "not good", ""] * len(dev))
    monkeypatch.setattr(
        "evaluate.draws.writing.parse_answer", lambda p, _: parse_answer(p, next(said))
    )
    rows = frame(generate_records(model, task, entry, dev[:2], plan(0)))
    assert rows.outcome.tolist() == ["ok", "invalid", "ok", "invalid"]
    assert [row.answer for row in rows.itertuples() if row.outcome == "ok"] == ["fine", "not good"]


def test_dspy_gives_the_same_answers(model: LocalModel, task: Task, prompt: Prompt) -> None:
    assert dspy_parity(model, task, [prompt], task.splits.dev[:8]) == (8, 8, 8)
    assert dspy_parity(model, task, [prompt], ()) == (0, 0, 0)
    assert dspy_parity(model, task, [prompt, other_of(prompt)], task.splits.dev[:2]) == (4, 4, 4)
