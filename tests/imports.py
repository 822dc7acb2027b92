"""What the project's sources import, read from their syntax trees without running them."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("modules", "optimize", "evaluate", "burnish")


class Import(NamedTuple):
    """One imported name: `from a.b import c` has module `a.b` and name `c`, `import a.b` no name.

    `runs` is False where importing the file does not run the statement: inside a function, or
    under `if TYPE_CHECKING`.
    """

    module: str
    name: str | None
    line: int
    runs: bool

    @property
    def top(self) -> str:
        """The top-level package."""
        return self.module.partition(".")[0]


def sources(*folders: str) -> dict[str, str]:
    """Give every Python source under the folders, by its path from the root, in path order."""
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    return {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in paths}


def module_name(path: str) -> str:
    """Give the dotted name that a path from the root is imported under."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def imports(path: str, source: str) -> list[Import]:
    """Give the imports of one source, with relative ones made absolute.

    `import_module("name")` and `__import__("name")` count too.
    """
    package = module_name(path).split(".")
    if not path.endswith("/__init__.py"):
        package = package[:-1]
    return list(_walk(ast.parse(source, path), package, runs=True))


def all_imports(files: Mapping[str, str]) -> Iterator[tuple[str, Import]]:
    """Give every import of every file, with the file's path."""
    for path, source in files.items():
        for found in imports(path, source):
            yield path, found


def _walk(node: ast.AST, package: list[str], *, runs: bool) -> Iterator[Import]:
    yield from _of_node(node, package, runs)
    if isinstance(node, ast.If) and _is_type_checking(node.test):
        for guarded in node.body:
            yield from _walk(guarded, package, runs=False)
        for other in node.orelse:
            yield from _walk(other, package, runs=runs)
        return
    runs = runs and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, package, runs=runs)


def _of_node(node: ast.AST, package: list[str], runs: bool) -> Iterator[Import]:
    match node:
        case ast.Import(names=names):
            for alias in names:
                yield Import(alias.name, None, node.lineno, runs)
        case ast.ImportFrom(module=module, names=names, level=level):
            base = package[: len(package) - level + 1] if level else []
            full = ".".join(base + ([module] if module else []))
            for alias in names:
                yield Import(full, alias.name, node.lineno, runs)
        case ast.Call(
            func=ast.Name(id="__import__" | "import_module") | ast.Attribute(attr="import_module"),
            args=[ast.Constant(value=str(module)), *_],
        ):
            yield Import(module, None, node.lineno, runs)


def _is_type_checking(test: ast.expr) -> bool:
    return ast.unparse(test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}
