"""The rules of the house, each as a function from sources to the places that break it.

Every rule takes a mapping from paths (as from the root) to source texts and gives one line per
breach, `path:line: what`; an empty list means that the rule holds.
"""

import ast
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter

from tests.imports import all_imports, module_name

MAX_FUNCTION_LINES = 100

_FORBIDDEN = {
    "modules": {"optimize", "evaluate", "burnish"},
    "optimize": {"evaluate", "burnish"},
    "evaluate": {"optimize", "burnish"},
}
_HOME = {
    "torch": "modules/lm/",
    "transformers": "modules/lm/",
    "accelerate": "modules/lm/",
    "optuna": "optimize/",
}
_SEAL = "modules/tasks/example.py"
# Built from parts, so that this file does not name them itself.
_HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("files", "pythonhosted", "org"),
        ("deb", "debian", "org"),
        ("registry", "npmjs", "org"),
    )
)


def layers(files: Mapping[str, str]) -> list[str]:
    """modules imports no stage, the stages not each other, and nothing the front door."""
    return [
        f"{path}:{found.line}: imports {found.top}"
        for path, found in all_imports(files)
        if found.top in _FORBIDDEN.get(path.partition("/")[0], ())
    ]


def homes(files: Mapping[str, str]) -> list[str]:
    """A library with a home is imported only there."""
    return [
        f"{path}:{found.line}: imports {found.top}, whose home is {_HOME[found.top]}"
        for path, found in all_imports(files)
        if found.top in _HOME and not path.startswith(_HOME[found.top])
    ]


def seal(files: Mapping[str, str]) -> list[str]:
    """The test split is opened only under evaluate/, by name or by way of its private field."""
    return [
        f"{path}:{line}: opens the test split"
        for path, source in files.items()
        if not path.startswith("evaluate/") and path != _SEAL
        for line in _openings(ast.parse(source, path))
    ]


def _openings(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(attr="unseal") | ast.Name(id="unseal"):
                yield node.lineno
            case ast.Constant(value="unseal" | "_examples"):  # as getattr would be given it
                yield node.lineno
            case ast.Attribute(attr="_examples", value=owner) if ast.unparse(owner) != "self":
                yield node.lineno


def long_functions(files: Mapping[str, str]) -> list[str]:
    """No function is longer than `MAX_FUNCTION_LINES`, from its `def` to its last line."""
    return [
        f"{path}:{node.lineno}: {node.name} has {length} lines"
        for path, source in files.items()
        for node in ast.walk(ast.parse(source, path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > MAX_FUNCTION_LINES
    ]


def cycles(files: Mapping[str, str]) -> list[str]:
    """No file is needed, at import time, for its own import: one cycle as a line, or nothing.

    Importing `a.b` runs `a/__init__.py` first, so that is an edge as well, save for a file's own
    parent packages, which are always already being imported.
    """
    known = {module_name(path) for path in files}
    graph: dict[str, set[str]] = {module: set() for module in known}
    for path, found in all_imports(files):
        if found.runs:
            graph[module_name(path)] |= _targets(module_name(path), found.module, found.name, known)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [" <- ".join(error.args[1])]
    return []


def _targets(importer: str, module: str, name: str | None, known: set[str]) -> set[str]:
    full = f"{module}.{name}"
    target = full if full in known else module
    parts = target.split(".")
    parents = {".".join(parts[:n]) for n in range(1, len(parts))}
    own = {parent for parent in parents if importer == parent or importer.startswith(f"{parent}.")}
    return ({target} | (parents - own)) & known


def hosts(files: Mapping[str, str]) -> list[str]:
    """No text names the host of a package registry: where packages come from is pip's to know."""
    return [
        f"{path}:{number}: names a package host"
        for path, text in files.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if any(host in line.lower() for host in _HOSTS)
    ]
