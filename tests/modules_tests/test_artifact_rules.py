"""What holds between the fields of a true artifact, and that freezing never breaks it."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from modules.errors import UserError
from modules.prompts import Artifact, Demo, Part, Prompt, load_artifact, save_artifact
from tests.modules_tests.programs.task import make_prompt
from tests.modules_tests.test_artifact import (
    ARTIFACT,
    artifact_of,
    ensemble_of,
    probe_of,
    score_of,
    told,
)

Change = Callable[[Artifact], dict[str, Any]]


def in_task(**changes: Any) -> Change:
    return lambda a: {"task": a.task.model_dump() | changes}


def in_search(**changes: Any) -> Change:
    return lambda a: {"search": a.search.model_dump() | changes}


def in_dev(**changes: Any) -> Change:
    return lambda a: {"scores": {"confirm": a.scores["confirm"], "dev": changes}}


def in_probe(**changes: Any) -> Change:
    return lambda a: {"probes": (a.probes[0].model_dump() | changes, a.probes[1])}


SIZES = {"train": 30, "dev": 30, "confirm": 20, "test": 60}
EVEN = [math.log(0.5)] * 2
SCORE = score_of(22, 30, 0.5).model_dump()
INCONSISTENT: dict[str, tuple[Change, str]] = {
    "reading": (
        lambda a: {"reading": a.reading.model_copy(update={"lead": "x"}).model_dump()},
        "reading is not that of the prompt",
    ),
    "no reading": (lambda a: {"reading": None}, "reading is not that of the prompt"),
    "processor": (
        lambda a: {"model": a.model.model_dump() | {"processor": None}},
        "the model's processor is missing",
    ),
    "labels": (
        lambda a: {"task": a.task.model_dump() | {"labels": a.task.model_dump()["labels"][::-1]}},
        "labels of the prompt are not those of the task",
    ),
    "a label twice": (
        lambda a: {"task": a.task.model_dump() | {"labels": a.task.model_dump()["labels"][:1] * 2}},
        "a label stands twice",
    ),
    "no split": (in_task(sizes={"train": 1}), "sizes must be those of train, dev, confirm, test"),
    "size": (
        in_task(sizes={"train": 1, "dev": 31, "confirm": 20, "test": 1}),
        "30 examples, .* 31",
    ),
    "no test": (in_task(sizes=SIZES | {"test": 0}), "each at least 1"),
    "one field": (in_task(output_field="text"), "both the field 'text'"),
    "source": (in_task(source={"a": (1,)}), "source: a tuple is not plain JSON"),
    "source's key": (in_task(source={"a": {1: 2}}), "source: a key must be a string, not 1"),
    "source's NaN": (in_task(source={"a": math.nan}), "source: nan is not a finite number"),
    "split seed": (in_task(split_seed=1), "seed of the search is not that of the splits"),
    "seed": (in_search(seed=1), "seed of the search is not that of the splits"),
    "overspent": (in_search(spent={"forward_tokens": 101}), "101 forward tokens .* budget of 100"),
    "too many calls": (in_search(budget_calls=8), "9 prompts were .* a budget of 8 calls"),
    "finalists": (in_search(n_finalists=4), "4 finalists are more than"),
    "no finalist": (in_search(n_finalists=0), "greater than or equal to 1"),
    "dev alone": (lambda a: {"scores": {"dev": SCORE}}, "scores must be those on dev and confirm"),
    "accuracy": (in_dev(**SCORE | {"accuracy": 0.5}), "accuracy 0.5 is not 22 correct of 30"),
    "interval": (in_dev(**SCORE | {"high": 0.7}), "outside its interval"),
    "a probe's text": (in_probe(text="other"), "probe 0: its example_id is not that of its text"),
    "a probe's label": (in_probe(label="x"), "probe 0: 'x' is no label of the task"),
    "too few": (in_probe(log_probabilities=[0.0]), "probe 0 needs one .* for each of 2 labels"),
    "above 0": (in_probe(log_probabilities=[1e-16, -50.0]), "less than or equal to 0"),
    "too little": (in_probe(log_probabilities=[-1.0, -1.0]), "probe 0: its .* do not sum to 1"),
    "too much": (in_probe(log_probabilities=[0.0, -0.1]), "probe 0: its .* do not sum to 1"),
    "a probe twice": (lambda a: {"probes": a.probes[:1] * 2}, "a probe stands twice"),
}


@pytest.mark.parametrize(("change", "message"), INCONSISTENT.values(), ids=INCONSISTENT)
def test_what_does_not_fit_together_is_no_artifact(change: Change, message: str) -> None:
    whole = ARTIFACT.model_dump()
    assert Artifact.model_validate(whole, strict=False) == ARTIFACT
    with pytest.raises(ValidationError, match=message):
        Artifact.model_validate(whole | change(ARTIFACT), strict=False)


PROMPT = make_prompt()
TURNED = PROMPT.model_copy(update={"words": PROMPT.words[::-1], "demos": ()})
UNFIT_MEMBERS = {
    "other order": (TURNED, "member 0 has other labels, or another order of them"),
    "generate": (
        told(PROMPT, "One.").model_copy(update={"decoding": "generate"}),
        "the decoding of each of its prompts is choose",
    ),
    "the first again": (PROMPT, "a prompt stands twice"),
}


@pytest.mark.parametrize(("member", "message"), UNFIT_MEMBERS.values(), ids=UNFIT_MEMBERS)
def test_members_that_do_not_fit(member: Prompt, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ensemble_of(PROMPT, member)


def test_sixteen_prompts_are_an_ensemble_and_seventeen_are_not() -> None:
    many = [told(PROMPT, str(number)) for number in range(17)]
    assert ensemble_of(*many[:16]).prompts == tuple(many[:16])
    with pytest.raises(ValidationError, match="at most 15 items"):
        ensemble_of(*many)
    generating = PROMPT.model_copy(update={"decoding": "generate"})
    with pytest.raises(ValidationError, match="decoding of each"):
        ensemble_of(generating, many[0])


@pytest.mark.parametrize("row", [(0.0, -1e3), (-0.0, -800.0), (-1e-17, -39.0), tuple(EVEN)])
def test_sure_and_unsure_probes_are_kept_bit_for_bit(
    tmp_path: Path, row: tuple[float, float]
) -> None:
    probe = probe_of("a", "pos", *row)
    frozen = save_artifact(
        Artifact(**dict(ARTIFACT) | {"probes": (probe,), "sha256": ""}), tmp_path / "a.json"
    )
    (loaded,) = load_artifact(tmp_path / "a.json").probes
    assert [x.hex() for x in loaded.log_probabilities] == [x.hex() for x in row]
    assert frozen.probes == (probe,)


@pytest.mark.parametrize("prompt_text", ["x" * 100_000, "é" * 100_000, "{input} " * 12_000])
def test_long_texts_and_many_demos_are_kept(tmp_path: Path, prompt_text: str) -> None:
    """All demos stand in one turn of the reading, longer than any one text may be."""
    prompt = make_prompt().model_copy(
        update={"demos": tuple(Demo(text=prompt_text, label="pos") for _ in range(4))}
    )
    save_artifact(artifact_of(prompt), tmp_path / "a.json")
    assert load_artifact(tmp_path / "a.json").prompt == prompt


def test_what_could_not_be_loaded_is_not_written(tmp_path: Path) -> None:
    prompt = make_prompt().model_copy(
        update={"instruction": tuple(Part(role="task", text="é" * 90_000) for _ in range(40))}
    )
    with pytest.raises(UserError, match=r"cannot freeze the prompt to .*: it is larger than"):
        save_artifact(artifact_of(prompt), tmp_path / "a.json")
    assert not list(tmp_path.iterdir())
