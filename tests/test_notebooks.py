"""The notebooks run from the first cell to the last, on small settings, and hold no logic."""

import ast
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from evaluate.__main__ import main as evaluate_main
from optimize.__main__ import main as optimize_main
from tests import tables
from tests.imports import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Search two tiny models and evaluate them."""
    root = tmp_path_factory.mktemp("notebooks")
    table = tables.write_table(root / "table.csv", n=240)
    models = [str(tables.model_folder(root / name, chat=name == "a")) for name in ("a", "b")]
    optimize_main(
        [
            *("--data", str(table), "--model", *models, "--budget-tokens", "6000"),
            *("--out", str(root / "artifacts"), "--runs", str(root / "runs"), "--no-cache"),
            *("--n-train", "12", "--n-dev", "20", "--n-confirm", "20", "--n-test", "24"),
        ]
    )
    evaluate_main(
        [
            *("--task", "file-table", "--artifacts", str(root / "artifacts"), "--no-cache"),
            *("--prompts", "naive", "frozen", "transferred", "--out", str(root / "run")),
            *("--n-generated", "3", "--n-parity", "1", "--max-tokens", "3"),
        ]
    )
    return root


def test_there_are_two() -> None:
    assert [path.name for path in NOTEBOOKS] == ["01_search.ipynb", "02_comparison.ipynb"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BURNISH_ARTIFACTS", str(place / "artifacts"))
    monkeypatch.setenv("BURNISH_TASK", "file-table")
    monkeypatch.setenv("BURNISH_RUN", str(place / "run"))
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": ROOT}}
    )
    client.execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)
    assert not [
        output for cell in cells for output in cell.outputs if output.output_type == "error"
    ]
    pictures = [o for cell in cells for o in cell.outputs if "image/png" in o.get("data", {})]
    assert len(pictures) == {"01_search": 1, "02_comparison": 4}[path.stem]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_holds_no_logic_and_its_outputs_are_whole(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    logic = (ast.FunctionDef, ast.ClassDef, ast.If, ast.While, ast.Try, ast.Lambda)
    counts = []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert not [
                node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, logic)
            ]
            counts.append(cell.execution_count)
    assert counts == list(range(1, len(counts) + 1))  # run once, from top to bottom
