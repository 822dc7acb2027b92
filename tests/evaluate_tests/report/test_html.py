"""The page: every text stays text, whatever it holds, and nothing is fetched or run."""

import base64
import re
from functools import cache
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluate.report import write_html
from evaluate.report.html import svg_size
from tests.evaluate_tests.report.hostile import HOSTILE, LONG, Hostile
from tests.evaluate_tests.report.sample import hostile, realistic

VOID = {"meta", "img", "source"}
SHOWN_ATTRIBUTES = {"alt", "aria-label"}
CSP = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


class Page(HTMLParser):
    """The elements of a page with their attributes, and the text in each, all in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.other: list[str] = []
        self._open: list[int] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs)
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        self.texts.append("")
        if tag not in VOID:
            self._open.append(len(self.texts) - 1)

    def handle_endtag(self, tag: str) -> None:
        assert self.elements[self._open.pop()][0] == tag

    def handle_data(self, data: str) -> None:
        for at in self._open:
            self.texts[at] += data

    def handle_comment(self, data: str) -> None:
        self.other.append(data)

    def unknown_decl(self, data: str) -> None:
        self.other.append(data)

    def handle_pi(self, data: str) -> None:
        self.other.append(data)

    def named(self, tag: str) -> list[str]:
        """Give the text of every element of this name."""
        return [text for (t, _), text in zip(self.elements, self.texts, strict=True) if t == tag]

    def values(self, attribute: str) -> list[str]:
        """Give the values of an attribute, wherever it stands."""
        return [attrs[attribute] for _, attrs in self.elements if attribute in attrs]

    def skeleton(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Give everything but the texts, those in attributes included."""
        return [
            (tag, [(k, "" if k in SHOWN_ATTRIBUTES else v) for k, v in attrs.items()])
            for tag, attrs in self.elements
        ]


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(write_html(realistic()))


@pytest.mark.parametrize("one", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_text_is_nothing_but_text(one: Hostile) -> None:
    page = Page(write_html(hostile(one.text)))
    assert page.skeleton() == Page(write_html(hostile("x" * len(one.text)))).skeleton()
    assert page.other == []
    assert page.named("code") == [one.code]
    assert page.named("title") == page.named("h1") == page.named("h2") == page.named("h3")
    assert page.named("h1") == page.named("dt") == page.values("alt") == [one.name]
    assert set(page.named("bdi")) == {one.name, "plain", "1.5"}
    assert page.named("td") == [one.name, "1.5"]
    for shown in (*page.named("blockquote"), *page.named("dd"), page.named("p")[0]):
        assert " ".join(shown.split()) == " ".join(_prose(one).split())


def _prose(one: Hostile) -> str:
    """Line breaks of any system are line breaks in prose, where code shows the odd ones."""
    return one.code.replace("\\r", "\n") if "\r" in one.text else one.code


def test_a_review_of_100_kb_is_nothing_but_text() -> None:
    page = Page(write_html(realistic(LONG)))
    assert page.skeleton() == Page(write_html(realistic("x" * len(LONG)))).skeleton()
    assert page.named("blockquote")[0] == LONG


@settings(max_examples=50)
@given(st.text(min_size=1, max_size=40))
def test_any_text_gives_the_same_page(text: str) -> None:
    assert Page(write_html(hostile(text))).skeleton() == _plain_skeleton()


@cache
def _plain_skeleton() -> object:
    return Page(write_html(hostile("x"))).skeleton()


def test_no_text_is_obeyed_by_the_template() -> None:
    text = write_html(hostile("{{ 7*7 }}"))
    assert "49" not in re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)


def test_line_breaks_of_code_are_kept_to_the_letter() -> None:
    for text in ("\n\na", "a\n\n", "  a\n\tb  \n"):
        assert Page(write_html(hostile(text))).named("code") == [text]


def test_nothing_is_fetched_or_run(page: Page) -> None:
    tags = {tag for tag, _ in page.elements}
    assert tags.isdisjoint({"script", "link", "iframe", "object", "embed", "form", "base", "svg"})
    assert not any(name.startswith("on") for _, attrs in page.elements for name in attrs)
    assert "style" not in {name for _, attrs in page.elements for name in attrs}
    assert all(value.startswith("data:image/svg+xml;base64,") for value in page.values("src"))
    assert all(value.startswith("#") for value in page.values("href"))
    assert "@import" not in page.named("style")[0]
    assert "url(" not in page.named("style")[0]


def test_the_policy_stands_before_all_that_it_rules(page: Page) -> None:
    policies = [i for i, (_, a) in enumerate(page.elements) if a.get("content") == CSP]
    assert page.elements[policies[0]][1]["http-equiv"] == "Content-Security-Policy"
    assert policies[0] < [tag for tag, _ in page.elements].index("style")


def test_both_pictures_of_a_figure_are_in_the_page() -> None:
    report = realistic()
    page = Page(write_html(report))
    for found, figures in ((page.values("src"), "light"), (page.values("srcset"), "dark")):
        bytes_found = [base64.b64decode(value.partition(",")[2]) for value in found]
        assert bytes_found == [getattr(figure, figures) for figure in report.figures]
    sources = [attrs for tag, attrs in page.elements if tag == "source"]
    assert {attrs["media"] for attrs in sources} == {"screen and (prefers-color-scheme: dark)"}
    assert page.values("alt") == [figure.alt for figure in report.figures]


def test_ids_are_unique_and_every_reference_leads_to_one(page: Page) -> None:
    ids = page.values("id")
    assert len(set(ids)) == len(ids)
    assert {value.removeprefix("#") for value in page.values("href")} <= set(ids)
    assert set(page.values("aria-labelledby")) <= set(ids)
    contents = [value for value in page.values("href") if value != "#_main"]
    assert contents == [f"#{section.anchor}" for section in realistic().sections]


def test_headings_come_in_order(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h\d", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels))


def test_numbers_have_their_class_and_rows_a_heading() -> None:
    page = Page(write_html(hostile("x")))
    cells = [(tag, attrs) for tag, attrs in page.elements if tag in ("th", "td")]
    assert cells == [
        ("th", {"scope": "col"}),
        ("th", {"scope": "col", "class": "number"}),
        ("th", {"scope": "row"}),
        ("td", {"class": "number"}),
        ("th", {"scope": "row"}),
        ("td", {"class": "number"}),
    ]


def test_a_rule_is_drawn_where_the_first_cell_changes(page: Page) -> None:
    rows = [attrs.get("class", "") for tag, attrs in page.elements if tag == "tr"]
    # A heading, ten rows on one model, ten on the other.
    assert rows[:21] == ["", *[""] * 10, "begins", *[""] * 9]


def test_a_long_text_waits_behind_its_beginning() -> None:
    page = Page(write_html(hostile("word " * 400)))
    assert page.named("details")[0].startswith("\nword word")
    assert page.named("code") == ["word " * 400]
    assert page.named("summary")[1] == "word " * 31 + "word…"


@pytest.mark.parametrize(
    ("text", "n_details"),
    [
        pytest.param("a" * 1_500, 0, id="1500-characters"),
        pytest.param("a" * 1_501, 2, id="1501-characters"),
        pytest.param("a" + "\na" * 16, 0, id="17-lines"),
        pytest.param("a" + "\na" * 17, 2, id="18-lines"),
    ],
)
def test_how_long_is_long(text: str, n_details: int) -> None:
    assert len(Page(write_html(hostile(text))).named("details")) == n_details


def test_equal_reports_give_equal_pages() -> None:
    assert write_html(realistic()) == write_html(realistic())


@pytest.mark.parametrize(
    ("svg", "size"),
    [
        pytest.param(b'<svg width="30pt" height="60pt"/>', (40, 80), id="points"),
        pytest.param(b'<svg height="60px" width="30px"/>', (720, 480), id="other-order"),
        pytest.param(b'<svg xmlns="x"\n width="30.4"\n height="60.6"/>', (30, 61), id="no-unit"),
        pytest.param(b'<svg stroke-width="3" width="8px" height="9px"/>', (8, 9), id="stroke"),
        pytest.param(b'<svg viewBox="0 0 1 1"/>', (720, 480), id="none"),
        pytest.param(b'<svg><rect width="3" height="4"/></svg>', (720, 480), id="of-a-child"),
    ],
)
def test_svg_size(svg: bytes, size: tuple[int, int]) -> None:
    assert svg_size(svg) == size
