"""A report on disk: the two documents, the pictures and the tables, and nothing left of the last.

It owns which files belong to a report; their content is the writers'.
"""

import re
from pathlib import Path

from evaluate.report.document import Report
from evaluate.report.html import write_html
from evaluate.report.markdown import write_markdown
from evaluate.report.spreadsheet import write_csv
from modules.errors import UserError
from modules.files import atomic_path, make_folder, write_atomic

_HEAD_CHARACTERS = 100_000
_FILES = re.compile(r'<meta name="files" content="([^"<>]*)">')
_OURS = re.compile(r"figures/[a-z0-9-]+\.png|tables/[a-z0-9-]+\.csv")


def save_report(report: Report, folder: Path) -> list[Path]:
    """Write a report into a folder, made if need be, and give the paths that were written.

    They are `report.md`, `report.html`, `figures/NAME.png` and `tables/NAME.csv`, in this order,
    figures and tables in reading order. Each is written whole or not at all, the page last. Files
    that the page of an earlier report in this folder names, and this report does not have, are
    removed; nothing else is.

    Raises:
        UserError: the disk refuses.
    """
    made = make_folder(folder)
    page = write_html(report)
    earlier = _earlier_files(made / "report.html")
    figures = [made / "figures" / f"{figure.name}.png" for figure in report.figures]
    tables = [made / "tables" / f"{table.name}.csv" for table in report.tables]
    for path in {path.parent: None for path in (*figures, *tables)}:
        make_folder(path)
    for figure, path in zip(report.figures, figures, strict=True):
        with atomic_path(path) as temporary:
            temporary.write_bytes(figure.png)
    for table, path in zip(report.tables, tables, strict=True):
        write_atomic(path, write_csv(table))
    write_atomic(made / "report.md", write_markdown(report))
    for path in {made / name for name in earlier} - {*figures, *tables}:
        _remove(path)
    write_atomic(made / "report.html", page)
    return [made / "report.md", made / "report.html", *figures, *tables]


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"cannot remove {path}: {error.strerror or error}") from error


def _earlier_files(page: Path) -> list[str]:
    """Give the files that an earlier page names in its head, where no untrusted text can stand."""
    if not page.is_file():
        return []
    with page.open(encoding="utf-8", errors="replace") as file:
        found = _FILES.search(file.read(_HEAD_CHARACTERS))
    return [name for name in found[1].split() if _OURS.fullmatch(name)] if found else []
