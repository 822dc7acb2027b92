"""The schema is drawn from the code and takes what is true; the page names every field."""

import json
import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

from modules.prompts import Prompt, load_artifact, save_artifact
from modules.prompts import plain_json as limits
from modules.prompts.schema import artifact_schema, schema_text
from modules.tasks.splits import SPLIT_NAMES
from tests.imports import ROOT
from tests.modules_tests.prompts.strategies import prompts
from tests.modules_tests.test_artifact import ARTIFACT, VERSION_1, artifact_of

README = (ROOT / "artifacts" / "README.md").read_text(encoding="utf-8")
SCHEMA = artifact_schema()
VALID = Draft202012Validator(SCHEMA)
FROZEN = sorted((ROOT / "artifacts").glob("*/*/seed-*.json"))


def test_the_committed_schema_is_that_of_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    committed = (ROOT / "artifacts" / "schema.json").read_text(encoding="utf-8")
    assert committed == schema_text(), "python -m modules.prompts.schema > artifacts/schema.json"
    runpy.run_path(str(ROOT / "modules" / "prompts" / "schema.py"), run_name="__main__")
    assert capsys.readouterr().out == committed
    assert "python -m modules.prompts.schema > artifacts/schema.json" in README


def test_it_is_a_schema_and_every_field_is_required_closed_and_described() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert "$id" not in schema_text()
    for record in (SCHEMA, *SCHEMA["$defs"].values()):
        assert record["description"].endswith(".")
        free = {"members", "separator", "budget_calls", "budget_seconds", "settings", "evidence"}
        assert record["required"] == [name for name in record["properties"] if name not in free]
        assert record["additionalProperties"] is False
        for field in record["properties"].values():
            assert field["description"].endswith(".")


@pytest.mark.parametrize("path", FROZEN, ids=lambda path: path.parent.name)
def test_committed_artifacts_are_valid(path: Path) -> None:
    if load_artifact(path).schema_version > 1:
        VALID.validate(json.loads(path.read_text(encoding="utf-8")))


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(prompt=prompts())
def test_fresh_artifacts_are_valid(tmp_path: Path, prompt: Prompt) -> None:
    save_artifact(artifact_of(prompt), tmp_path / "a.json")
    VALID.validate(json.loads((tmp_path / "a.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v.update(schema_version=1),
        lambda v: v.update(schema_version=5),
        lambda v: v.update(members=[]),
        lambda v: v.update(members=[v["prompt"]] * 16),
        lambda v: v.update(extra=1),
        lambda v: v.update(sha256=""),
        lambda v: v.update(reading=None),
        lambda v: v.pop("probes"),
        lambda v: v.pop("sha256"),
        lambda v: v.update(prompt_id="x"),
        lambda v: v.update(command=["a"]),
        lambda v: v.update(command="x" * 100_001),
        lambda v: v.update(versions={}),
        lambda v: v["model"].update(processor=None),
        lambda v: v["model"].pop("processor"),
        lambda v: v["prompt"].update(extra=1),
        lambda v: v["prompt"].update(words=v["prompt"]["words"][:1]),
        lambda v: v["prompt"]["layout"].update(kind="other"),
        lambda v: v["prompt"]["layout"].update(separator="blank-line"),
        lambda v: v["prompt"]["layout"].update(answer_lead="a\nb"),
        lambda v: v["prompt"]["words"][0].update(word=""),
        lambda v: v["prompt"]["cap"].update(words=0),
        lambda v: v["scores"].pop("dev"),
        lambda v: v["scores"].update(test=v["scores"]["dev"]),
        lambda v: v["scores"]["dev"].update(accuracy=1.5),
        lambda v: v["scores"]["dev"].update(n="30"),
        lambda v: v["task"]["sizes"].pop("train"),
        lambda v: v["task"].update(source=[]),
        lambda v: v["search"].update(n_trials=0.5),
        lambda v: v["search"].update(budget_calls=0),
        lambda v: v["search"].update(budget_seconds=None),
        lambda v: v["search"].update(budget_tokens=2**63),
        lambda v: v["probes"][0].update(log_probabilities=[0.1, -1.0]),
        lambda v: v["probes"][0].update(example_id="x"),
        lambda v: v.update(probes=v["probes"] * 51),
    ],
)
def test_broken_ones_are_not(change: Callable[[dict[str, Any]], Any]) -> None:
    value = ARTIFACT.sealed().to_json()
    VALID.validate(value)
    change(value)
    assert not VALID.is_valid(value)


def test_version_1_is_not_what_it_describes() -> None:
    assert not VALID.is_valid(json.loads(VERSION_1.read_text(encoding="utf-8")))


def test_the_page_names_every_field() -> None:
    parts = re.split(r"^##+ (.*)$", README, flags=re.MULTILINE)[1:]
    pages = dict(zip(parts[::2], parts[1::2], strict=True))
    for field in SCHEMA["properties"]:
        assert f"| `{field}` |" in pages["Version 4"]
    homes = {"Score": "scores", "TaskRecord": "task", "ModelRecord": "model"}
    homes |= {"SearchRecord": "search", "Probe": "probes", "Prompt": "prompt", "Reading": "reading"}
    for name, home in homes.items():
        for path in fields(name):
            cells = [line.split(" | ")[0] for line in pages[home].splitlines() if line[:3] == "| `"]
            assert any(f"`{path}`" in cell for cell in cells), (home, path)


def fields(name: str) -> list[str]:
    """Give the paths of a record's fields, those of records within it by way of it."""
    found = []
    for field, value in SCHEMA["$defs"][name]["properties"].items():
        within = value.get("$ref") or value.get("items", {}).get("$ref")
        mark = "[]" if "items" in value else ""
        inner = fields(within.rpartition("/")[2]) if within else []
        found += [f"{field}{mark}.{path}" for path in inner] or [field]
    return found


def test_the_page_states_the_limits() -> None:
    said = (
        f"{limits.MAX_BYTES:,} bytes or {limits.MAX_VALUES:,} values, a list or\n"
        f"object of more than {limits.MAX_ITEMS:,}, nesting beyond {limits.MAX_DEPTH} levels, and "
        f"a number of more than {limits.MAX_DIGITS} digits"
    )
    assert said in README
    assert set(ARTIFACT.task.sizes) == set(SPLIT_NAMES)


@pytest.mark.parametrize("honest", [True, False])
def test_the_pages_own_check_of_the_digest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: Any, honest: bool
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    (tmp_path / "check.py").write_text(code)
    save_artifact(ARTIFACT, tmp_path / "a.json")
    if not honest:
        text = (tmp_path / "a.json").read_text(encoding="utf-8")
        (tmp_path / "a.json").write_text(text.replace("it was good", "it was fine"))
    monkeypatch.setattr("sys.argv", ["check.py", str(tmp_path / "a.json")])
    runpy.run_path(str(tmp_path / "check.py"), run_name="__main__")
    assert capsys.readouterr().out == f"file {honest}\nprompt {honest}\n"
