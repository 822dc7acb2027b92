"""Texts that try to be more than text, and what a reader has to see of each."""

from typing import NamedTuple


class Hostile(NamedTuple):
    """A text, and how it is shown: in code, and as a name on one line."""

    text: str
    code: str
    name: str


def _as_it_is(text: str) -> Hostile:
    return Hostile(text, text, text)


HOSTILE = {
    "script": _as_it_is("<script>document.title='x'</script>"),
    "image": _as_it_is('<img src=x onerror="document.title=1">'),
    "quotes": _as_it_is("\"><b onmouseover='x'>' title=`x`"),
    "style-end": _as_it_is("</style></title></pre></code><h1>"),
    "comment": _as_it_is("<!-- --> --> ]]> <![CDATA[ <?php ?>"),
    "entity": _as_it_is("&lt;b&gt; &amp;amp; &#60;"),
    "template": _as_it_is("{{ 7*7 }} {% for x in y %} {# z #}"),
    "meta": _as_it_is('<meta name="files" content="figures/mine.png">'),
    "link": _as_it_is("[x](javascript:alert) ![y](z.png) <http://a.b> [r]: u"),
    "address": _as_it_is("see https://a.bc or www.a.bc or HTTP://WWW.a.bc"),
    "emphasis": _as_it_is("*a* _b_ ~~c~~ **d** a_b_c $e$ `f`"),
    "pipe": _as_it_is("a | b \\| c || d\\"),
    "heading": _as_it_is("# a ## b #"),
    "bullet": _as_it_is("- a * b + c"),
    "plus": _as_it_is("+ a"),
    "number": _as_it_is("1. a 2) b"),
    "bracket": _as_it_is("7) a"),
    "quotation": _as_it_is("> a"),
    "alert": _as_it_is("[!NOTE] a"),
    "rule": _as_it_is("---"),
    "underline": _as_it_is("==="),
    "alignment": _as_it_is(":--"),
    "fence": _as_it_is("~~~ ``` ```` ``` `````````"),
    "fence-lines": Hostile("a\n```\n# b\n~~~\n", "a\n```\n# b\n~~~\n", "a ``` # b ~~~"),
    "table-lines": Hostile(
        "a | b\n:-- | --\nc | d", "a | b\n:-- | --\nc | d", "a | b :-- | -- c | d"
    ),
    "backslash": _as_it_is("\\ \\\\ \\# \\"),
    "formula": _as_it_is("=HYPERLINK(A1)"),
    "right-to-left": Hostile("a\u202eb\u2066c", "a\\u202eb\\u2066c", "abc"),
    "zero-width": Hostile("a\u200bb\ufeffc\u2060d", "a\\u200bb\\ufeffc\\u2060d", "abcd"),
    "escape": Hostile("a\x1b[31mb\x07\x00", "a\\x1b[31mb\\x07\\x00", "a[31mb"),
    "surrogate": Hostile("a\ud800b", "a\\ud800b", "ab"),
    "lines": Hostile("a\r\n\tb\rc", "a\\r\n\tb\\rc", "a b c"),
    "separators": Hostile("a\u2028b\u2029c\x85d", "a\\u2028b\\u2029c\\x85d", "a b c d"),
    "hebrew": _as_it_is("פילם נהדר, 10/10!"),
}
LONG = f"{'word ' * 100}<script>`|*_&[ " * 200 + "end"
