"""A smaller SVG that draws the same: no comments, short numbers, each style once.

It knows what matplotlib writes and nothing more of SVG. What it leaves out is white space, comments
(which repeat every text, untrusted ones too), the document type (which names a file on the network)
and places beyond a hundredth of a point.
"""

import re
from collections import Counter

_STYLE = re.compile(rb'style="([^"]*)"')
_PATH = re.compile(rb' d="[^"]*"')
_PATH_SPACE = re.compile(rb"\s+(?=[LMQCz\"])|(?<=[LMQC]) ")
_SHEET_END = b"</style>"


def compact(svg: bytes) -> bytes:
    """Give an SVG of matplotlib's with the same elements and shapes in fewer bytes.

    Texts must be paths already (`svg.fonttype: path`), so that no number or space in it is content.
    """
    svg = re.sub(rb"<!--.*?-->|<!DOCTYPE[^>]*>\s*", b"", svg, flags=re.DOTALL)
    svg = re.sub(rb"\n\s+", b"\n", svg)
    svg = _PATH.sub(lambda match: _PATH_SPACE.sub(b"", match.group(0)), svg)
    svg = re.sub(rb"(?<!scale\()(?<![\d.#])(\d+\.\d\d)\d+", rb"\1", svg)
    return _shared_styles(svg)


def _shared_styles(svg: bytes) -> bytes:
    """Put every style that elements share into the style sheet, as a class."""
    counts = Counter(_STYLE.findall(svg))
    names = {style: b"s%d" % place for place, style in enumerate(counts) if counts[style] > 1}

    def named(match: re.Match[bytes]) -> bytes:
        style = match.group(1)
        return b'class="%s"' % names[style] if style in names else match.group(0)

    rules = b"".join(b".%s{%s}" % (name, style) for style, name in names.items())
    return _STYLE.sub(named, svg).replace(_SHEET_END, rules + _SHEET_END, 1)
