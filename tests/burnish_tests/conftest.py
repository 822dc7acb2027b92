"""One small search, with all that it needs to be run again."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import torch

from modules.prompts import Artifact, load_artifact, save_artifact
from optimize.__main__ import main as optimize_main
from tests import tables


class Searched(NamedTuple):
    """A table, a model folder, and the prompt that a search froze from them."""

    table: Path
    model: Path
    path: Path

    def changed(self, path: Path, change: Callable[[dict[str, Any]], None]) -> Path:
        """Write the artifact with other values, sealed anew."""
        value = json.loads(self.path.read_text())
        change(value)
        artifact = Artifact.model_validate_json(json.dumps(value))
        save_artifact(artifact.model_copy(update={"prompt_id": artifact.prompt.identity()}), path)
        return path


@pytest.fixture(scope="package", autouse=True)
def _one_thread() -> Iterator[None]:
    """On models this small a second thread costs more than it does; it changes no bits."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@pytest.fixture(scope="session")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Searched:
    """A search in float32 with 20 dev and 20 confirm examples."""
    return search_in(tmp_path_factory.mktemp("searched"))


def search_in(root: Path, *more: str) -> Searched:
    """Search in a folder."""
    table = tables.write_table(root / "table.csv", n=240)
    model = tables.model_folder(root / "m", chat=True)
    optimize_main(
        [
            *("--data", str(table), "--model", str(model), "--dtype", "float32"),
            *("--n-train", "12", "--n-dev", "20", "--n-confirm", "20", "--n-test", "24"),
            *("--budget-tokens", "5000", "--out", str(root / "out"), "--runs", str(root / "runs")),
            *more,
        ]
    )
    (path,) = (root / "out").glob("*/*/*.json")
    assert len(load_artifact(path).probes) == 8
    return Searched(table, model, path)
