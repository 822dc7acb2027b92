"""Files: where the cache lies, canonical JSON, digests, and writes that are whole or absent."""

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from modules.errors import UserError

_CHUNK_BYTES = 1 << 20


def cache_dir(*parts: str) -> Path:
    """Give the cache folder (or a folder below it), made if need be.

    It is `$BURNISH_CACHE`, else `$XDG_CACHE_HOME/burnish`, else `~/.cache/burnish`.

    Raises:
        UserError: it cannot be made.
    """
    base = os.environ.get("BURNISH_CACHE")
    if base is None:
        base = os.path.join(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "burnish")
    return make_folder(Path(base).expanduser().joinpath(*parts))


def make_folder(path: Path) -> Path:
    """Make a folder with its parents, and prove that a file can be written there.

    Raises:
        UserError: it cannot be made, or not be written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise UserError(f"cannot write to the folder {path}: {error.strerror}") from error
    return path


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; when the block ends well it takes that name.

    The content is flushed to the disk before the rename, so a reader, or a crash at any moment,
    sees the old file or the new one, whole. When the block raises, nothing is left behind.

    Raises:
        UserError: the disk refuses (full, read-only, no such folder).
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            with temporary.open("rb") as written:
                os.fsync(written.fileno())
            temporary.chmod(0o644)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"cannot write {path}: {error.strerror or error}") from error


def write_atomic(path: Path, text: str) -> None:
    """Write text as UTF-8, whole or not at all (see `atomic_path`)."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(text.encode())


def canonical_json(value: Any) -> str:
    """Write JSON in the one form that digests are taken of: sorted keys, no spaces, no NaN."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def sha256_text(text: str) -> str:
    """Give the hex digest of a text's UTF-8 bytes; lone surrogates count as such."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def sha256_file(path: Path) -> str:
    """Give the hex digest of a file's bytes, read in pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
