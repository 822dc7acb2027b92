"""Fetching with a pip that is not one: no network is touched here."""

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import pytest

from modules.errors import UserError
from modules.fetch import Package, fetch

CONTENT = b"wheel"
PACKAGE = Package(
    requirement="thing==1.0",
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    filename="thing-1.0-py3-none-any.whl",
)


class Pip:
    """Stands for pip: writes a file, or fails with a text."""

    def __init__(self, content: bytes | None = None, stderr: str = "") -> None:
        self.content, self.stderr = content, stderr
        self.calls: list[list[str]] = []
        self.pins = ""

    def __call__(self, command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        self.calls.append(command)
        self.pins = Path(command[command.index("--requirement") + 1]).read_text()
        if self.content is not None:
            folder = Path(command[command.index("--dest") + 1])
            (folder / PACKAGE.filename).write_bytes(self.content)
        status = 1 if self.stderr else 0
        return subprocess.CompletedProcess(command, status, stdout="", stderr=self.stderr)


@pytest.fixture
def use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Put a pip in place, and the cache into the test's folder."""
    monkeypatch.setenv("BURNISH_CACHE", str(tmp_path))

    def _use(pip: Pip) -> Pip:
        monkeypatch.setattr(subprocess, "run", pip)
        return pip

    return _use


def test_a_file_is_downloaded_once_with_its_digest_pinned(use: Any) -> None:
    pip = use(Pip(CONTENT))
    path = fetch(PACKAGE)
    assert path.read_bytes() == CONTENT
    assert pip.pins == f"thing==1.0 --hash=sha256:{PACKAGE.sha256}\n"
    assert {"--no-deps", "--require-hashes", "--only-binary"} <= set(pip.calls[0])
    assert fetch(PACKAGE) == path
    assert len(pip.calls) == 1


def test_a_damaged_file_in_the_cache_is_downloaded_again(use: Any) -> None:
    pip = use(Pip(CONTENT))
    fetch(PACKAGE).write_bytes(b"damaged")
    assert fetch(PACKAGE).read_bytes() == CONTENT
    assert len(pip.calls) == 2


def test_a_source_archive_is_asked_for_as_such(use: Any) -> None:
    pip = use(Pip(CONTENT))
    fetch(
        Package(
            requirement=PACKAGE.requirement,
            sha256=PACKAGE.sha256,
            filename=PACKAGE.filename,
            source=True,
        )
    )
    assert "--no-binary" in pip.calls[0]
    assert "--only-binary" not in pip.calls[0]


@pytest.mark.parametrize(
    ("pip", "match"),
    [
        pytest.param(
            Pip(stderr="ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM ..."),
            f"thing==1.0.* pinned sha256 {PACKAGE.sha256}; it was not opened",
            id="wrong sha, seen by pip",
        ),
        pytest.param(
            Pip(b"another"),
            f"came as another file than {PACKAGE.filename} .*{PACKAGE.sha256}",
            id="wrong sha, pip silent",
        ),
        pytest.param(Pip(None), "came as another file", id="no file"),
        pytest.param(
            Pip(stderr="WARNING: Retrying ... NewConnectionError('...')\nERROR: No matching"),
            "cannot download thing==1.0 .*check the network",
            id="no network",
        ),
        pytest.param(
            Pip(stderr="ERROR: No matching distribution found for thing==1.0"),
            "does not answer or does not have it",
            id="no such version",
        ),
        pytest.param(
            Pip(stderr="ERROR: a\nERROR: disk full\n"),
            r"cannot download thing==1.0: ERROR: disk full$",
            id="anything else: pip's last line",
        ),
    ],
)
def test_a_failed_download_is_a_user_error_and_is_not_taken_for_the_file(
    use: Any, pip: Pip, match: str
) -> None:
    use(pip)
    with pytest.raises(UserError, match=match):
        fetch(PACKAGE)
    use(Pip(CONTENT))
    assert fetch(PACKAGE).read_bytes() == CONTENT
