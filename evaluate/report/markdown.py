"""A report as GitHub Markdown, in which no text can become markup.

It owns the quoting for Markdown. Where the pictures lie beside the text (`figures/`, `tables/`) is
agreed with `evaluate.report.saving`, which writes them.
"""

import re

from evaluate.report.document import (
    Block,
    Bullets,
    Code,
    Example,
    Figure,
    Note,
    Paragraph,
    Report,
    Table,
)
from evaluate.table import clean
from modules.shown import prose, verbatim

_SPECIAL = re.compile(r"[\\`*_~^\[\]<>|&#$]")
_LINE_START = re.compile(r"^(?:(?=[-+=:])|(\d{1,9})(?=[.)]))")
_AUTOLINK = re.compile(r"(?=://)|(?<=www)(?=\.)", re.IGNORECASE)
_MAIL = re.compile(r"(?<=[\w.+-]@)(?=\w)")
_NUMBER = re.compile(r"[-+±\u2212]?\d[\d.,% \[\]+±\u2212-]*")
_FENCE = re.compile(r"`{3,}")
_NOTES = {"note": "Note.", "alarm": "Alarm."}


def write_markdown(report: Report) -> str:
    """Give the report as GitHub Markdown, ending in one newline.

    Characters that a screen would obey or not show are dropped from names (`evaluate.table.clean`)
    and shown as escapes in prose and code (`modules.shown`). Web and mail addresses stay plain text
    too: GitHub would make links of them, so an address holds a backslash or an empty comment.
    Figures and tables are linked as `figures/NAME.png` and `tables/NAME.csv`.
    """
    parts = [f"# {_name(report.title)}", *map(_block, report.lead)]
    for section in report.sections:
        parts += [f"## {_name(section.title)}", *map(_block, section.blocks)]
    return "\n\n".join(parts) + "\n"


def _block(block: Block) -> str:
    match block:
        case Paragraph(text=text):
            return _line(text)
        case Bullets(items=items):
            return "\n".join(f"- {_line(item)}" for item in items)
        case Note(text=text, kind=kind):
            return f"> **{_NOTES[kind]}** {_line(text)}"
        case Table():
            return _table(block)
        case Figure(name=name, caption=caption, alt=alt):
            return f"![{_name(alt)}](figures/{name}.png)\n\n**{_name(caption)}**"
        case Code(caption=caption, text=text):
            return f"**{_name(caption)}**\n\n{_fenced(verbatim(text))}"
        case Example():
            return _example(block)


def _table(table: Table) -> str:
    rule = ["--:" if column.is_number else ":--" for column in table.columns]
    heading = [_name(column.name) for column in table.columns]
    lines = [heading, rule, *([_cell(cell) for cell in row] for row in table.rows)]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return f"**{_name(table.caption)}** ([CSV](tables/{table.name}.csv))\n\n{body}"


def _example(example: Example) -> str:
    facts = "\n".join(f"- **{_name(name)}:** {_line(value)}" for name, value in example.facts)
    quoted = "\n".join(f"> {line}".rstrip() for line in _lines(example.text))
    return "\n\n".join(part for part in (f"### {_name(example.heading)}", facts, quoted) if part)


def _lines(text: str) -> list[str]:
    """Give a text's lines for a quotation: each but the last of a paragraph ends in a break."""
    lines = [_escaped(line) for line in prose(text).split("\n")]
    return [
        f"{line}\\" if line and following else line
        for line, following in zip(lines, [*lines[1:], ""], strict=True)
    ]


def _fenced(text: str) -> str:
    """Put a text between fences that are longer than any that it holds."""
    longest = max(map(len, _FENCE.findall(text)), default=2)
    fence = "`" * (longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def _cell(text: str) -> str:
    """Give a cell; numbers with intervals stay readable, as nothing in them means anything."""
    shown = clean(text)
    return shown if _NUMBER.fullmatch(shown) else _escaped(shown)


def _name(text: str) -> str:
    return _escaped(clean(text))


def _line(text: str) -> str:
    return _escaped(" ".join(prose(text).split()))


def _escaped(text: str) -> str:
    """Give one line of harmless text so that Markdown shows exactly it, wherever it stands.

    Backslashes stand before what means something in GitHub Markdown (maths and links that are made
    of bare addresses included), and at the line's start before what begins a list, a heading, a
    rule or a table. A mail address cannot be broken by a backslash: an empty comment does it.
    """
    marked = _SPECIAL.sub(r"\\\g<0>", text.strip())
    marked = _AUTOLINK.sub(r"\\", marked)
    marked = _MAIL.sub("<!-- -->", marked)
    return _LINE_START.sub(r"\1\\", marked)
