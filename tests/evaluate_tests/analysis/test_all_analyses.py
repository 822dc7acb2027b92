"""What holds for every analysis: the rows' order does not matter, and empty rows give no lines."""

from collections.abc import Callable

import pandas as pd
import pytest

from evaluate.analysis import (
    by_confidence,
    by_length,
    by_rating,
    confusion,
    disagreements,
    flips,
    invalid_beginnings,
    margin_flips,
    missed_by_all,
    transfer,
)
from tests.evaluate_tests.figures import invented

EXAMPLES = invented.examples(12)
ROWS = invented.rows(EXAMPLES, seeds=(0, 1), prompts=("naive", "frozen"))
A, B = invented.MODELS

Analysis = Callable[[pd.DataFrame], pd.DataFrame]
ALL: dict[str, Analysis] = {
    "length": lambda rows: by_length(rows, EXAMPLES),
    "confidence": by_confidence,
    "rating": lambda rows: by_rating(rows, EXAMPLES),
    "missed": lambda rows: missed_by_all(rows[rows["prompt"] == "naive"], EXAMPLES).missed,
    "disagreements": lambda rows: disagreements(rows, EXAMPLES, A, B, "naive").differing,
    "margins": margin_flips,
    "flips": lambda rows: flips(rows, 0.2, 0.8),
    "transfer": transfer,
    "invalid": invalid_beginnings,
}


@pytest.mark.parametrize("name", ALL)
def test_rows_are_read_in_any_order_and_not_changed(name: str) -> None:
    rows, examples = ROWS.copy(deep=True), EXAMPLES.copy(deep=True)
    straight = ALL[name](ROWS)
    pd.testing.assert_frame_equal(ROWS, rows)
    pd.testing.assert_frame_equal(EXAMPLES, examples)
    shuffled = ALL[name](ROWS.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(straight, shuffled, rtol=1e-12)
    assert straight.index.tolist() == list(range(len(straight)))
    assert len(straight) > 0
    empty = ALL[name](ROWS[:0])
    assert len(empty) == 0
    pd.testing.assert_series_equal(empty.dtypes, straight.dtypes)


def test_confusion_does_not_depend_on_the_order() -> None:
    one = ROWS[
        (ROWS["model"] == A)
        & (ROWS["prompt"] == "naive")
        & (ROWS["decoding"] == "generate")
        & (ROWS["temperature"] == 0.8)
    ]
    counts = confusion(one, list(invented.LABELS))
    assert counts.to_numpy().sum() == 24
    pd.testing.assert_frame_equal(counts, confusion(one[::-1], list(invented.LABELS)))
