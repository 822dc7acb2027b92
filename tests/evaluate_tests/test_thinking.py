"""Thinking: the two passes of a chain of thought, their prompts, their tokens and their seeds."""

from dataclasses import replace

import numpy as np
import pytest

from evaluate.draws import Entry, Plan, thinking_records
from evaluate.draws.thinking import before_reason, behind_reason
from evaluate.rows import frame
from modules.lm import GenerateRequest, LocalModel, Sampling
from modules.programs.naive import naive_prompt
from modules.prompts import Prompt, answers, apply_bias, parse_answer
from modules.tasks.example import Task
from tests import tables

PLAN = Plan(temperatures=(0.7,), seeds=(0, 1), max_tokens=3, max_reason_tokens=5)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    return tables.tiny_model(tables.model_folder(tmp_path_factory.mktemp("tiny") / "m", chat=True))


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    return tables.file_task(tmp_path_factory.mktemp("table"))


@pytest.fixture(scope="module", params=[False, True], ids=["text", "chat"])
def prompt(task: Task, request: pytest.FixtureRequest) -> Prompt:
    made = naive_prompt(task, is_chat=request.param)
    layout = made.layout.model_copy(update={"answer_lead": "Label:"})
    return made.model_copy(update={"layout": layout, "bias": (0.3, -0.3)})


def test_what_both_passes_read(task: Task, model: LocalModel) -> None:
    text = naive_prompt(task, is_chat=False)
    first = model.codec.chat_text(before_reason(text, "abc"))
    assert first.endswith("\n\nText: abc\nReasoning:")
    second = model.codec.chat_text(behind_reason(text, "abc", " it\n is\tgood "))
    assert second.endswith("\n\nText: abc\nReasoning: it is good\nLabel:")
    chat = naive_prompt(task, is_chat=True)
    assert model.codec.chat_text(before_reason(chat, "abc")).endswith("assistant\nReasoning:")
    second = model.codec.chat_text(behind_reason(chat, "abc", "so it is"))
    assert second.endswith("assistant\nReasoning: so it is\n")
    assert model.codec.chat_text(behind_reason(text, "abc", "")).endswith("Reasoning:\nLabel:")


def test_keeping_an_input_changes_no_token_and_saves_its_run(model: LocalModel, task: Task) -> None:
    prompt = naive_prompt(task, is_chat=False)
    text = "a rather long review " * 20
    behind = [behind_reason(prompt, text, reason) for reason in ("one", "two", "three")]
    alone = [replace(one, n_kept_chars=0) for one in behind]
    for one, other in zip(behind, alone, strict=True):
        assert model.codec.encode(one).ids == model.codec.encode(other).ids
    words = answers(prompt)
    run = model._forward.n_run
    kept = model.choose(behind, words).log_probabilities()
    n_kept = model._forward.n_run - run
    whole = model.choose(alone, words).log_probabilities()
    assert np.abs(kept - whole).max() < 1e-12
    assert n_kept < (model._forward.n_run - run - n_kept) / 2


def test_rows_are_those_of_two_passes_by_hand(
    model: LocalModel, task: Task, prompt: Prompt
) -> None:
    entry, some = Entry(name="cot", prompt=prompt, thinks=True), task.splits.dev[:5]
    rows = frame(thinking_records(model, task, entry, some, PLAN))
    assert len(rows) == 5 * 3 + 5 * 2  # choose at 0 and twice at 0.7, generate twice at 0.7
    assert set(rows["prompt_id"]) == {entry.id} != {prompt.identity()}
    for row in rows.itertuples():
        example = next(one for one in some if one.id == row.example_id)
        text = example.inputs[task.input_field]
        key = (row.seed, example.id, row.temperature)
        (reason,) = model.generate(
            [
                GenerateRequest(
                    prompt=before_reason(prompt, text),
                    sampling=Sampling(temperature=row.temperature, max_tokens=5),
                    key=("reason", *key),
                )
            ]
        )
        second = behind_reason(prompt, text, reason.text)
        assert row.n_input_tokens == model.count_tokens(second)
        if row.decoding == "generate":
            (said,) = model.generate(
                [
                    GenerateRequest(
                        prompt=second,
                        sampling=Sampling(temperature=row.temperature, max_tokens=3),
                        key=("generate", *key),
                    )
                ]
            )
            assert row.text == f"{reason.text}\n{said.text}"
            assert (row.answer if row.outcome == "ok" else None) == parse_answer(prompt, said.text)
            assert row.n_output_tokens == reason.n_output_tokens + said.n_output_tokens
            continue
        logp = model.choose([second], answers(prompt)).log_probabilities(row.temperature or 1.0)
        p = np.exp(apply_bias(logp, np.array(prompt.bias), row.temperature or 1.0))[0]
        gold = task.label_names.index(example.label)
        if row.temperature > 0:
            assert row.p_correct == pytest.approx(p[gold])
        else:
            assert row.answer == task.label_names[int(p.argmax())]
            assert row.p_correct == float(row.correct)
        assert row.n_output_tokens == reason.n_output_tokens + 1


def test_the_company_changes_nothing(model: LocalModel, task: Task, prompt: Prompt) -> None:
    entry, dev = Entry(name="cot", prompt=prompt, thinks=True), task.splits.dev
    whole = frame(thinking_records(model, task, entry, dev[:6], PLAN))
    alone = frame(thinking_records(model, task, entry, dev[3:4], PLAN))
    mine = whole[whole["example_id"] == dev[3].id].reset_index(drop=True)
    assert mine.equals(alone)


def test_what_does_not_fit_is_an_error_of_its_own(
    model: LocalModel, task: Task, prompt: Prompt, monkeypatch: pytest.MonkeyPatch
) -> None:
    some = task.splits.dev[:3]
    longest = max(
        model.count_tokens(before_reason(prompt, e.inputs[task.input_field])) for e in some
    )
    monkeypatch.setattr(type(model._forward), "context", property(lambda _: longest + 4))
    entry = Entry(name="cot", prompt=prompt, thinks=True)
    rows = frame(thinking_records(model, task, entry, some, PLAN))
    assert len(rows) == 3 * 3 + 3 * 2
    failed = rows[rows["outcome"] == "lm_error"]
    assert len(failed) > 0
    assert failed["answer"].isna().all()
    assert (failed["n_output_tokens"] == 0).all()
