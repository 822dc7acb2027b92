"""The Markdown: read back by a parser of its own, every text is text again and nothing else."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from evaluate.report import (
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
    write_markdown,
)
from tests.evaluate_tests.report.hostile import HOSTILE, LONG, Hostile
from tests.evaluate_tests.report.pictures import SVG, tiny_png
from tests.evaluate_tests.report.sample import hostile

# What GitHub adds to CommonMark, save links made of bare addresses: see the tests of those.
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
MARKUP = "`*_~[]()<>|&#$!\\-+=:.1a @/w\"'{}^"


def _tokens(markdown: str) -> list[Token]:
    flat: list[Token] = []
    for token in PARSER.parse(markdown):
        flat += [token, *(token.children or [])]
    return flat


def _skeleton(markdown: str) -> list[tuple[object, ...]]:
    """Give everything but the texts; pieces of one text count once, and empty ones not at all."""
    shape: list[tuple[object, ...]] = []
    for token in _tokens(markdown):
        if token.type == "text" and (not token.content or shape[-1] == ("text", "", 0, [])):
            continue
        attributes = [(k, v) for k, v in token.attrs.items() if k != "alt"]
        shape.append((token.type, token.tag, token.nesting, attributes))
    return shape


@cache
def _plain_skeleton() -> object:
    return _skeleton(write_markdown(hostile("x")))


def _texts(markdown: str, around: str) -> list[str]:
    """Give the text of every block within an element, such as `th` or `h1`."""
    found: list[str] = []
    inside = False
    for token in PARSER.parse(markdown):
        if token.tag == around and token.nesting != 0:
            inside = token.nesting == 1
        elif inside and token.type == "inline":
            children = token.children or []
            found.append("".join(" " if c.type == "hardbreak" else c.content for c in children))
    return found


def _fence(markdown: str) -> str:
    (fence,) = [token for token in PARSER.parse(markdown) if token.type == "fence"]
    assert fence.info == "text"
    return fence.content


@pytest.mark.parametrize("one", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_text_is_nothing_but_text(one: Hostile) -> None:
    written = write_markdown(hostile(one.text))
    assert _fence(written) == f"{one.code}\n"
    for tag in ("h1", "h2", "h3"):
        assert _texts(written, tag) == [one.name]
    assert _texts(written, "th") == [one.name] * 2
    assert _texts(written, "td") == [one.name] * 2 + ["plain", "1.5"]
    (image,) = [token for token in _tokens(written) if token.type == "image"]
    assert image.content.replace("\\", "") == one.name.replace("\\", "")
    assert _texts(written, "ul") == [_flat(one)] * 3 + [f"{one.name}: {_flat(one)}"]
    if "\n" not in _prose(one):
        assert _skeleton(written) == _plain_skeleton()


def test_a_review_of_100_kb_is_nothing_but_text() -> None:
    blocks = (Example(heading="h", text=LONG), Code(caption="c", text=LONG))
    written = write_markdown(Report(title="t", lead=blocks, sections=()))
    assert _texts(written, "blockquote") == [LONG]
    assert _fence(written) == f"{LONG}\n"


def _prose(one: Hostile) -> str:
    return one.code.replace("\\r", "\n") if "\r" in one.text else one.code


def _flat(one: Hostile) -> str:
    return " ".join(_prose(one).split())


@given(st.text(st.characters(codec="ascii") | st.sampled_from(MARKUP), min_size=1, max_size=30))
def test_any_line_gives_the_same_skeleton(text: str) -> None:
    line = " ".join(text.split()) or "x"
    written = write_markdown(hostile(line)).replace("<!-- -->", "")
    assert _skeleton(written) == _plain_skeleton()


@given(st.text(st.sampled_from(MARKUP + "\n\t"), max_size=40))
def test_lines_of_an_example_stay_a_quotation(text: str) -> None:
    report = Report(title="t", lead=(Example(heading="h", text=text),), sections=())
    written = write_markdown(report).replace("<!-- -->", "")
    allowed = {"blockquote", "paragraph", "heading", "inline", "text", "hardbreak", "softbreak"}
    types = {token.type.removesuffix("_open").removesuffix("_close") for token in _tokens(written)}
    assert types <= allowed
    assert [token.tag for token in PARSER.parse(written) if token.tag[:1] == "h"] == [
        *("h1", "h1", "h3", "h3")
    ]
    shown = " ".join(_texts(written, "blockquote"))
    assert " ".join(shown.split()) == " ".join(text.split())


@given(st.text(st.sampled_from("`~ \na"), max_size=40))
def test_code_never_leaves_its_fence(text: str) -> None:
    written = write_markdown(Report(title="t", lead=(Code(caption="c", text=text),), sections=()))
    assert _fence(written) == f"{text}\n"


def test_every_block_exactly() -> None:
    table = Table(
        name="scores",
        caption="All scores",
        columns=(Column(name="model"), Column(name="accuracy % [95 % CI]", is_number=True)),
        rows=(("a_b", "84.1 [81.7, 86.2]"), ("", "-")),
    )
    figure = Figure(
        name="curve", caption="The curve", alt="It rises", light=SVG, dark=SVG, png=tiny_png()
    )
    blocks = (Note(text="Few."), Note(text="Wrong!", kind="alarm"), table, figure)
    last = (Code(caption="Run", text="make run"), Example(heading="e1", text="A\nB", facts=()))
    report = Report(
        title="Reviews",
        lead=(Paragraph(text="One\ntwo."), Bullets(items=("1. a", "b"))),
        sections=(Section(title="Results", anchor="r", blocks=(*blocks, *last)),),
    )
    assert write_markdown(report) == "\n".join(
        [
            "# Reviews\n\nOne two.\n\n- 1\\. a\n- b\n\n## Results\n",
            "> **Note.** Few.\n\n> **Alarm.** Wrong!\n",
            "**All scores** ([CSV](tables/scores.csv))\n",
            "| model | accuracy % \\[95 % CI\\] |",
            "| :-- | --: |",
            "| a\\_b | 84.1 [81.7, 86.2] |",
            "| \\- | \\- |\n",
            "![It rises](figures/curve.png)\n\n**The curve**\n",
            "**Run**\n\n```text\nmake run\n```\n",
            "### e1\n\n> A\\\n> B\n",
        ]
    )


@pytest.mark.parametrize(
    ("text", "written"),
    [
        pytest.param("https://a.b", "https\\://a.b", id="https"),
        pytest.param("FTP://a.b", "FTP\\://a.b", id="ftp"),
        pytest.param("www.a.b", "www\\.a.b", id="www"),
        pytest.param("WwW.a.b", "WwW\\.a.b", id="www-capitals"),
        pytest.param("a.b@c.de", "a.b@<!-- -->c.de", id="mail"),
        pytest.param("a_@b.c", "a\\_@<!-- -->b.c", id="mail-underscore"),
        pytest.param("^1 x", "\\^1 x", id="footnote"),
        pytest.param("at @home", "at @home", id="no-mail"),
    ],
)
def test_github_makes_no_link_of_an_address_or_a_footnote(text: str, written: str) -> None:
    report = Report(title="t", lead=(Paragraph(text=text),), sections=())
    assert write_markdown(report) == f"# t\n\n{written}\n"
