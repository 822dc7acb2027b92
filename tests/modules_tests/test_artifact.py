"""The artifact: load∘save is the identity, and whatever was changed is refused in one line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modules.errors import UserError
from modules.files import canonical_json, sha256_text
from modules.prompts import (
    Artifact,
    Prompt,
    artifact_path,
    file_name,
    find_artifacts,
    load_artifact,
    save_artifact,
)
from modules.prompts.artifact import LabelRecord, ModelRecord, Score, SearchRecord, TaskRecord
from tests.modules_tests.programs.task import make_prompt
from tests.modules_tests.prompts.strategies import TEXT, prompts

HEX = "0123456789abcdef" * 4
SCORE = Score(n=30, n_correct=21, accuracy=0.7, low=0.52, high=0.83, log_loss=0.61)


def artifact_of(prompt: Prompt, command: str = "python -m optimize") -> Artifact:
    return Artifact(
        prompt=prompt,
        prompt_id=prompt.identity(),
        scores={"dev": SCORE, "confirm": SCORE},
        task=TaskRecord(
            name="file",
            source={"name": "file", "data": "a.csv", "meanings": None, "sizes": {"train": 3}},
            split_seed=0,
            sizes={"train": 3, "dev": 3, "confirm": 3, "test": 6},
            data_hash=HEX,
            test_hash=HEX[::-1],
            metric="accuracy",
            input_field="text",
            output_field="label",
            labels=(LabelRecord(name="neg", meaning=""), LabelRecord(name="pos", meaning="good")),
        ),
        model=ModelRecord(name="m", source="s", revision="local", digest=HEX, dtype="float32"),
        search=SearchRecord(
            optimizer="optuna",
            seed=0,
            budget_tokens=100,
            spent={"forward_tokens": 90},
            n_trials=4,
            n_pruned=1,
            n_finalists=2,
        ),
        versions={"burnish": "0.1.0"},
        command=command,
    )


ARTIFACT = artifact_of(make_prompt())


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "a.json"
    save_artifact(ARTIFACT, path)
    return path


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prompt=prompts(), command=TEXT)
def test_load_of_save_is_the_identity(tmp_path: Path, prompt: Prompt, command: str) -> None:
    path = tmp_path / "x" / "a.json"
    sealed = save_artifact(artifact_of(prompt, command), path)
    assert load_artifact(path) == sealed
    assert sealed.model_copy(update={"sha256": ""}) == artifact_of(prompt, command)
    first = path.read_bytes()
    save_artifact(load_artifact(path), path)
    assert path.read_bytes() == first


def test_the_digest_is_of_everything_else(saved: Path) -> None:
    value = json.loads(saved.read_text())
    digest = value.pop("sha256")
    assert digest == sha256_text(canonical_json(value))
    assert value["prompt_id"] == sha256_text(canonical_json(value["prompt"]))


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_a_changed_byte_is_refused(
    saved: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Unless the JSON value is the same, as it is when a space becomes a line break."""
    content = saved.read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[at]))
    path = saved.parent / "changed.json"
    path.write_bytes(content[:at] + bytes([byte]) + content[at + 1 :])
    try:
        loaded = load_artifact(path)
    except UserError:
        return
    assert loaded == load_artifact(saved)


def leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Give the paths of all scalars in a JSON value."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    return [
        found
        for key, item in items
        for found in (
            leaves(item, (*path, key)) if isinstance(item, dict | list) else [(*path, key)]
        )
    ]


def other(leaf: Any) -> Any:
    """Give another value of the same type."""
    match leaf:
        case bool():
            return not leaf
        case int() | float():
            return leaf + 1
        case str():
            return leaf[::-1] if leaf != leaf[::-1] else leaf + "a"
    return "a"


def test_every_single_field_is_under_the_seal(saved: Path) -> None:
    whole = json.loads(saved.read_text())
    paths = leaves(whole)
    assert len(paths) > 40
    for path in paths:
        value = json.loads(saved.read_text())
        at = value
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = other(at[path[-1]])
        changed = saved.parent / "field.json"
        changed.write_text(json.dumps(value))
        with pytest.raises(UserError, match=r"changed after|broken artifact|newer than|is not an"):
            load_artifact(changed)


def without(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda value: value.pop(key)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.update(extra=1), "broken artifact: extra: Extra inputs"),
        (lambda v: v["prompt"].update(extra=1), "broken artifact: prompt.extra"),
        (lambda v: v.update(schema_version=2), "schema_version 2, newer than 1: update Burnish"),
        (lambda v: v.update(schema_version=0), "schema_version is 0"),
        (lambda v: v.update(schema_version=True), "schema_version is True"),
        (lambda v: v.update(schema_version="1"), "schema_version is '1'"),
        (lambda v: v.update(schema_version=1.0), "schema_version is 1.0"),
        (without("schema_version"), "no schema_version"),
        (without("prompt"), "broken artifact: prompt: Field required"),
        (without("sha256"), "digest does not fit"),
        (lambda v: v["search"].update(seed="0"), "broken artifact: search.seed"),
        (lambda v: v["scores"]["dev"].update(accuracy=1.5), "broken artifact: scores.dev.accuracy"),
        (lambda v: v["scores"]["dev"].update(log_loss=float("nan")), "broken artifact"),
        (lambda v: v["prompt"].update(bias=[float("inf"), 0.0]), "broken artifact: prompt.bias"),
        (lambda v: v["task"]["source"].update(x=float("nan")), "changed after"),
        (lambda v: v["task"]["source"].update(x=float("inf")), "changed after"),
        (lambda v: v["task"]["source"].update(x="\ud800"), "artifact"),
        (lambda v: v["task"]["source"].update(x=10**4000), "changed after"),
        (lambda v: v.update(command="\udcff"), "artifact"),
    ],
)
def test_a_broken_field_is_one_line(
    saved: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    value = json.loads(saved.read_text())
    change(value)
    path = saved.parent / "broken.json"
    path.write_text(json.dumps(value))
    with pytest.raises(UserError, match=message):
        load_artifact(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not JSON"),
        (b"hello", "not JSON"),
        (b"\x00\xff\x80PNG", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"schema_version": 1, "a": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", "artifact"),
        (b"9" * 5_000, "not JSON"),
        (b"[1]", "no schema_version"),
        (b"null", "no schema_version"),
        (b'{"schema_version": ' + b"9" * 5_000 + b"}", "not JSON"),
        (b'{"schema_version": 1e999}', "schema_version is inf"),
        (b'{"schema_version": NaN}', "schema_version is nan"),
        (b"{" + b" " * 10_000_000, "larger than 10,000,000 bytes"),
    ],
    ids=lambda value: value[:12].decode("latin-1") if isinstance(value, bytes) else None,
)
def test_what_is_no_artifact(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        load_artifact(path)


def test_no_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read the artifact .*no\.json: No such file"):
        load_artifact(tmp_path / "no.json")
    with pytest.raises(UserError, match=r"cannot read the artifact .*: Is a directory"):
        load_artifact(tmp_path)


def test_a_folder_below_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match=r"cannot write to the folder .*: Not a directory"):
        save_artifact(ARTIFACT, tmp_path / "file" / "below" / "a.json")
    assert (tmp_path / "file").read_text() == "mine"


def test_find_artifacts(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "no"):
        with pytest.raises(UserError, match="no frozen prompts for the task a/b under"):
            find_artifacts(folder, "a/b")
    save_artifact(ARTIFACT, artifact_path(tmp_path, "a/b", "m2", 0))
    save_artifact(ARTIFACT, artifact_path(tmp_path, "a/b", "m1", -1))
    save_artifact(ARTIFACT, artifact_path(tmp_path, "other", "m1", 0))
    found = find_artifacts(tmp_path, "a/b")
    assert [path.relative_to(tmp_path).as_posix() for path, _ in found] == [
        "a-b/m1/seed--1.json",
        "a-b/m2/seed-0.json",
    ]
    assert all(artifact == ARTIFACT.sealed() for _, artifact in found)
    found[0][0].write_text("{}")
    with pytest.raises(UserError, match="no schema_version"):
        find_artifacts(tmp_path, "a/b")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("../../x", "x"),
        ("a/b", "a-b"),
        ("", "unnamed"),
        ("..", "unnamed"),
        (".", "unnamed"),
        ("Qwen/Qwen2-1.5B", "Qwen-Qwen2-1.5B"),
        (".hidden", "hidden"),
        ("a\0b\nc", "a-b-c"),
    ],
)
def test_file_names(text: str, expected: str) -> None:
    assert file_name(text) == expected


@given(text=st.text(max_size=30))
def test_a_file_name_is_one_plain_part(text: str) -> None:
    name = file_name(text)
    assert Path(name).parts == (name,)
    assert name not in (".", "..")
    assert not name.startswith((".", "-"))
    assert name.isascii()
