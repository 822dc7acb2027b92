"""The seal: a planted leak is found and refused, and so are other splits and other data."""

from dataclasses import replace
from pathlib import Path

import pytest

from evaluate.sealed import load_sealed_task, open_test
from modules.errors import UserError
from modules.prompts import Artifact, Demo, load_artifact
from modules.tasks.example import Example, Task
from optimize.__main__ import main as optimize_main
from tests import tables


@pytest.fixture(scope="module")
def frozen(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    root = tmp_path_factory.mktemp("user")
    model = tables.model_folder(root / "m")
    sizes = ("--n-train", "12", "--n-dev", "20", "--n-confirm", "20", "--n-test", "24")
    optimize_main(
        [
            *("--data", str(tables.write_table(root / "table.csv", n=240)), "--model", str(model)),
            *("--budget-tokens", "6000", "--out", str(root / "a"), "--runs", str(root / "r")),
            *("--no-cache", *sizes),
        ]
    )
    (path,) = (root / "a").rglob("seed-0.json")
    return load_artifact(path)


@pytest.fixture
def task(frozen: Artifact) -> Task:
    return load_sealed_task([frozen])[0]


def test_clean_splits_are_opened(task: Task, frozen: Artifact) -> None:
    test = open_test(task, [frozen])
    assert len(test) == task.splits.test.n == 24


@pytest.mark.parametrize("split", ["train", "dev", "confirm"])
def test_a_test_example_in_a_split_is_refused(task: Task, frozen: Artifact, split: str) -> None:
    leaked = open_test(task, [frozen])[3]
    mixed = (*getattr(task.splits, split), leaked)
    broken = replace(task, splits=replace(task.splits, **{split: mixed}))
    with pytest.raises(UserError, match=f"of the {split} split 1 are held out for the test"):
        open_test(broken, [frozen])


def test_a_near_duplicate_in_a_split_is_refused(task: Task, frozen: Artifact) -> None:
    words = [f"word{n}" for n in range(40)]
    ours = Example(inputs={task.input_field: " ".join(words)}, label="positive")
    theirs = Example(inputs={task.input_field: " ".join([*words[:-1], "other"])}, label="positive")
    sealed = replace(task.splits.test, _examples=(*open_test(task, [frozen]), theirs))
    splits = replace(task.splits, dev=(*task.splits.dev, ours), test=sealed)
    with pytest.raises(UserError, match="of the dev split 1 are near duplicates of held-out ones"):
        open_test(replace(task, splits=splits), [frozen])


def test_a_demo_from_the_test_split_is_refused(task: Task, frozen: Artifact) -> None:
    leaked = open_test(task, [frozen])[0]
    demo = Demo(text=leaked.inputs[task.input_field], label=leaked.label)
    prompt = frozen.prompt.model_copy(update={"demos": (*frozen.prompt.demos, demo)})
    broken = frozen.model_copy(update={"prompt": prompt})
    with pytest.raises(UserError, match=r"of the frozen prompt for .* 1 are held out for the test"):
        open_test(task, [broken])


def test_a_demo_of_a_further_prompt_is_refused(task: Task, frozen: Artifact) -> None:
    leaked = open_test(task, [frozen])[0]
    demo = Demo(text=leaked.inputs[task.input_field], label=leaked.label)
    member = frozen.prompt.model_copy(update={"demos": (demo,)})
    broken = frozen.model_copy(update={"members": (frozen.prompt, member)})
    with pytest.raises(UserError, match=r"of the frozen prompt for .* 1 are held out for the test"):
        open_test(task, [broken])


def test_a_probe_from_the_test_split_is_refused(task: Task, frozen: Artifact) -> None:
    leaked = open_test(task, [frozen])[0]
    probe = frozen.probes[0].model_copy(update={"text": leaked.inputs[task.input_field]})
    broken = frozen.model_copy(update={"probes": (probe,)})
    with pytest.raises(UserError, match=r"of the frozen prompt for .* 1 are held out for the test"):
        open_test(task, [broken])


def test_different_test_splits_are_refused(frozen: Artifact) -> None:
    other = frozen.task.model_copy(update={"test_hash": "0" * 64})
    with pytest.raises(UserError, match="different test splits"):
        load_sealed_task([frozen, frozen.model_copy(update={"task": other})])


def test_a_data_folder_is_for_tasks_that_have_one(frozen: Artifact, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="data_folder is a setting of the task imdb"):
        load_sealed_task([frozen], data_folder=tmp_path)
