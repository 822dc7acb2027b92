"""Rows of cells as lines in which the columns stand under each other."""

from collections.abc import Collection, Sequence

from burnish.terminal import columns

_GAP = "  "


def aligned(rows: Sequence[Sequence[str]], left: Collection[int]) -> list[str]:
    """Give a line a row, cells filled up to their column's width, two spaces apart.

    Args:
        rows: harmless cells without line breaks, as many in each row.
        left: the columns that are filled up behind their text; the others are numbers.
    """
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
    return [
        _GAP.join(
            cell + fill if at in left else fill + cell
            for at, (cell, fill) in enumerate(zip(row, _fills(row, widths), strict=True))
        ).rstrip()
        for row in rows
    ]


def _fills(row: Sequence[str], widths: Sequence[int]) -> list[str]:
    return [" " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True)]
