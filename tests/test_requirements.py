"""requirements.txt names what the sources import, at the versions that are installed."""

import importlib.metadata
import re
import sys
from collections.abc import Mapping

import pytest

from tests.imports import PACKAGES, ROOT, all_imports, sources

OURS = {*PACKAGES, "benchmarks", "tests"}
# distribution: the name it is imported under. dspy-ai holds no code; it brings dspy.
REAL_WORK = {
    "dspy-ai": "dspy",
    "transformers": "transformers",
    "torch": "torch",
    "accelerate": "accelerate",
    "datasets": "datasets",
    "optuna": "optuna",
    "pandas": "pandas",
    "seaborn": "seaborn",
    "scikit-learn": "sklearn",
}


def _lines(text: str) -> list[str]:
    bare = [re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines()]
    return [line for line in bare if line]


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _pins(text: str) -> dict[str, str]:
    """Give the pinned version of each normalised distribution name."""
    pins: dict[str, str] = {}
    for line in _lines(text):
        if line.startswith("-"):
            continue
        name, equals, version = line.partition("==")
        assert equals, f"every requirement is pinned with ==, got {line!r}"
        assert _normal(name) not in pins, f"{name} is pinned twice"
        pins[_normal(name)] = version
    return pins


def _unnamed(files: Mapping[str, str], pins: Mapping[str, str]) -> list[str]:
    """Give the imports of third-party modules that no pinned distribution provides."""
    providers = importlib.metadata.packages_distributions()
    return [
        f"{path}:{found.line}: {found.top}"
        for path, found in all_imports(files)
        if found.top not in OURS and found.top not in sys.stdlib_module_names
        if not any(_normal(name) in pins for name in providers.get(found.top, ()))
    ]


TEXT = (ROOT / "requirements.txt").read_text("utf-8")
PINS = _pins(TEXT)


def test_every_import_is_named() -> None:
    """The benchmarks' contestants have environments of their own."""
    files = sources(*sorted(OURS))
    ours = {p: s for p, s in files.items() if not p.startswith("benchmarks/contestants/")}
    assert 0 < len(ours) < len(files)
    assert _unnamed(ours, PINS) == []


@pytest.mark.parametrize("distribution", PINS)
def test_the_pin_is_what_is_installed(distribution: str) -> None:
    # A local label, as in 2.13.0+cpu, names a build of the same release.
    installed = importlib.metadata.version(distribution).partition("+")[0]

    assert installed == PINS[distribution]


def test_the_project_comes_last() -> None:
    assert _lines(TEXT)[-1] == "-e ."


def test_only_packages_and_the_project_are_named() -> None:
    assert [line for line in _lines(TEXT) if line.startswith("-") or "/" in line] == ["-e ."]


@pytest.mark.parametrize("distribution", REAL_WORK)
def test_the_package_does_real_work(distribution: str) -> None:
    imported = {found.top for _, found in all_imports(sources(*PACKAGES))}

    assert distribution in PINS
    assert REAL_WORK[distribution] in imported


def test_an_unnamed_import_is_found() -> None:
    files = {"modules/a.py": "import os\nimport numpy as np\nfrom sklearn import svm\nimport tests"}

    assert _unnamed(files, {"numpy": "1"}) == ["modules/a.py:3: sklearn"]
    assert _unnamed(files, {"numpy": "1", "scikit-learn": "1"}) == []


@pytest.mark.parametrize("line", ["numpy", "numpy>=2", "numpy~=2.0"])
def test_a_loose_pin_is_refused(line: str) -> None:
    with pytest.raises(AssertionError, match="pinned with =="):
        _pins(line)


def test_a_double_pin_is_refused() -> None:
    with pytest.raises(AssertionError, match="pinned twice"):
        _pins("scikit-learn==1.0\nscikit_learn==1.1  # the same")
