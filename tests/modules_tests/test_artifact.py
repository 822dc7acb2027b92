"""The artifact: load∘save is the identity, and whatever was changed is refused in one line."""

import hashlib
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from modules.errors import UserError
from modules.files import canonical_json, sha256_text
from modules.prompts import (
    Artifact,
    Evidence,
    Layout,
    Part,
    Prompt,
    artifact_path,
    file_name,
    find_artifacts,
    load_artifact,
    reading,
    save_artifact,
)
from modules.prompts.records import (
    LabelRecord,
    ModelRecord,
    Probe,
    Score,
    SearchRecord,
    SearchSettings,
    TaskRecord,
)
from modules.tasks.example import Example
from modules.wilson import wilson
from tests.modules_tests.programs.task import make_prompt
from tests.modules_tests.prompts.strategies import TEXT, prompts

HEX = "0123456789abcdef" * 4
VERSION_1 = Path(__file__).parent / "data" / "artifact-version-1.json"


def score_of(n_correct: int, n: int, log_loss: float) -> Score:
    interval = wilson(n_correct, n)
    return Score(
        n=n,
        n_correct=n_correct,
        accuracy=n_correct / n,
        low=interval.low,
        high=interval.high,
        log_loss=log_loss,
    )


def probe_of(text: str, label: str, *log_probabilities: float) -> Probe:
    example = Example(inputs={"text": text}, label=label)
    return Probe(example_id=example.id, text=text, label=label, log_probabilities=log_probabilities)


def artifact_of(prompt: Prompt, command: str = "python -m optimize") -> Artifact:
    """Give a valid artifact, unsealed. Its probes' labels are as probable as each other."""
    labels = prompt.label_names
    even = [-math.log(len(labels))] * len(labels)
    return Artifact(
        prompt=prompt,
        prompt_id=prompt.identity(),
        reading=reading(prompt),
        scores={"dev": score_of(22, 30, 0.61), "confirm": score_of(14, 20, 0.63)},
        task=TaskRecord(
            name="file",
            source={"name": "file", "data": "a.csv", "meanings": None, "sizes": {"train": 30}},
            split_seed=0,
            sizes={"train": 30, "dev": 30, "confirm": 20, "test": 60},
            data_hash=HEX,
            test_hash=HEX[::-1],
            metric="accuracy",
            input_field="text",
            output_field="label",
            labels=tuple(LabelRecord(name=label, meaning=f"it is {label}") for label in labels),
        ),
        model=ModelRecord(
            name="m",
            source="s",
            revision="local",
            digest=HEX,
            dtype="float32",
            processor="x86_64 AuthenticAMD AVX512",
        ),
        search=SearchRecord(
            optimizer="optuna",
            seed=0,
            budget_tokens=100,
            spent={"n_prompts": 9, "forward_tokens": 90, "sampled_tokens": 0},
            n_trials=4,
            n_pruned=1,
            n_finalists=2,
        ),
        probes=(
            probe_of("An instant classic.", labels[-1], *even),
            probe_of("It was “so so”\u2028 👍", labels[0], *even),
        ),
        versions={"burnish": "0.1.0"},
        command=command,
    )


def ensemble_of(*prompts: Prompt) -> Artifact:
    """Give a valid artifact of several prompts with the same labels, unsealed."""
    first, *members = prompts
    return Artifact(**dict(artifact_of(first)) | {"members": tuple(members)})


def told(prompt: Prompt, text: str) -> Prompt:
    """Give the prompt with another instruction."""
    return prompt.model_copy(update={"instruction": (Part(role="task", text=text),)})


ARTIFACT = artifact_of(make_prompt())
ENSEMBLE = ensemble_of(make_prompt(), told(make_prompt(), "One."), told(make_prompt(), "Two."))


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


def test_the_digest_is_of_the_text_with_an_empty_digest(saved: Path) -> None:
    raw = saved.read_bytes()
    value = json.loads(raw)
    empty = raw.replace(value["sha256"].encode(), b"")
    assert value["sha256"] == hashlib.sha256(empty).hexdigest()
    assert value["prompt_id"] == sha256_text(canonical_json(value["prompt"]))


def test_a_changed_bit_is_refused(saved: Path) -> None:
    """One bit of every tenth byte: nothing in the file is free."""
    content = saved.read_bytes()
    path = saved.parent / "changed.json"
    for at, byte in list(enumerate(content))[::10]:
        path.write_bytes(content[:at] + bytes([byte ^ 1 << at % 8]) + content[at + 1 :])
        with pytest.raises(UserError):
            load_artifact(path)


def written(value: Any) -> str:
    """Write JSON as an artifact is written."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


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
    assert len(paths) > 70
    for path in paths:
        value = json.loads(saved.read_text())
        at = value
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = other(at[path[-1]])
        changed = saved.parent / "field.json"
        changed.write_text(written(value))
        with pytest.raises(UserError, match=r"changed after|broken artifact|newer than|is not an"):
            load_artifact(changed)


@pytest.mark.parametrize("at", [(), ("versions",), ("scores",), ("task", "source"), ("search",)])
def test_another_order_of_keys_is_refused(saved: Path, at: tuple[str, ...]) -> None:
    value = owner = json.loads(saved.read_text())
    value["versions"]["numpy"] = "2"
    first = Artifact.model_validate_json(written(value | {"sha256": ""})).sealed()
    value["sha256"] = first.sha256
    path = saved.parent / "order.json"
    path.write_text(written(value))
    assert load_artifact(path) == first
    for key in at:
        owner = owner[key]
    items = list(owner.items())[::-1]
    owner.clear()
    owner.update(items)
    path.write_text(written(value))
    with pytest.raises(UserError, match="changed after it was frozen"):
        load_artifact(path)


def test_version_1_loads_and_is_written_as_it_was(tmp_path: Path) -> None:
    old = load_artifact(VERSION_1)
    assert (old.schema_version, old.reading, old.probes, old.model.processor) == (1, None, (), None)
    save_artifact(old, tmp_path / "a.json")
    assert (tmp_path / "a.json").read_bytes() == VERSION_1.read_bytes()
    value = json.loads(VERSION_1.read_text())
    digest = value.pop("sha256")
    assert digest == sha256_text(canonical_json(value))


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_version_1_is_refused_when_changed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    content = VERSION_1.read_bytes()
    at = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[at]))
    path = tmp_path_factory.getbasetemp() / "version-1-changed.json"
    path.write_bytes(content[:at] + bytes([byte]) + content[at + 1 :])
    with pytest.raises(UserError):
        load_artifact(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.update(schema_version=2),
        lambda v: v.update(probes=[]),
        lambda v: v.update(reading=None),
        lambda v: v["model"].update(processor=None),
        lambda v: v["prompt"].update(bias=[0.0, 0.0]),
    ],
)
def test_version_1_has_no_field_of_version_2(
    tmp_path: Path, change: Callable[[dict[str, Any]], None]
) -> None:
    value = json.loads(VERSION_1.read_text())
    change(value)
    path = tmp_path / "a.json"
    path.write_text(written(value))
    with pytest.raises(UserError, match=r"changed after|broken artifact"):
        load_artifact(path)


VERSION_2 = sorted(VERSION_1.parent.glob("artifact-version-2-*.json"))


@pytest.mark.parametrize("path", VERSION_2, ids=lambda path: path.stem)
def test_files_of_version_2_load_and_are_written_as_they_were(path: Path, tmp_path: Path) -> None:
    """Their digests were taken before there was a version 3."""
    raw = path.read_bytes()
    value = json.loads(raw)
    old = load_artifact(path)
    assert old.schema_version == value["schema_version"] == 2
    assert old.prompt.identity() == sha256_text(canonical_json(value["prompt"]))
    save_artifact(old, tmp_path / "a.json")
    assert (tmp_path / "a.json").read_bytes() == raw


def test_what_is_new_stands_in_the_file_only_where_it_is_used(tmp_path: Path) -> None:
    plain = json.loads(save_artifact(ARTIFACT, tmp_path / "a.json").to_text())
    assert plain["schema_version"] == 4
    assert "members" not in plain
    assert "evidence" not in plain["prompt"]
    assert "separator" not in plain["prompt"]["layout"]
    assert not {"budget_calls", "budget_seconds"} & set(plain["search"])
    search = ARTIFACT.search.model_copy(update={"budget_calls": 9, "budget_seconds": 0.5})
    save_artifact(ARTIFACT.model_copy(update={"search": search}), tmp_path / "b.json")
    bounded = json.loads((tmp_path / "b.json").read_text())["search"]
    assert (bounded["budget_calls"], bounded["budget_seconds"]) == (9, 0.5)
    assert load_artifact(tmp_path / "b.json").search == search


def parted(prompt: Prompt) -> Prompt:
    """Give the prompt in a text layout whose parts a rule parts."""
    layout = {"kind": "text", "answer_lead": "A:", "separator": "rule"}
    return prompt.model_copy(update={"layout": Layout.model_validate(layout)})


def both(prompt: Prompt) -> Prompt:
    """Give the prompt with its instruction on both sides."""
    return prompt.model_copy(update={"layout": Layout(kind="chat", instruction="both")})


@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize(
    ("artifact", "message"),
    [
        (artifact_of(parted(make_prompt())), "separator"),
        (artifact_of(both(make_prompt())), "instruction on both sides"),
        (ENSEMBLE, "members"),
        (
            ARTIFACT.model_copy(
                update={"search": ARTIFACT.search.model_copy(update={"budget_calls": 9})}
            ),
            "budget_calls",
        ),
    ],
    ids=["separator", "both", "members", "calls"],
)
def test_older_versions_have_nothing_new(artifact: Artifact, message: str, version: int) -> None:
    value = artifact.to_json()
    Artifact.model_validate_json(json.dumps(value))
    with pytest.raises(ValidationError, match=f"version {version} has no {message}"):
        Artifact.model_validate_json(json.dumps(value | {"schema_version": version}))


def weighed(prompt: Prompt) -> Prompt:
    """Give the prompt with evidence."""
    names = prompt.label_names
    evidence = Evidence(
        scale=1.5, bias=(0.0, 0.5), weights={names[1]: {"dull": -0.25, "fun": 0.25}}
    )
    return prompt.model_copy(update={"evidence": evidence})


def settings_of(artifact: Artifact, **changes: Any) -> Artifact:
    settings = SearchSettings(sampler="tpe", at_once=2, ensemble=1, racing=True, writer=None)
    search = artifact.search.model_copy(update={"settings": settings.model_copy(update=changes)})
    return artifact.model_copy(update={"search": search})


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(
    "artifact",
    [artifact_of(weighed(make_prompt())), settings_of(ARTIFACT, evidence=True)],
    ids=["prompt", "settings"],
)
def test_evidence_is_new_in_version_4(artifact: Artifact, version: int, tmp_path: Path) -> None:
    save_artifact(artifact, tmp_path / "a.json")
    assert load_artifact(tmp_path / "a.json").prompt == artifact.prompt
    value = artifact.to_json()
    with pytest.raises(ValidationError, match=f"version {version} has no evidence"):
        Artifact.model_validate_json(json.dumps(value | {"schema_version": version}))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda e: e.update(bias=[0.0]), "1 biases for 2 labels"),
        (lambda e: e.update(weights={"neg": {"a": 1.0}}), "not those of all labels but the first"),
        (lambda e: e["weights"].update(pos={}), "at least 1 item"),
        (lambda e: e["weights"].update(pos={" a": 1.0}), "words carry no outer spaces"),
        (lambda e: e["weights"].update(neg={"a": 1.0}), "weigh different words"),
        (lambda e: e.update(scale=0.0), "greater than 0"),
        (lambda e: e["weights"]["pos"].update(fun=1e7), "less than or equal to 1000000"),
    ],
)
def test_evidence_is_checked(change: Callable[[dict[str, Any]], Any], message: str) -> None:
    value = json.loads(weighed(make_prompt()).model_dump_json())
    Prompt.model_validate_json(json.dumps(value))
    change(value["evidence"])
    with pytest.raises(ValidationError, match=message):
        Prompt.model_validate_json(json.dumps(value))


def test_evidence_is_for_choosing() -> None:
    value = json.loads(weighed(make_prompt()).model_dump_json()) | {"decoding": "generate"}
    with pytest.raises(ValidationError, match="evidence is for a prompt that chooses"):
        Prompt.model_validate_json(json.dumps(value))


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
