"""Tables of the report from lines of cells; which cells there are is each section's business."""

from collections.abc import Iterable, Sequence

from evaluate.report import Column, Table


def table_of(
    name: str,
    caption: str,
    words: Sequence[str],
    numbers: Sequence[str],
    rows: Iterable[Sequence[str]],
) -> Table:
    """Make a table whose first columns hold words and whose others hold numbers."""
    columns = [Column(name=one) for one in words]
    columns += [Column(name=one, is_number=True) for one in numbers]
    return Table(
        name=name, caption=caption, columns=tuple(columns), rows=tuple(tuple(row) for row in rows)
    )
