"""Specifications and whole tasks: JSON round trip, signatures, any labels, the real sets."""

import json
from pathlib import Path
from typing import Any, get_args

import dspy
import pandas as pd
import pytest

from modules.errors import UserError
from modules.tasks import TASK_NAMES, SplitSizes, TaskSpec, load_task
from modules.tasks.example import Label
from modules.tasks.loaded import Loaded
from modules.tasks.signature import build_signature, either, field_name

_LABELS = ["1", "Very bad", "😀"]


def _table(tmp_path: Path, column: str = "Review Text") -> Path:
    rows = [
        {column: " ".join(f"w{i}x{j}" for j in range(5)), "label": _LABELS[i % 3]}
        for i in range(240)
    ]
    path = tmp_path / "a.csv"
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


def test_a_file_task_with_any_labels(tmp_path: Path) -> None:
    spec = TaskSpec(
        name="file", data=_table(tmp_path), text_column="Review Text", meanings={"1": "good"}
    )
    task, report = load_task(spec, seed=0)
    assert task.signature.instructions == "Classify the text as 1, Very bad or 😀."
    assert (task.input_field, task.output_field, task.noun) == ("review_text", "label", "text")
    assert get_args(task.signature.output_fields["label"].annotation) == tuple(_LABELS)
    assert task.labels == (
        Label(name="1", meaning="good"),
        Label(name="Very bad", meaning=""),
        Label(name="😀", meaning=""),
    )
    assert task.gold(task.splits.dev)[0] == _LABELS.index(task.splits.dev[0].label)
    assert sum(report.sizes.values()) == 240
    assert report.n_read == 240


def test_the_source_loads_the_same_task_again(tmp_path: Path) -> None:
    sizes = SplitSizes(train=30, dev=20, confirm=20, test=40)
    spec = TaskSpec(name="file", data=_table(tmp_path, "text"), sizes=sizes)
    task, _ = load_task(spec, seed=3)
    again, _ = load_task(TaskSpec.from_json(json.loads(json.dumps(task.source))), seed=3)
    assert again.splits == task.splits
    assert again.data_hash == task.data_hash
    assert again.source == task.source


def test_a_meaning_must_belong_to_a_label(tmp_path: Path) -> None:
    spec = TaskSpec(name="file", data=_table(tmp_path, "text"), meanings={"bad": "x"})
    with pytest.raises(UserError, match="which has 1, Very bad, 😀; got one for 'bad'"):
        load_task(spec, seed=0)


@pytest.mark.parametrize("name", TASK_NAMES)
def test_the_built_in_tasks_without_their_data(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def rows(field: str) -> Loaded:
        from modules.tasks.example import Example

        labels = ("negative", "positive")
        return Loaded(
            examples=tuple(
                Example(inputs={field: f"a{i} b{i} c{i}"}, label=labels[i % 2]) for i in range(200)
            ),
            n_read=200,
            revision="abc" if name == "imdb" else None,
        )

    monkeypatch.setattr("modules.tasks.registry.load_vader", lambda name, field: rows(field))
    monkeypatch.setattr("modules.tasks.registry.load_imdb", lambda field, *_: rows(field))
    task, _ = load_task(TaskSpec(name=name), seed=0)
    assert task.label_names == ("negative", "positive")
    assert task.output_field == "sentiment"
    assert task.signature.instructions == (
        f"Classify the sentiment of the {task.noun} as negative or positive."
    )
    assert task.source["revision"] == ("abc" if name == "imdb" else None)
    assert set(task.splits.dev[0].inputs) == {task.input_field}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param({"name": "x"}, "one of snippets, .*imdb, or file .*got 'x'", id="name"),
        pytest.param({"name": "file"}, "needs data", id="no-data"),
        pytest.param(
            {"name": "imdb", "data": "a"}, "data is a setting of the task file", id="data"
        ),
        pytest.param({"name": "tweets", "revision": "a"}, "task imdb; tweets does", id="revision"),
        pytest.param(
            {"name": "imdb", "revision": "a", "data_folder": "b"}, "cannot go with", id="both"
        ),
        pytest.param({"name": "imdb", "seed": 1}, "settings of a task are .*; got seed", id="key"),
        pytest.param({"name": "imdb", "sizes": {"x": 1}}, "task's sizes are .*got x", id="size"),
        pytest.param({"name": "imdb", "sizes": 3}, "must be an object; got 3", id="sizes"),
        pytest.param({"name": 3}, "name of a task must be a string; got 3", id="type"),
        pytest.param({}, "needs a name", id="nothing"),
        pytest.param(
            {"name": "file", "data": "a", "meanings": {"a": 1}}, "map labels to", id="meanings"
        ),
    ],
)
def test_a_wrong_specification_is_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        TaskSpec.from_json(settings)


def test_absent_settings_have_their_defaults() -> None:
    assert TaskSpec.from_json({"name": "imdb"}) == TaskSpec(name="imdb")


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        pytest.param("Review Text", "review_text", id="spaces"),
        pytest.param("text", "text", id="same"),
        pytest.param("2nd", "text", id="digit"),
        pytest.param("class", "text", id="keyword"),
        pytest.param("label", "text", id="taken"),
        pytest.param("Inputs", "text", id="dspy-attribute"),
        pytest.param("json", "text", id="pydantic-attribute"),
        pytest.param("model_name", "text", id="pydantic-namespace"),
        pytest.param("отзыв", "text", id="other-script"),
        pytest.param("", "text", id="empty"),
        pytest.param("a" * 60, "a" * 60, id="as-long-as-may-be"),
        pytest.param("What did you think of it? " * 9, "text", id="a-question"),
    ],
)
def test_field_names(column: str, expected: str) -> None:
    assert field_name(column, taken="label") == expected


def test_either() -> None:
    assert [either("a"), either("ab"), either("abc")] == ["a", "a or b", "a, b or c"]


def test_meanings_stand_in_the_description() -> None:
    signature = build_signature(
        input_field="text",
        output_field="label",
        noun="text",
        labels=(Label(name="a", meaning="first"), Label(name="{b}", meaning="")),
    )
    assert issubclass(signature, dspy.Signature)
    extra = signature.output_fields["label"].json_schema_extra
    assert extra["desc"] == "the label of the text: a (first); {b}"


@pytest.mark.network
@pytest.mark.parametrize("name", TASK_NAMES[:4])
def test_the_real_tasks(name: str) -> None:
    task, report = load_task(TaskSpec(name=name), seed=0)
    assert task.splits.sizes() == {"train": 300, "dev": 300, "confirm": 300, "test": 1000}
    assert report.n_conflicting == 0
