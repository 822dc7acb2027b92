"""The house keeps its rules, and each rule can fail."""

import importlib.metadata
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

import evaluate
from tests import house
from tests.imports import PACKAGES, ROOT, imports, sources

Rule = Callable[[Mapping[str, str]], list[str]]

HOST = ".".join(("pypi", "org"))
LONG = "def f():\n" + "    x = 1\n" * house.MAX_FUNCTION_LINES


@pytest.mark.parametrize("package", PACKAGES)
def test_the_sources_are_found(package: str) -> None:
    assert f"{package}/__init__.py" in sources(package)


@pytest.mark.parametrize(
    "rule",
    [house.layers, house.homes, house.seal, house.cycles],
    ids=lambda rule: rule.__name__,
)
def test_packages_keep(rule: Rule) -> None:
    assert rule(sources(*PACKAGES)) == []


def test_no_function_is_too_long() -> None:
    assert house.long_functions(sources(*PACKAGES, "benchmarks", "tests")) == []


def test_no_text_names_a_package_host() -> None:
    assert house.hosts(_texts()) == []


def test_evaluate_is_ours() -> None:
    # A distribution on the package registry has the same name.
    assert Path(evaluate.__file__).resolve() == ROOT / "evaluate" / "__init__.py"
    with pytest.raises(importlib.metadata.PackageNotFoundError, match="evaluate"):
        importlib.metadata.version("evaluate")


BROKEN = [
    (house.layers, "modules/a.py", "import optimize"),
    (house.layers, "modules/a.py", "from evaluate.rows import Row"),
    (house.layers, "modules/lm/a.py", "def f():\n    import optimize.space"),
    (house.layers, "optimize/a.py", "from evaluate import rows"),
    (house.layers, "evaluate/a.py", "import importlib\nimportlib.import_module('optimize.space')"),
    (house.layers, "evaluate/a.py", "if TYPE_CHECKING:\n    from optimize.space import Space"),
    (house.homes, "modules/prompts/a.py", "import torch.nn as nn"),
    (house.homes, "optimize/a.py", "from transformers import AutoModel"),
    (house.homes, "evaluate/a.py", "def f():\n    import accelerate"),
    (house.homes, "modules/lm/a.py", "import optuna"),
    (house.seal, "optimize/a.py", "examples = task.splits.test.unseal()"),
    (house.seal, "modules/a.py", "opener = SealedSplit.unseal"),
    (house.seal, "optimize/a.py", "examples = getattr(task.splits.test, 'unseal')()"),
    (house.seal, "optimize/a.py", "examples = task.splits.test._examples"),
    (house.long_functions, "modules/a.py", LONG),
    (house.long_functions, "tests/a.py", "class A:\n    async " + LONG.replace("\n", "\n    ")),
    (house.hosts, "README.md", f"packages\ncome from https://{HOST.upper()}/simple"),
]
KEPT = [
    (house.layers, "optimize/a.py", "from modules.tasks import Task\nimport optimize.space"),
    (house.layers, "modules/a.py", "import evaluated\nfrom . import evaluate"),
    (house.homes, "modules/lm/a.py", "import torch"),
    (house.homes, "optimize/a.py", "from optuna import Trial"),
    (house.seal, "evaluate/a.py", "examples = task.splits.test.unseal()"),
    (house.seal, "modules/tasks/a.py", "split = SealedSplit(digest='', n=0, _examples=())"),
    (house.long_functions, "modules/a.py", LONG.replace("    x = 1\n", "", 1)),
    (house.hosts, "README.md", "python.org and pypi"),
]


@pytest.mark.parametrize(("rule", "path", "source"), BROKEN)
def test_rule_can_fail(rule: Rule, path: str, source: str) -> None:
    (breach,) = rule({path: source})

    last_line = len(source.splitlines()) if rule is not house.long_functions else None
    assert breach.startswith(f"{path}:{last_line or ''}")


@pytest.mark.parametrize(("rule", "path", "source"), KEPT)
def test_rule_can_hold(rule: Rule, path: str, source: str) -> None:
    assert rule({path: source}) == []


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"m/a.py": "import m.b", "m/b.py": "from m import a"}, True),
        (
            {"m/a.py": "from .b import x", "m/b.py": "from .c import x", "m/c.py": "import m.a"},
            True,
        ),
        ({"m/__init__.py": "from m.a import x", "m/a.py": "from m import x"}, True),
        # through n/__init__.py, which `import n.b` runs
        ({"m/a.py": "import n.b", "n/__init__.py": "import m.a", "n/b.py": ""}, True),
        (
            {"m/a.py": "class A:\n    import m.b", "m/b.py": "try:\n    import m.a\nfinally: 0"},
            True,
        ),
        ({"m/__init__.py": "from m.a import x", "m/a.py": "from m import b", "m/b.py": ""}, False),
        ({"m/a.py": "import m.b", "m/b.py": "def f():\n    import m.a"}, False),
        ({"m/a.py": "import m.b", "m/b.py": "if TYPE_CHECKING:\n    import m.a"}, False),
        ({"m/a.py": "import m.b, os", "m/b.py": "import os"}, False),
    ],
    ids=[
        "two",
        "three-relative",
        "package-and-its-part",
        "through-a-package",
        "nested-blocks",
        "sibling-within-a-package",
        "inside-a-function",
        "type-checking",
        "none",
    ],
)
def test_cycles(files: Mapping[str, str], found: bool) -> None:
    complete = {"m/__init__.py": "", **files}

    assert bool(house.cycles(complete)) is found


@pytest.mark.parametrize(
    ("path", "source", "module"),
    [
        ("m/n/a.py", "from . import x", "m.n"),
        ("m/n/__init__.py", "from . import x", "m.n"),
        ("m/n/a.py", "from ..o import x", "m.o"),
        ("m/n/a.py", "from o import x", "o"),
    ],
)
def test_relative_imports_become_absolute(path: str, source: str, module: str) -> None:
    assert [found.module for found in imports(path, source)] == [module]


def _texts() -> dict[str, str]:
    """Every text file that git tracks or would add, or that lies here where there is no git."""
    texts = {}
    for name in _names():
        try:
            texts[name] = (ROOT / name).read_text("utf-8")
        except (UnicodeDecodeError, FileNotFoundError):  # binary, or deleted but still in the index
            continue
    return texts


def _names() -> list[str]:
    if not (ROOT / ".git").exists():
        folders = (*PACKAGES, "artifacts", "benchmarks", "notebooks", "tests", ".ci")
        paths = [path for folder in folders for path in (ROOT / folder).rglob("*")]
        paths += ROOT.glob("*")
        return [path.relative_to(ROOT).as_posix() for path in paths if path.is_file()]
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return listed.stdout.decode().rstrip("\0").split("\0")
