"""The lines of a frame, one named tuple each, for whoever writes them out cell by cell."""

from collections.abc import Iterator
from typing import Any

import pandas as pd


def lines_of(frame: pd.DataFrame) -> Iterator[Any]:
    """Give the lines in order, as named tuples of the columns."""
    return iter(frame.itertuples(index=False))


def first_line(frame: pd.DataFrame) -> Any:
    """Give the first line as a named tuple, or None where there is none."""
    return next(lines_of(frame), None)
