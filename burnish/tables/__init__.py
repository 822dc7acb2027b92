"""Tables in a stream: read a row at a time, written with new columns, in four formats.

Example:

    new = ("label", "confidence", "outcome")
    table = open_table(Path("reviews.csv"), "text", new)
    survey = table.survey()                       # reads all of it once: rows, columns, mistakes
    added = (Added("good", 0.9, "ok") for text in table.texts())
    write_labelled(table, survey, (".csv", ".csv"), new, Path("out.csv"), added)
"""

from burnish.tables.opening import ENDINGS, STREAMED, ending_of, open_stream, open_table
from burnish.tables.table import Added, Survey, Table
from burnish.tables.writing import check_target, write_labelled

__all__ = [
    "ENDINGS",
    "STREAMED",
    "Added",
    "Survey",
    "Table",
    "check_target",
    "ending_of",
    "open_stream",
    "open_table",
    "write_labelled",
]
