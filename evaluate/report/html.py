"""A report as one HTML page that needs nothing else: no network, no script, no other file.

It owns what the templates need. How the page is built stands in `page.html.j2` and
`blocks.html.j2`, how it looks in `page.css`.
"""

import base64
import re
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from evaluate.report.document import Block, Report
from evaluate.table import clean
from modules.shown import prose, verbatim

_HERE = Path(__file__).parent
_LONG_LINES = 16
_LONG_CHARACTERS = 1_500
_EXCERPT = 160
_SIZE = re.compile(rb'<svg\b[^>]*?\swidth="([\d.]+)(pt|px)?"[^>]*?\sheight="([\d.]+)(?:pt|px)?"')
_PX_PER_PT = 4 / 3
_NO_SIZE = (720, 480)


class Size(NamedTuple):
    """How large a picture is drawn where there is room, in CSS pixels."""

    width: int
    height: int


def write_html(report: Report) -> str:
    """Give the report as one HTML page; equal reports give equal pages.

    Every text is quoted by the template engine, and what a screen would obey or not show is an
    escape such as `\\u202e` (`modules.shown`) or, in names, is dropped (`evaluate.table.clean`).
    The content security policy forbids scripts and everything from outside. The names of the files
    that `evaluate.report.saving` writes beside the page stand in its head.
    """
    names = [f"figures/{figure.name}.png" for figure in report.figures]
    names += [f"tables/{table.name}.csv" for table in report.tables]
    template = _environment().get_template("page.html.j2")
    return template.render(report=report, files=" ".join(names), css=_css()) + "\n"


def svg_size(svg: bytes) -> Size:
    """Give the size that an SVG states in px or pt, rounded; 720 by 480 where it states none."""
    found = _SIZE.search(svg)
    if found is None:
        return Size(*_NO_SIZE)
    scale = _PX_PER_PT if found[2] == b"pt" else 1.0
    return Size(round(float(found[1]) * scale), round(float(found[3]) * scale))


@cache
def _environment() -> Environment:
    """Make the template engine: everything is quoted, nothing is hidden, no name may be missing."""
    made = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "kind": _kind,
        "name": clean,
        "prose": prose,
        "excerpt": _excerpt,
        "svg": _data_uri,
        "size": svg_size,
    }
    made.tests["long"] = _is_long
    return made


@cache
def _css() -> Markup:
    return Markup((_HERE / "page.css").read_text("utf-8"))


def _shown(value: Any) -> Any:
    """Show what is hidden in every text that the template puts out, whatever else was forgotten."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else verbatim(value)


def _kind(block: Block) -> str:
    return type(block).__name__


def _excerpt(text: str) -> str:
    line = " ".join(prose(text[: 2 * _EXCERPT]).split())
    return line if len(line) <= _EXCERPT else f"{line[:_EXCERPT].rsplit(' ', 1)[0]}…"


def _is_long(text: str) -> bool:
    return len(text) > _LONG_CHARACTERS or text.count("\n") > _LONG_LINES


def _data_uri(svg: bytes) -> Markup:
    return Markup("data:image/svg+xml;base64," + base64.b64encode(svg).decode())
