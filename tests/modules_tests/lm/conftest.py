"""What the tests of the local model share."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="module", autouse=True)
def quick_collections() -> Iterator[None]:
    """Let the garbage collector pass over what was there before the module's tests.

    A model that gives memory back collects first, which takes half a second among the objects of a
    process that holds torch, DSPy and a suite; some of these tests make it do so 40 times.
    """
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
