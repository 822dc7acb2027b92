"""How the report writes numbers: percent, points, intervals, p-values, counts of things.

Texts of tables are `evaluate.table`'s; what is said with the numbers belongs to
`evaluate.findings` and the sections.
"""

import math
from collections.abc import Sequence

from evaluate.table import UNDEFINED, percent

MINUS = "\N{MINUS SIGN}"


def share(value: float, low: float, high: float) -> str:
    """Write a share with its interval: `84.1 % [81.7, 86.2]`; NaN is `-`."""
    if math.isnan(value):
        return UNDEFINED
    return f"{percent(value)} % [{percent(low)}, {percent(high)}]"


def points(value: float) -> str:
    """Write a difference of shares in points, with its sign, a true minus: `+3.2`; NaN is `-`."""
    if math.isnan(value):
        return UNDEFINED
    size = f"{abs(100 * value):.1f}"
    if size == "0.0":
        return size
    return f"{MINUS if value < 0 else '+'}{size}"


def difference(value: float, low: float, high: float) -> str:
    """Write a difference with its interval in points: `+3.2 [+0.4, +6.1]`; NaN is `-`."""
    if math.isnan(value):
        return UNDEFINED
    if math.isnan(low):
        return points(value)
    return f"{points(value)} [{points(low)}, {points(high)}]"


def p_value(value: float) -> str:
    """Write a p-value: three decimals, `< 0.001` below that; NaN is `-`."""
    if math.isnan(value):
        return UNDEFINED
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def p_equals(value: float) -> str:
    """Write a p-value for a sentence: `p = 0.032`, `p < 0.001`."""
    written = p_value(value)
    return f"p {written}" if written.startswith("<") else f"p = {written}"


def number(value: float, digits: int = 1) -> str:
    """Write a number with thousands' commas and so many decimals; NaN is `-`."""
    return UNDEFINED if math.isnan(value) else f"{value:,.{digits}f}"


def counted(n: int, noun: str, plural: str | None = None) -> str:
    """Write a count of things: `1 example`, `1,000 examples`."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def listed(items: Sequence[str]) -> str:
    """Join names as a sentence does: `a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)
