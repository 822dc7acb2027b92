"""One tiny model and one small task for all tests of the search."""

import pytest

from modules.lm import Ledger, LocalModel
from modules.tasks.example import Task
from tests import tables


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    """A tiny base model. A test that replaces its methods puts them back."""
    return tables.tiny_model(tables.model_folder(tmp_path_factory.mktemp("tiny") / "base"))


@pytest.fixture(autouse=True)
def _fresh_ledger(model: LocalModel) -> None:
    """Give every test a ledger without limits: a search leaves one that is nearly spent."""
    model.ledger = Ledger()


@pytest.fixture(scope="session")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """Binary sentiment of nonsense, from a table."""
    return tables.file_task(tmp_path_factory.mktemp("table"))
