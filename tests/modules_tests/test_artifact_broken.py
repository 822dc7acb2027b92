"""What is no artifact, or a broken one: refused in one printable line, whatever it is."""

import ast
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from modules.errors import UserError
from modules.prompts import load_artifact, save_artifact
from tests.imports import ROOT
from tests.modules_tests.test_artifact import ARTIFACT


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "a.json"
    save_artifact(ARTIFACT, path)
    return path


def without(key: str) -> Callable[[dict[str, Any]], None]:
    return lambda value: value.pop(key)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda v: v.update(extra=1), "broken artifact: extra: Extra inputs"),
        (lambda v: v["prompt"].update(extra=1), "broken artifact: prompt.extra"),
        (lambda v: v["task"]["labels"][0].update(extra=1), r"artifact: task\.labels\.0\.extra"),
        (lambda v: v.update({"\x1b[2J\u202e": 1}), r"artifact: \\u\{1b\}\[2J\\u\{202e\}: Extra"),
        (lambda v: v.update({"x" * 9000: 1}), "artifact: x{160}…: Extra"),
        (lambda v: v.update(schema_version=5), "schema_version 5, newer than 4: update Burnish"),
        (lambda v: v.update(schema_version=10**299), "schema_version 10{159}…, newer than 4"),
        (lambda v: v.update(schema_version=0), "schema_version is 0"),
        (lambda v: v.update(schema_version=True), "schema_version is True"),
        (lambda v: v.update(schema_version="2"), "schema_version is '2'"),
        (lambda v: v.update(schema_version="\x1b"), r"schema_version is '\\x1b'$"),
        (lambda v: v.update(schema_version="2" * 9000), "schema_version is '2{159}…$"),
        (lambda v: v.update(schema_version=2.0), "schema_version is 2.0"),
        (lambda v: v.update(schema_version=1), "version 1 has no reading"),
        (without("schema_version"), "no schema_version"),
        (without("prompt"), "broken artifact: prompt: Field required"),
        (without("reading"), "the reading is not that of the prompt"),
        (without("probes"), "its digest does not fit"),
        (without("sha256"), "its digest does not fit"),
        (lambda v: v.update(sha256="x"), "broken artifact: sha256: String should match"),
        (lambda v: v["search"].update(seed="0"), "broken artifact: search.seed"),
        (lambda v: v["scores"]["dev"].update(accuracy=1.5), "broken artifact: scores.dev.accuracy"),
        (lambda v: v["scores"]["dev"].update(log_loss=float("nan")), "NaN is not JSON"),
        (lambda v: v["prompt"].update(bias=[float("-inf"), 0.0]), "-Infinity is not JSON"),
        (lambda v: v["task"]["source"].update(x=float("inf")), "Infinity is not JSON"),
        (lambda v: v["task"]["source"].update(x="\ud800"), "half a character"),
        (lambda v: v["task"]["source"].update(x=10**4000), "a number has 4,001 digits"),
        (lambda v: v.update(command="\udcff"), "half a character"),
        (lambda v: v.update(command="x" * 100_001), "command: String should have at most 100000"),
        (lambda v: v.update(probes=v["probes"] * 51), "probes: Tuple should have at most 100"),
        (lambda v: v["prompt"].update(demos=v["prompt"]["demos"] * 501), "has 1,002 items"),
    ],
)
def test_a_broken_field_is_one_line(
    saved: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    value = json.loads(saved.read_text())
    change(value)
    path = saved.parent / "broken.json"
    path.write_text(json.dumps(value))
    with pytest.raises(UserError, match=message) as caught:
        load_artifact(path)
    said = str(caught.value).removeprefix(str(path))
    assert said.isprintable()
    assert len(said) < 500


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not JSON"),
        (b"hello", "not JSON"),
        (b"\x00\xff\x80PNG", "not UTF-8 text .byte 1"),
        ("{}".encode("utf-16"), "not UTF-8 text"),
        (b"\xef\xbb\xbf{}", "not JSON"),
        (b"[" * 9_000, "nested too deeply|not JSON"),
        (b"[" * 100_000, "more than 20,000 values"),
        (b'{"schema_version": 2, "a": ' + b"[" * 5_000 + b"]" * 5_000 + b"}", "nested"),
        (b'{"schema_version": 2, "a": ' + b"[" * 13 + b"]" * 13 + b"}", "deeper than 12"),
        (b"9" * 5_000, "5,000 digits"),
        (b"[1]", "no schema_version"),
        (b"null", "no schema_version"),
        (b'{"schema_version": ' + b"9" * 5_000 + b"}", "5,000 digits"),
        (b'{"schema_version": 1e999}', "1e999 is not a finite number"),
        (b'{"schema_version": NaN}', "NaN is not JSON"),
        (b'{"schema_version": 1, "schema_version": 2}', "the key 'schema_version' stands twice"),
        (b'{"schema_version": 2, "a": "\\ud800"}', "half a character"),
        (b"{" + b" " * 10_000_000, "larger than 10,000,000 bytes"),
        (b'{"a":[' + b"[]," * 3_000_000 + b"[]]}", "more than 20,000 values"),
        (b'{"a":0' + b',"":0' * 1_900_000 + b"}", "more than 20,000 values"),
    ],
    ids=lambda value: value[:12].decode("latin-1") if isinstance(value, bytes) else None,
)
def test_what_is_no_artifact(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match=message):
        load_artifact(path)


def test_what_is_no_regular_file(tmp_path: Path, saved: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read the artifact .*no\.json: No such file"):
        load_artifact(tmp_path / "no.json")
    with pytest.raises(UserError, match=r"cannot read the artifact .*: Is a directory"):
        load_artifact(tmp_path)
    with pytest.raises(UserError, match="embedded null"):
        load_artifact(Path("a\0b"))
    with pytest.raises(UserError, match=r"cannot read the artifact .*: File name too long"):
        load_artifact(tmp_path / ("x" * 300))
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    with pytest.raises(UserError, match=r"cannot read the artifact .*dangling: No such file"):
        load_artifact(tmp_path / "dangling")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    with pytest.raises(UserError, match=r"cannot read the artifact .*loop: Too many levels"):
        load_artifact(tmp_path / "loop")
    (tmp_path / "link").symlink_to(saved)
    assert load_artifact(tmp_path / "link") == load_artifact(saved)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_pipe_and_a_device_are_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), Path("/dev/null")):
        with pytest.raises(UserError, match="is not an artifact: it is not a regular file"):
            load_artifact(path)


WATCHED = """
import sys
from pathlib import Path
from modules.prompts import load_artifact

seen = []
names = ("open", "os.", "socket.", "subprocess.", "exec", "compile", "import", "shutil.")
watch = lambda event, given: seen.append((event, str(given[0]))) if event.startswith(names) else 0
try:
    load_artifact(Path("absent"))  # what Python itself imports for the first error
except Exception:
    pass
sys.addaudithook(watch)
load_artifact(Path(sys.argv[1]))
sys.stdout.write(repr(seen))
"""


def test_nothing_but_the_file_is_opened(tmp_path: Path) -> None:
    """Paths in the file, even to files that are there, are text; nothing is imported or run."""
    bait = tmp_path / "bait.csv"
    bait.write_text("text,label\n")
    source = {"data": str(bait), "data_folder": str(tmp_path)}
    task = ARTIFACT.task.model_copy(update={"source": source})
    path = tmp_path / "a.json"
    save_artifact(ARTIFACT.model_copy(update={"task": task, "command": f"cat {bait}"}), path)
    command = [sys.executable, "-c", WATCHED, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert set(ast.literal_eval(done.stdout)) == {("open", str(path))}
