"""A task and tiny models for the benchmarks."""

from pathlib import Path

import pytest

from modules.lm import LocalModel
from modules.tasks import SplitSizes
from modules.tasks.example import Task
from tests import tables


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """A task of a few short texts."""
    sizes = SplitSizes(train=12, dev=20, confirm=10, test=10)
    return tables.file_task(tmp_path_factory.mktemp("task"), sizes=sizes)


@pytest.fixture(params=[False, True], ids=["base", "chat"])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> LocalModel:
    """A tiny model without and with a chat template."""
    return tables.tiny_model(tables.model_folder(tmp_path / "model", chat=request.param))
