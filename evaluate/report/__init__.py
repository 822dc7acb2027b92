"""Reports: a document of plain blocks, and its two writers.

Example:

    figure = Figure(name="accuracy", caption="...", alt="...", light=svg, dark=dark, png=png)
    section = Section(title="Results", anchor="results", blocks=(figure,))
    report = Report(title="Reviews", lead=(Bullets(items=("...",)),), sections=(section,))
    save_report(report, Path("runs/evaluation/imdb"))  # report.md, report.html, figures/, tables/
"""

from evaluate.report.document import (
    Block,
    Bullets,
    Code,
    Column,
    Example,
    Figure,
    Note,
    Paragraph,
    Report,
    Section,
    Table,
)
from evaluate.report.html import write_html
from evaluate.report.markdown import write_markdown
from evaluate.report.saving import save_report
from evaluate.report.spreadsheet import write_csv

__all__ = [
    "Block",
    "Bullets",
    "Code",
    "Column",
    "Example",
    "Figure",
    "Note",
    "Paragraph",
    "Report",
    "Section",
    "Table",
    "save_report",
    "write_csv",
    "write_html",
    "write_markdown",
]
