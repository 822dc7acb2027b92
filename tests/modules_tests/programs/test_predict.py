"""DSPy programs on the local engine: the batch path's numbers, draws, budgets, copies."""

import asyncio
import copy
from typing import Any, Literal

import dspy
import numpy as np
import pytest
from dspy.utils.exceptions import ContextWindowExceededError

from modules.lm import BudgetExceeded, GenerateRequest, Ledger, Sampling
from modules.lm.engine import LocalEngine
from modules.lm.sampling import draw_index
from modules.prompts import answers, apply_bias, parse_answer, render
from tests.modules_tests.conftest import Loader
from tests.modules_tests.programs.task import TEXTS, Task, bound, make_prompt

LAYOUTS: dict[str, dict[str, Any]] = {
    "text": {},
    "text, same line": {"same_line": True, "answer_lead": "It was"},
    "text, after": {"instruction": "after"},
    "chat": {"kind": "chat", "answer_lead": ""},
    "chat, lead": {"kind": "chat"},
    "chat, system": {"kind": "chat", "system": True, "answer_lead": ""},
    "chat, after": {"kind": "chat", "instruction": "after"},
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", ["llama", "gemma"])
def test_predict_gives_the_bits_of_the_batch_path(load: Loader, kind: str, layout: str) -> None:
    model, prompt = load(kind), make_prompt(**LAYOUTS[layout])
    rendered = [render(prompt, text) for text in TEXTS]
    logp = model.choose(rendered, answers(prompt)).log_probabilities()
    p = np.exp(apply_bias(logp, np.array(prompt.bias)))
    with dspy.context(**bound(model, prompt)):
        for row, text in enumerate(TEXTS):
            got = dspy.Predict(Task)(review=text)
            one = model.choose([rendered[row]], answers(prompt)).log_probabilities()
            alone = np.exp(apply_bias(one, np.array(prompt.bias)))[0]
            measured = got.probabilities["sentiment"]
            assert [measured[label] for label in prompt.label_names] == alone.tolist()
            assert alone == pytest.approx(p[row], abs=1e-12)
            assert got.sentiment == prompt.label_names[int(p[row].argmax())]


def test_the_bias_decides(load: Loader) -> None:
    for bias, label in (((50.0, 0.0), "neg"), ((0.0, 50.0), "pos")):
        with dspy.context(**bound(load("llama"), make_prompt(bias=bias))):
            assert {dspy.Predict(Task)(review=text).sentiment for text in TEXTS} == {label}


def test_generated_answers_are_those_of_the_batch_path(load: Loader) -> None:
    model, prompt = load("llama"), make_prompt(decoding="generate")
    sampling = Sampling(max_tokens=12)
    for text in TEXTS:
        asked = GenerateRequest(prompt=render(prompt, text), sampling=sampling)
        expected = model.generate([asked])[0].text
        lm_bound = bound(model, prompt, max_tokens=12)
        with dspy.context(**lm_bound):
            try:
                label = dspy.Predict(Task)(review=text).sentiment
            except dspy.utils.exceptions.AdapterParseError:
                label = None
        assert lm_bound["lm"].history[-1]["outputs"] == [expected]  # type: ignore[attr-defined]
        assert label == parse_answer(prompt, expected)


def draws_of(load: Loader, seed: int, n: int = 24) -> list[str]:
    with dspy.context(**bound(load("llama"), make_prompt(bias=(0.0, 0.0)), seed)):
        predict = dspy.Predict(Task, temperature=2.0)
        return [predict(review="so so", config={"rollout_id": n}).sentiment for n in range(n)]


def test_rollouts_differ_and_a_second_engine_repeats_them(load: Loader) -> None:
    first = draws_of(load, 0)
    assert set(first) == {"pos", "neg"}
    assert draws_of(load, 0) == first
    assert draws_of(load, 1) != first


def test_draws_follow_the_probabilities_at_the_temperature(load: Loader) -> None:
    model, prompt = load("llama"), make_prompt(bias=(0.3, -0.3))
    with dspy.context(**bound(model, prompt)):
        got = dspy.Predict(Task, n=200, temperature=2.0)(review="so so")
    seen = np.mean([label == "pos" for label in got.completions.sentiment])
    scored = model.choose([render(prompt, "so so")], answers(prompt)).log_probabilities(2.0)
    p = np.exp(apply_bias(scored, np.array(prompt.bias) / 2.0))[0, 1]
    assert seen == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / 200))
    assert 0 < seen < 1


def test_draw_never_takes_what_has_no_probability() -> None:
    p = np.array([0.0, 0.3, 0.0, 0.7, 0.0])
    assert {draw_index(p, u) for u in (*np.linspace(0, 0.99, 100), np.nextafter(1, 0))} == {1, 3}
    assert [draw_index(p, u) for u in (0.0, 0.299, 0.301)] == [1, 1, 3]


def test_chain_of_thought_writes_and_chooses(load: Loader) -> None:
    for layout in ({}, {"kind": "chat"}):
        with dspy.context(**bound(load("llama"), make_prompt(**layout), max_tokens=8)):
            got = dspy.ChainOfThought(Task)(review="so so")
        assert got.sentiment in {"pos", "neg"}
        assert isinstance(got.reasoning, str)
        assert "\n" not in got.reasoning
        assert sum(got.probabilities["sentiment"].values()) == pytest.approx(1)


class Mixed(dspy.Signature):
    """Judge."""

    review: str = dspy.InputField()
    note: str = dspy.OutputField()
    sure: bool = dspy.OutputField()
    sentiment: Literal["pos", "neg"] = dspy.OutputField()


def test_json_adapter_gets_a_guided_answer(load: Loader) -> None:
    bind = bound(load("llama"), make_prompt(), max_tokens=6) | {"adapter": dspy.JSONAdapter()}
    with dspy.context(**bind):
        got = dspy.Predict(Mixed)(review="so so")
    assert isinstance(got.note, str)
    assert isinstance(got.sure, bool)
    assert got.sentiment in {"pos", "neg"}


def test_booleans_parse_through_our_adapter(load: Loader) -> None:
    with dspy.context(**bound(load("llama"), make_prompt(), max_tokens=6)):
        got = dspy.Predict(Mixed)(review="so so")
    assert isinstance(got.sure, bool)
    assert set(got.probabilities) == {"sure", "sentiment"}


def test_a_prompt_that_is_too_long_is_dspys_own_error(load: Loader) -> None:
    with (
        dspy.context(**bound(load("llama"), make_prompt())),
        pytest.raises(ContextWindowExceededError, match="set an input cap"),
    ):
        dspy.Predict(Task)(review="good " * 3000)


@pytest.mark.parametrize(
    ("settings", "match"),
    [
        ({"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}]}, "tools"),
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"logprobs": True}, "logprobs"),
    ],
    ids=["tools", "penalty", "logprobs"],
)
def test_what_is_not_honoured_is_refused(
    load: Loader, settings: dict[str, Any], match: str
) -> None:
    lm = bound(load("llama"), make_prompt())["lm"]
    with pytest.raises(dspy.utils.exceptions.LMUnsupportedFeatureError, match=match):
        lm("hello", **settings)  # type: ignore[operator]


def test_a_copied_program_keeps_its_engine(load: Loader) -> None:
    bind = bound(load("llama"), make_prompt())
    program = dspy.Predict(Task)
    program.set_lm(bind["lm"])
    twin = copy.deepcopy(program)
    assert isinstance(bind["lm"].engine, LocalEngine)  # type: ignore[attr-defined]
    assert twin.lm.engine is bind["lm"].engine  # type: ignore[attr-defined]
    with dspy.context(adapter=bind["adapter"]):
        assert twin(review="x").sentiment == program(review="x").sentiment


@pytest.mark.parametrize("n_threads", [1, 4])
def test_a_spent_budget_passes_through_evaluate(load: Loader, n_threads: int) -> None:
    model = load("llama", ledger=Ledger(budget_tokens=200))
    examples = [
        dspy.Example(review=f"{text} {n}", sentiment="pos").with_inputs("review")
        for n in range(4)
        for text in TEXTS
    ]
    evaluate = dspy.Evaluate(
        devset=examples,
        metric=lambda gold, got, trace=None: gold.sentiment == got.sentiment,
        num_threads=n_threads,
    )
    with (
        dspy.context(**bound(model, make_prompt())),
        pytest.raises(BudgetExceeded, match="200 forward tokens are spent"),
    ):
        evaluate(dspy.Predict(Task))
    assert 0 < model.ledger.account.forward_tokens <= 200


def test_awaited_calls_give_the_same(load: Loader) -> None:
    with dspy.context(**bound(load("llama"), make_prompt())):
        predict = dspy.Predict(Task)

        async def both() -> list[Any]:
            return await asyncio.gather(*(predict.acall(review=text) for text in TEXTS))

        awaited = asyncio.run(both())
        for text, got in zip(TEXTS, awaited, strict=True):
            called = predict(review=text)
            assert got.sentiment == called.sentiment
            assert got.probabilities == called.probabilities


def test_the_model_string_tells_seeds_and_dtypes_apart(load: Loader) -> None:
    names = [
        bound(load("llama", dtype), make_prompt(), seed)["lm"].model  # type: ignore[attr-defined]
        for dtype, seed in (("float64", 0), ("float64", 1), ("float32", 0), ("float64", 0))
    ]
    assert len(set(names)) == 3
    assert names[0] == names[3]


def test_a_stream_carries_the_same_answer_in_one_piece(load: Loader) -> None:
    bind = bound(load("llama"), make_prompt())
    seen: list[Any] = []
    engine: Any = bind["lm"].engine  # type: ignore[attr-defined]
    complete = engine.complete
    engine.complete = lambda request: seen.append(request) or complete(request)
    with dspy.context(**bind):
        got = dspy.Predict(Task)(review="x")
    text = "".join(str(getattr(event, "delta", "")) for event in engine.stream(seen[0]))
    assert got.sentiment in text
    assert "probabilities" in text


def test_a_streamified_program_ends_with_the_same_prediction(load: Loader) -> None:
    with dspy.context(**bound(load("llama"), make_prompt())):
        called = dspy.Predict(Task)(review="x")
        streaming = dspy.streamify(dspy.Predict(Task))

        async def last() -> Any:
            return [item async for item in streaming(review="x")][-1]

        streamed = asyncio.run(last())
    assert isinstance(streamed, dspy.Prediction)
    assert streamed.toDict() == called.toDict()


def test_usage_counts_the_prompts_tokens(load: Loader) -> None:
    model, prompt = load("llama"), make_prompt()
    bind = bound(model, prompt)
    with dspy.context(**bind):
        dspy.Predict(Task)(review="x")
    usage = bind["lm"].history[-1]["usage"]  # type: ignore[attr-defined]
    assert usage["prompt_tokens"] == model.count_tokens(render(prompt, "x"))
    assert usage["completion_tokens"] == 1
