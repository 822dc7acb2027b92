"""Confusion matrices: which label is taken for which, one matrix per configuration."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pandas as pd
import seaborn as sns  # type: ignore[import-untyped,unused-ignore]
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from evaluate.figures.names import shown, width_of
from evaluate.figures.panels import Blocks, nothing_to_draw
from evaluate.figures.sheet import Sheet
from evaluate.figures.style import SMALL, WIDTH, Picture, picture
from evaluate.figures.theme import Theme, heat, heat_map, readable_on

_MOST_FOR_THREE = 3
_CELL = 0.36


class ConfusionData(NamedTuple):
    """What `confusions` draws.

    names, titles: the blocks and the panels in each, as given.
    counts: for each panel, in order, shape (n_labels, n_answers).
    shares: the same over the sum of their line; NaN in a line without an answer.
    labels, answers: the names along both sides; the answers end with that for unreadable ones
        only where a matrix has one.
    """

    names: tuple[str, ...]
    titles: tuple[tuple[str, ...], ...]
    counts: list[NDArray[np.int64]]
    shares: list[NDArray[np.float64]]
    labels: tuple[str, ...]
    answers: tuple[str, ...]


def confusion_data(matrices: Mapping[tuple[str, str], pd.DataFrame]) -> ConfusionData:
    """Compute shares, and leave out the column of unreadable answers where there are none.

    Args:
        matrices: what `evaluate.analysis.confusion` gives, by model and prompt, in the order in
            which they are shown; all of the same labels. Keys of one model need not be together.

    Raises:
        ValueError: there is no matrix, or they have different labels.
    """
    if len(matrices) == 0:
        raise nothing_to_draw("configuration has a confusion matrix")
    first = next(iter(matrices.values()))
    for key, matrix in matrices.items():
        if list(matrix.index) != list(first.index) or list(matrix) != list(first):
            raise ValueError(f"matrices need the same labels, {key} has {list(matrix)}")
    models = tuple(dict.fromkeys(model for model, _ in matrices))
    keys = [key for model in models for key in matrices if key[0] == model]
    has_invalid = any(matrix.iloc[:, -1].sum() > 0 for matrix in matrices.values())
    n_answers = len(first.columns) if has_invalid else len(first.columns) - 1
    counts = [matrices[key].to_numpy(np.int64) for key in keys]
    return ConfusionData(
        names=models,
        titles=tuple(tuple(prompt for one, prompt in keys if one == model) for model in models),
        counts=[matrix[:, :n_answers] for matrix in counts],
        shares=[_shares(matrix)[:, :n_answers] for matrix in counts],
        labels=tuple(first.index),
        answers=tuple(first.columns[:n_answers]),
    )


def confusions(matrices: Mapping[tuple[str, str], pd.DataFrame]) -> Picture:
    """Draw every matrix with its counts; the colour is the share of the gold label's examples.

    Args:
        matrices: see `confusion_data`.

    Raises:
        ValueError: see `confusion_data`.
    """
    data = confusion_data(matrices)
    return picture(lambda theme: _draw(theme, data))


def _shares(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    sums = counts.sum(axis=1, keepdims=True).astype(np.float64)
    sums[sums == 0] = np.nan
    return np.asarray(counts / sums, dtype=np.float64)


def _draw(theme: Theme, data: ConfusionData) -> Figure:
    n_columns = 3 if len(data.labels) <= _MOST_FOR_THREE else 2
    labels = [shown(label, 14) for label in data.labels]
    answers = [shown(label, 14) for label in data.answers]
    left = max(map(width_of, labels)) + 0.12
    cell = (WIDTH - left - 0.24 * n_columns) / n_columns / len(answers)
    is_flat = max(map(width_of, answers)) < cell - 0.02
    below = 0.3 if is_flat else max(map(width_of, answers)) + 0.2
    blocks = Blocks(
        names=data.names,
        titles=data.titles,
        n_columns=n_columns,
        panel_height=_CELL * len(labels),
        left=left,
        below=below,
    )
    sheet = Sheet(
        theme,
        "Which label is taken for which",
        "Lines: the gold label. Columns: the answer. Numbers are counts; the stronger the colour, "
        "the greater the share of the line.",
        blocks.height,
    )
    panels = [panel for block in blocks.draw(sheet) for panel in block]
    for panel, counts, shares in zip(panels, data.counts, data.shares, strict=True):
        _draw_matrix(theme, panel, counts, shares)
        across, down = np.arange(len(answers)) + 0.5, np.arange(len(labels)) + 0.5
        panel.set_xticks(across, answers, rotation=0 if is_flat else 90)
        panel.set_yticks(down, labels, rotation=0)
    return sheet.figure


def _draw_matrix(
    theme: Theme, panel: Axes, counts: NDArray[np.int64], shares: NDArray[np.float64]
) -> None:
    """Draw one matrix, the first line on top."""
    known = np.nan_to_num(shares)  # a label without examples has no shares
    sns.heatmap(
        known,
        vmin=0,
        vmax=1,
        cmap=heat_map(theme),
        cbar=False,
        linewidths=1.5,
        linecolor=theme.page,
        xticklabels=False,
        yticklabels=False,
        ax=panel,
    )
    for (line, column), n in np.ndenumerate(counts):
        colour = heat(theme, float(known[line, column]))
        _write(panel, column + 0.5, line + 0.5, str(n), readable_on(colour))
    panel.tick_params(length=0, labelcolor=theme.text)


def _write(panel: Axes, x: float, y: float, text: str, colour: str) -> None:
    panel.text(
        x,
        y,
        text,
        color=colour,
        fontsize=SMALL,
        horizontalalignment="center",
        verticalalignment="center_baseline",
    )
