"""Mutated artifact files, hundreds of them: refused in one line, or an artifact of their own.

What must hold of any content whatever. Either `load_artifact` raises `UserError`, in one printable
line; or it gives an artifact and then

1. the content is, byte for byte, `to_text()` of what it gave;
2. the content's digest, reckoned here from the bytes, is the `sha256` that stands in it, and the
   digest of its prompt is its `prompt_id`;
3. unless the content is the original, its `sha256` is not the original's.

So nobody can change a file and keep its seal. Whoever changes a file and seals it anew gets, by 3,
another artifact, or, where the parts do not fit each other, none.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from modules.errors import UserError
from modules.files import canonical_json, sha256_text
from modules.prompts import Prompt, load_artifact, reading
from tests.modules_tests.test_artifact import ARTIFACT, VERSION_1, artifact_of, written

ORIGINALS = {
    "version 3": ARTIFACT.sealed().to_text().encode(),
    "version 1": VERSION_1.read_bytes(),
}
FUZZ = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
Node = tuple[Any, Any]  # a list or an object, and a place in it


def outcome(path: Path, content: bytes, original: bytes) -> bool:
    """Check what must hold of any content; say whether it was accepted."""
    path.write_bytes(content)
    try:
        loaded = load_artifact(path)
    except UserError as error:
        said = str(error).removeprefix(str(path))
        assert said.isprintable()
        assert len(said) < 500
        return False
    assert loaded.to_text().encode() == content
    value = json.loads(content)
    digest = value["sha256"]
    if value["schema_version"] == 1:
        del value["sha256"]
        assert digest == sha256_text(canonical_json(value))
    else:
        assert digest == hashlib.sha256(content.replace(digest.encode(), b"")).hexdigest()
    assert value["prompt_id"] == sha256_text(canonical_json(value["prompt"]))
    assert (digest == json.loads(original)["sha256"]) == (content == original)
    return True


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mutated.json"


def spans(length: int) -> st.SearchStrategy[tuple[int, int]]:
    return st.tuples(st.integers(0, length), st.integers(0, 40)).map(lambda p: (p[0], sum(p)))


@st.composite
def other_bytes(draw: st.DrawFn, content: bytes) -> bytes:
    """Flip, put in, take out, double, move or cut bytes, up to three times."""
    for _ in range(draw(st.integers(1, 3))):
        start, end = draw(spans(len(content)))
        piece = content[start:end]
        match draw(st.sampled_from(["flip", "in", "out", "double", "move", "cut"])):
            case "flip":
                bit = 1 << draw(st.integers(0, 7))
                piece = bytes(byte ^ bit for byte in piece)
            case "in":
                piece += draw(st.binary(min_size=1, max_size=8) | st.sampled_from(SNIPPETS))
            case "out":
                piece = b""
            case "double":
                piece *= 2
            case "move":
                other_start, other_end = draw(spans(len(content)))
                piece = content[other_start:other_end]
            case "cut":
                content, piece = content[:start], b""
        content = content[:start] + piece + content[end:]
    return content


SNIPPETS = [rb"\ud800", rb"\u0000", b"NaN", b"-", b"0", b"e9", b"\n", b"\xff", b",", b"]}", b'"']


@pytest.mark.parametrize("original", ORIGINALS.values(), ids=ORIGINALS)
@FUZZ
@given(data=st.data())
def test_bytes(path: Path, original: bytes, data: st.DataObject) -> None:
    content = data.draw(other_bytes(original))
    assume(content != original)
    assert not outcome(path, content, original)


ODD: list[Any] = [
    *(None, True, False, 0, 1, -1, 2, 0.0, -0.0, 0.5, 1e308, 5e-324, 2**63, -(10**299), 10**400),
    *(float("nan"), float("inf"), "", "0", "a\nb", "\x00", "\x1b[31m", "\u202e", "\ud800"),
    *("{input}", "x" * 201, "x" * 100_001, "f" * 64),
    *([], {}, [[]], [0] * 1_001, {"a": {"b": []}}),
]


def nodes(value: Any) -> Iterator[Node]:
    """Give every place in a JSON value: its owner and its key there."""
    for key in list(value) if isinstance(value, dict) else range(len(value)):
        yield value, key
        if isinstance(value[key], dict | list):
            yield from nodes(value[key])


CHANGES = ["near", "near", "near", "odd", "swap", "out", "more", "rename"]


@st.composite
def other_values(draw: st.DrawFn, original: bytes) -> dict[str, Any]:
    """Put other values in, swap fields, take them out, add or rename them, up to three times."""
    value: dict[str, Any] = json.loads(original)
    for _ in range(draw(st.integers(1, 3))):
        found = list(nodes(value))
        owner, key = found[draw(st.sampled_from(range(len(found))))]
        match draw(st.sampled_from(CHANGES)):
            case "odd":
                owner[key] = deepcopy(draw(st.sampled_from(ODD)))
            case "swap":
                other, at = found[draw(st.sampled_from(range(len(found))))]
                owner[key], other[at] = deepcopy(other[at]), deepcopy(owner[key])
            case "out":
                del owner[key]
            case "more" if isinstance(owner, dict):
                owner[draw(st.text(max_size=5))] = deepcopy(owner[key])
            case "more":
                owner.insert(key, deepcopy(owner[key]))
            case "rename" if isinstance(owner, dict):
                owner[key + "x"] = owner.pop(key)
            case _:
                owner[key] = near(owner[key])
    return value


def near(value: Any) -> Any:
    """Give a value of the same kind that a field might well hold."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case float():
            return value * 0.5
        case str():
            return value[:-1] + ("b" if value.endswith("a") else "a")
        case list() | dict():
            return deepcopy(value)
        case _:
            return "a"


@st.composite
def other_forms(draw: st.DrawFn, value: Any) -> bytes:
    """Write JSON as other programs do, or as Burnish does."""
    settings: dict[str, Any] = {
        "indent": draw(st.sampled_from([None, 0, 1, 2, 4, "\t"])),
        "ensure_ascii": draw(st.booleans()),
        "sort_keys": draw(st.booleans()),
        "separators": draw(st.sampled_from([None, (",", ":"), (", ", ": "), (" ,", ": ")])),
    }
    text = json.dumps(value, **settings) + draw(st.sampled_from(["", "\n", "\n\n", "\r\n"]))
    match draw(st.sampled_from(["as it is", "CRLF", "escaped", "BOM", "UTF-16"])):
        case "CRLF":
            text = text.replace("\n", "\r\n")
        case "escaped":
            text = re.sub("[a-z]", lambda m: f"\\u{ord(m[0]):04x}", text, count=3)
        case "BOM":
            text = "\ufeff" + text
        case "UTF-16":
            return text.encode("utf-16", "surrogatepass")
    return text.encode("utf-8", "surrogatepass")


@pytest.mark.parametrize("original", ORIGINALS.values(), ids=ORIGINALS)
@FUZZ
@given(data=st.data())
def test_values_under_the_old_seal(path: Path, original: bytes, data: st.DataObject) -> None:
    value = data.draw(other_values(original))
    content = written(value).encode("utf-8", "surrogatepass")
    assume(content != original)
    assert not outcome(path, content, original)


@pytest.mark.parametrize("original", ORIGINALS.values(), ids=ORIGINALS)
@FUZZ
@given(data=st.data())
def test_the_same_values_in_another_form(path: Path, original: bytes, data: st.DataObject) -> None:
    content = data.draw(other_forms(json.loads(original)))
    assume(content != original)
    assert not outcome(path, content, original)


@FUZZ
@given(data=st.data())
def test_a_key_twice(path: Path, data: st.DataObject) -> None:
    """The line of any field doubled, with its own value or with another field's."""
    original = ORIGINALS["version 3"]
    lines = original.decode().splitlines(keepends=True)
    fields = [n for n, line in enumerate(lines) if re.match(r'^ *"[^"]*": .*,$', line)]
    at, other = (data.draw(st.sampled_from(fields)) for _ in range(2))
    key = lines[at].partition(":")[0]
    rest = data.draw(st.sampled_from([lines[at], lines[other]])).partition(":")[2]
    lines.insert(at + data.draw(st.integers(0, 1)), f"{key}:{rest}")
    assert not outcome(path, "".join(lines).encode(), original)
    with pytest.raises(UserError, match="stands twice in one object"):
        load_artifact(path)


def sealed_anew(value: dict[str, Any]) -> bytes:
    """Seal changed values as one would who knows how: prompt_id, reading and digest fit again."""
    value = deepcopy(value)
    try:
        prompt = Prompt.model_validate_json(json.dumps(value["prompt"]))
        value |= {"prompt_id": prompt.identity(), "reading": reading(prompt).model_dump()}
    except (ValidationError, KeyError, ValueError):
        pass  # no prompt any more: there is nothing to fit
    value["sha256"] = ""
    empty = written(value).encode("utf-8", "surrogatepass")
    value["sha256"] = hashlib.sha256(empty).hexdigest()
    return written(value).encode("utf-8", "surrogatepass")


@FUZZ
@given(data=st.data())
def test_values_sealed_anew(path: Path, data: st.DataObject) -> None:
    """Accepted under a seal of its own, as `outcome` checks, or refused for what does not fit."""
    original = ORIGINALS["version 3"]
    content = sealed_anew(data.draw(other_values(original)))
    outcome(path, content, original)


def test_sealing_anew_is_done_right_here(path: Path) -> None:
    """Else the test above would refuse everything, and show nothing."""
    original = ORIGINALS["version 3"]
    value = json.loads(original)
    assert sealed_anew(value) == original
    value["command"] = "another"
    value["prompt"]["demos"].pop()
    assert outcome(path, sealed_anew(value), original)
    prompt = ARTIFACT.prompt.model_copy(update={"demos": ARTIFACT.prompt.demos[:-1]})
    assert load_artifact(path) == artifact_of(prompt, "another").sealed()


def test_the_prompt_is_under_a_seal_of_its_own(path: Path) -> None:
    """A changed bias leaves the reading as it was; only `prompt_id` tells."""
    value = json.loads(ORIGINALS["version 3"])
    value["prompt"]["bias"] = [0.3, -0.3]
    value["sha256"] = hashlib.sha256(written(value | {"sha256": ""}).encode()).hexdigest()
    path.write_text(written(value), encoding="utf-8")
    with pytest.raises(UserError, match="its digest does not fit"):
        load_artifact(path)
