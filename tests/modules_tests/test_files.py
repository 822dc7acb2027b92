"""Files: whole or absent, canonical, and one clear line when the disk refuses."""

import hashlib
import math
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.errors import UserError
from modules.files import (
    atomic_path,
    cache_dir,
    canonical_json,
    make_folder,
    sha256_file,
    sha256_text,
    write_atomic,
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_a_write_replaces_the_whole_file_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for text in ("a long first version", "é\n"):
        write_atomic(path, text)
        assert path.read_bytes() == text.encode()
    assert os.listdir(tmp_path) == ["a.json"]
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("error", [ValueError("ours"), KeyboardInterrupt()], ids=["bug", "ctrl-c"])
def test_a_failed_block_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, error: BaseException
) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")
    with pytest.raises(type(error)), atomic_path(path) as temporary:  # noqa: PT012
        temporary.write_text("half of the n")
        raise error
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.json"]


def test_nobody_sees_the_file_before_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    with atomic_path(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"


def test_a_full_disk_is_a_user_error_and_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(UserError, match=r"cannot write .*a\.json: No space left on device"):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.json"]


def test_a_folder_that_is_not_there_or_is_a_file_is_a_user_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot write .*No such file"):
        write_atomic(tmp_path / "absent" / "a.json", "x")
    with pytest.raises(UserError, match=r"cannot write .*Not a directory"):
        write_atomic(tmp_path / "file" / "a.json", "x")
    with pytest.raises(UserError, match=r"cannot write to the folder .*file/below: Not a dir"):
        make_folder(tmp_path / "file" / "below")
    with pytest.raises(UserError, match=r"cannot write to the folder .*file: File exists"):
        make_folder(tmp_path / "file")


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({"BURNISH_CACHE": "{}/own"}, "own"),
        ({"XDG_CACHE_HOME": "{}/xdg"}, "xdg/burnish"),
        ({"BURNISH_CACHE": "{}/own", "XDG_CACHE_HOME": "{}/xdg"}, "own"),
        ({"HOME": "{}/home"}, "home/.cache/burnish"),
        ({"HOME": "{}/home", "XDG_CACHE_HOME": ""}, "home/.cache/burnish"),
    ],
)
def test_cache_dir_follows_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], expected: str
) -> None:
    for name in ("BURNISH_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value.format(tmp_path))
    folder = cache_dir("a", "b")
    assert folder == tmp_path / expected / "a" / "b"
    assert folder.is_dir()


@given(JSON)
def test_canonical_json_does_not_depend_on_the_order_of_keys(value: object) -> None:
    wrapped = {"b": value, "a": value}
    assert canonical_json(wrapped) == canonical_json(dict(sorted(wrapped.items())))


def test_canonical_json_by_hand() -> None:
    assert canonical_json({"b": [1, 2.5, None], "a": "é"}) == '{"a":"é","b":[1,2.5,null]}'


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_canonical_json_refuses_what_json_has_not(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json([number])


def test_digests(tmp_path: Path) -> None:
    content = b"abc" * 1_000_000  # more than one chunk
    (tmp_path / "f").write_bytes(content)
    assert sha256_file(tmp_path / "f") == hashlib.sha256(content).hexdigest()
    assert sha256_text("é") == hashlib.sha256(b"\xc3\xa9").hexdigest()
    assert sha256_text("\ud800") != sha256_text("?")
