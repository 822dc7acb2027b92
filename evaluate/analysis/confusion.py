"""Which label is taken for which: counts by gold label and answer, for one configuration."""

from collections.abc import Sequence

import pandas as pd

from evaluate.analysis.selection import scored

INVALID = "invalid"
_CONFIGURATION = ["model", "prompt", "prompt_id", "decoding", "temperature"]


def confusion(rows: pd.DataFrame, labels: Sequence[str]) -> pd.DataFrame:
    """Count the answers of one configuration by gold label.

    Args:
        rows: rows of one (model, prompt, decoding, temperature); with several seeds every draw
            counts. Those of outcome `lm_error` are left out, see `errors_by_gold`.
        labels: the task's labels, in its order.

    Returns:
        Counts (int64): a line per gold label (index `gold`), a column per label and a last one for
        the answers that could not be read, named by `invalid_column`. Without rows all are 0.

    Raises:
        ValueError: rows of several tasks or configurations, a label among them that is not in
            `labels`, or a label twice in `labels`.
    """
    _check(rows, labels)
    known = scored(rows)
    invalid = invalid_column(labels)
    answers = known["answer"].fillna(invalid)
    counts = pd.crosstab(known["gold"], answers) if len(known) > 0 else pd.DataFrame()
    full = counts.reindex(index=list(labels), columns=[*labels, invalid], fill_value=0)
    return full.astype("int64").rename_axis(index="gold", columns="answer")


def errors_by_gold(rows: pd.DataFrame, labels: Sequence[str]) -> pd.Series:
    """Count the rows of outcome `lm_error` by gold label, which `confusion` leaves out.

    Arguments and errors are those of `confusion`; the index is `labels`, the dtype int64.
    """
    _check(rows, labels)
    failed = rows[rows["outcome"] == "lm_error"]
    counts = failed["gold"].value_counts().reindex(list(labels), fill_value=0)
    return counts.astype("int64").rename("n_errors")


def invalid_column(labels: Sequence[str]) -> str:
    """Give the name of the column for unreadable answers: `invalid`.

    Where a label has that name already, it goes into as many brackets as make it differ.
    """
    name = INVALID
    while name in labels:
        name = f"({name})"
    return name


def _check(rows: pd.DataFrame, labels: Sequence[str]) -> None:
    """Refuse several configurations, and labels that are unknown or repeat."""
    several = rows[_CONFIGURATION].drop_duplicates()
    if len(several) > 1:
        raise ValueError(
            f"a confusion matrix is of one configuration, not of {len(several)}: "
            f"{several.head(2).to_dict('records')}"
        )
    if len(set(labels)) < len(labels):
        raise ValueError(f"labels must be distinct, not {list(labels)}")
    strange = {*rows["gold"], *rows["answer"].dropna()} - set(labels)
    if strange:
        raise ValueError(f"labels must be among {list(labels)}, not {sorted(strange)}")
