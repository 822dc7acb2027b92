"""The classifier: the batch path's numbers, any company, and what is no text or too much of one."""

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import burnish
from burnish import Answer, Classifier, load
from evaluate.draws import Entry, Plan, choose_records, generate_records
from modules.errors import UserError
from modules.lm import Completion, load_model
from modules.prompts import Artifact, LabelWord, Prompt, answers, apply_bias, render
from modules.tasks.example import Example
from tests import tables
from tests.burnish_tests.frozen import artifact_for, freeze
from tests.modules_tests.programs.task import TEXTS, make_prompt

LAYOUTS: dict[str, dict[str, Any]] = {
    "text": {},
    "text, after": {"instruction": "after"},
    "chat": {"kind": "chat"},
}
Loader = Callable[..., Classifier]


@pytest.fixture(scope="module")
def classifier_of(tmp_path_factory: pytest.TempPathFactory) -> Loader:
    folder = tables.model_folder(tmp_path_factory.mktemp("model"), chat=True)

    def _of(prompt: Prompt, dtype: str = "float32") -> Classifier:
        model = load_model(str(folder), dtype=dtype)
        return Classifier(artifact_for(prompt, model), model)

    return _of


def with_members(classifier: Classifier, *members: Prompt) -> Classifier:
    """Give the classifier of an ensemble: the prompt of another one, and these."""
    artifact = classifier.artifact
    together = Artifact(**dict(artifact) | {"members": members})
    return Classifier(together, classifier.model)


def some_texts(n: int) -> list[str]:
    rng = random.Random(0)
    texts = ["".join(rng.choices("abdegil mnorst,!", k=rng.randint(2, 200))) for _ in range(n)]
    return [*texts, *TEXTS, texts[0], "", " \n", "a " * 2000, "é\u202e<|im_end|>"]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_company_does_not_change_a_bit(classifier_of: Loader, layout: str, dtype: str) -> None:
    classifier = classifier_of(make_prompt(**LAYOUTS[layout]), dtype)
    texts = some_texts(12)
    together = classifier(texts)
    assert len({answer.confidence for answer in together if answer.label}) > 15
    assert [classifier(text) for text in texts] == together
    assert classifier(texts[::-1]) == together[::-1]
    assert classifier(texts[:13]) + classifier(texts[13:]) == together


def test_generated_answers_do_not_depend_on_their_company_either(classifier_of: Loader) -> None:
    classifier = classifier_of(make_prompt(decoding="generate"))
    texts = some_texts(2)
    assert [classifier(text) for text in texts] == classifier(texts)


def test_the_answers_are_those_of_the_evaluation(classifier_of: Loader, tmp_path: Path) -> None:
    task = tables.file_task(tmp_path)
    words = (LabelWord(label="negative", word="bad"), LabelWord(label="positive", word="good"))
    prompt = make_prompt().model_copy(update={"words": words, "demos": ()})
    classifier = classifier_of(prompt)
    plan = Plan(temperatures=(0.0,), seeds=(0,), max_tokens=16)
    examples: list[Example] = list(task.splits.dev)[:20]
    entry = Entry(name="frozen", prompt=prompt)
    found = classifier([example.inputs["text"] for example in examples])
    records = list(choose_records(classifier.model, task, entry, examples, plan))
    assert [a.label for a in found] == [r["answer"] for r in records]
    assert [a.confidence for a in found] == [r["confidence"] for r in records]
    assert [list(a.probabilities.values()) for a in found] == [r["probabilities"] for r in records]
    written = classifier_of(prompt.model_copy(update={"decoding": "generate"}))
    found = written([example.inputs["text"] for example in examples])
    records = list(generate_records(classifier.model, task, entry, examples, plan))
    assert [(a.label, a.outcome) for a in found] == [(r["answer"], r["outcome"]) for r in records]


def test_an_ensemble_answers_with_the_mean_of_its_prompts(classifier_of: Loader) -> None:
    """By hand: each prompt's odds with its bias, then the geometric mean of the two."""
    one, other = make_prompt(bias=(0.3, -0.3)), make_prompt(bias=(2.0, -2.0), kind="chat")
    alone = classifier_of(one)
    together = with_members(alone, other)
    second = Classifier(artifact_for(other, alone.model), alone.model)
    told: list[int] = []
    found = together(TEXTS, told.append)
    assert sum(told) == len(TEXTS)
    for text, answer in zip(TEXTS, found, strict=True):
        odds = [
            c(text).probabilities["pos"] / c(text).probabilities["neg"] for c in (alone, second)
        ]
        mean = (odds[0] * odds[1]) ** 0.5
        assert answer.probabilities["pos"] == pytest.approx(mean / (1 + mean))
        assert answer.label == ("pos" if mean > 1 else "neg")
        assert answer.confidence == max(answer.probabilities.values())
    assert [together(text) for text in TEXTS] == found


def test_an_ensemble_answers_as_in_the_evaluation(classifier_of: Loader, tmp_path: Path) -> None:
    task = tables.file_task(tmp_path)
    words = (LabelWord(label="negative", word="bad"), LabelWord(label="positive", word="good"))
    first = make_prompt().model_copy(update={"words": words, "demos": ()})
    other = first.model_copy(update={"bias": (1.0, -1.0), "instruction": ()})
    classifier = with_members(classifier_of(first), other)
    examples: list[Example] = list(task.splits.dev)[:10]
    entry = Entry(name="frozen", prompt=first, members=(other,))
    plan = Plan(temperatures=(), seeds=(0,), max_tokens=16)
    found = classifier([example.inputs["text"] for example in examples])
    records = list(choose_records(classifier.model, task, entry, examples, plan))
    assert [list(a.probabilities.values()) for a in found] == [r["probabilities"] for r in records]


def test_what_is_too_long_for_one_prompt_of_an_ensemble_is_an_error(
    classifier_of: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And it is found before anything is run."""
    classifier = classifier_of(make_prompt())
    n_room = classifier.model.context - classifier.model.count_tokens(render(make_prompt(), "")) - 9
    longer = make_prompt(kind="chat", input_lead="A much longer lead than before:")
    together = with_members(classifier, longer)
    text = "\n".join("x" * (n_room // 2))
    assert classifier(text).outcome == "ok"
    asked: list[int] = []
    choose = classifier.model.choose
    monkeypatch.setattr(
        classifier.model,
        "choose",
        lambda p, *more, **words: asked.append(len(p)) or choose(p, *more, **words),
    )
    answers_given = together([TEXTS[0], text, TEXTS[1]])
    assert [answer.outcome for answer in answers_given] == ["ok", "lm_error", "ok"]
    assert sum(asked) == 4  # two texts, two prompts


def test_an_answer_says_all_of_it(classifier_of: Loader) -> None:
    prompt = make_prompt(bias=(0.3, -0.3))
    classifier = classifier_of(prompt)
    answer = classifier(TEXTS[0])
    scored = classifier.model.choose([render(prompt, TEXTS[0])], answers(prompt))
    p = np.exp(apply_bias(scored.log_probabilities(), np.array(prompt.bias)))[0]
    assert list(answer.probabilities.values()) == p.tolist()
    assert list(answer.probabilities) == ["neg", "pos"]
    assert answer.label == ("neg", "pos")[int(p.argmax())]
    assert answer.confidence == p.max()
    assert sum(answer.probabilities.values()) == pytest.approx(1)
    assert answer.outcome == "ok"
    with pytest.raises(AttributeError, match="cannot assign"):
        answer.label = "pos"  # type: ignore[misc]


@pytest.mark.parametrize(("bias", "label"), [((50.0, 0.0), "neg"), ((0.0, 50.0), "pos")])
def test_the_bias_decides(classifier_of: Loader, bias: tuple[float, float], label: str) -> None:
    assert {a.label for a in classifier_of(make_prompt(bias=bias))(TEXTS)} == {label}


def test_ties_go_to_the_first(classifier_of: Loader, monkeypatch: pytest.MonkeyPatch) -> None:
    classifier = classifier_of(make_prompt(bias=(0.0, 0.0)))
    logp = np.log([[0.5, 0.5]])
    monkeypatch.setattr("modules.lm.choices.Choices.log_probabilities", lambda _: logp)
    assert classifier("a") == Answer(
        label="neg", confidence=0.5, probabilities={"neg": 0.5, "pos": 0.5}, outcome="ok"
    )


@pytest.mark.parametrize(
    ("written", "label"),
    [("Good!", "pos"), (" not good", "neg"), ("good, or not good", None), ("fine", None)],
)
def test_generated_text_is_read(
    classifier_of: Loader, monkeypatch: pytest.MonkeyPatch, written: str, label: str | None
) -> None:
    classifier = classifier_of(make_prompt(decoding="generate"))
    done = Completion(text=written, n_input_tokens=1, n_output_tokens=1, finish="stop")
    monkeypatch.setattr(classifier.model, "generate", lambda asked, _: [done] * len(asked))
    answer = classifier("a")
    assert (answer.label, answer.outcome) == (label, "invalid" if label is None else "ok")
    assert np.isnan(answer.confidence)
    assert answer.probabilities == {}


@pytest.mark.parametrize("decoding", ["choose", "generate"])
def test_a_text_that_is_too_long_spoils_no_other(classifier_of: Loader, decoding: str) -> None:
    classifier = classifier_of(make_prompt(decoding=decoding))
    texts = ["a", "b " * 3000, "c", "d " * 3000, "e"]
    found = classifier(texts)
    assert [a.outcome == "lm_error" for a in found] == [False, True, False, True, False]
    assert [found[0], found[2], found[4]] == classifier(["a", "c", "e"])
    assert found[1].label is None


def test_texts_are_read_as_the_search_read_them(classifier_of: Loader) -> None:
    classifier = classifier_of(make_prompt())
    assert classifier("so<br />good &amp;\n fine\u200b") == classifier("so good & fine")
    assert classifier(["", " \t\n", "<br>", "\u200b"]) == [classifier("")] * 4
    assert classifier("").outcome == "no_text"
    assert classifier("").label is None


def test_nothing_gives_nothing_and_any_iterable_will_do(classifier_of: Loader) -> None:
    classifier = classifier_of(make_prompt())
    assert classifier([]) == []
    assert classifier(text for text in TEXTS) == classifier(TEXTS)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["a", None], r"texts\[1\] is NoneType"),
        (["a", "b", 1.5], r"texts\[2\] is float"),
        ([["a"]], r"texts\[0\] is list"),
        (b"ab", r"texts\[0\] is int"),
    ],
)
def test_what_is_no_string_is_named(classifier_of: Loader, texts: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        classifier_of(make_prompt())(texts)


def test_the_progress_adds_up(classifier_of: Loader) -> None:
    told: list[int] = []
    classifier_of(make_prompt())(list(TEXTS), told.append)
    assert sum(told) == len(TEXTS)


def test_load_takes_the_recorded_model(tmp_path: Path) -> None:
    path = freeze(tmp_path, make_prompt(), dtype="bfloat16")
    classifier = load(str(path))
    assert classifier.model.identity.dtype == "bfloat16"
    assert classifier.artifact.prompt == make_prompt()
    assert load(path, dtype="float32").model.identity.dtype == "float32"
    config = tmp_path / "model" / "tokenizer_config.json"
    config.write_bytes(config.read_bytes() + b"\n")
    with pytest.raises(UserError, match="was frozen for"):
        load(path)
    with pytest.raises(UserError, match="cannot read the artifact"):
        load(tmp_path / "no.json")


def test_importing_burnish_does_not_import_the_model_library() -> None:
    code = (
        "import sys, burnish, burnish.__main__; "
        "assert not {'torch', 'transformers', 'dspy', 'pandas'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert burnish.load is load
    assert burnish.__all__ == ["Answer", "Classifier", "load"]
    with pytest.raises(AttributeError, match="no attribute 'x'"):
        burnish.x  # type: ignore[attr-defined]  # noqa: B018
