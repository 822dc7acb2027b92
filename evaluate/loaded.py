"""A finished evaluation, read back from its folder: rows, examples, and the record of the run.

    evaluation = load_evaluation(Path("runs/evaluation/snippets"))
    summarise(evaluation.rows)

It is all that the report and the notebooks need; no model and no data set.
"""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from evaluate.examples import load_examples
from evaluate.rows import load
from evaluate.run_record import RunRecord, load_run

ROWS, EXAMPLES = "rows.parquet", "examples.parquet"


class Evaluation(NamedTuple):
    """What a run left: its rows, one line per example of the sample, and its record."""

    rows: pd.DataFrame
    examples: pd.DataFrame
    run: RunRecord


def load_evaluation(folder: Path) -> Evaluation:
    """Read a finished evaluation.

    Raises:
        UserError: a file is missing, broken, or of a newer version.
    """
    run = load_run(folder)
    return Evaluation(load(folder / ROWS), load_examples(folder / EXAMPLES), run)
