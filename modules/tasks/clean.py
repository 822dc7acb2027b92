"""Text cleaning: what every loader does to a text before it becomes an example.

Owns the removal of mark-up and invisible characters; what a text or a label means is left to the
loaders, and quoting for prompts or HTML to those who render.
"""

import html
import re
import unicodedata

_BREAK = re.compile(r"< ?/? ?br ?/? ?>", re.IGNORECASE)
_WHITESPACE = re.compile(r"\s+")
_MAX_ROUNDS = 8

# The C1 controls are nearly always Windows-1252 punctuation read as Latin-1: IMDB reviews hold
# \x96 for a dash and \x85 for an ellipsis, and the WHATWG HTML standard reads them the same way.
_WINDOWS_1252 = {
    code: character
    for code in range(0x80, 0xA0)
    if (character := bytes([code]).decode("cp1252", errors="ignore"))
}
# Zero-width space, byte order mark, and the marks that turn the reading direction around unseen.
# The joiners U+200C and U+200D stay: emoji and several scripts need them.
_INVISIBLE = dict.fromkeys([0x200B, 0xFEFF, *range(0x202A, 0x202F), *range(0x2066, 0x206A)])


def clean_text(text: str) -> str:
    """Give the text as one line of visible characters.

    HTML breaks and all whitespace become single spaces, HTML entities become their characters,
    control characters and lone surrogates go, the ends are stripped. Other tags stay: they are
    rare, and `<3` in a tweet is not a tag.

    Defined for every string, the empty one included; cleaning twice changes nothing, so an entity
    that was escaped more than once (`&amp;amp;`) ends as its character. A text in which
    entities or breaks are nested about eight deep is no text: its `&` and `<` become spaces.
    """
    for _ in range(_MAX_ROUNDS):
        cleaned = _clean_once(text)
        if cleaned == text:
            return cleaned
        text = cleaned
    # else a hostile text would need as many rounds as it is deep: 146 s for 120 kB of nested breaks
    return _clean_once(text.replace("&", " ").replace("<", " "))


def _clean_once(text: str) -> str:
    text = html.unescape(text).translate(_WINDOWS_1252).translate(_INVISIBLE)
    text = _WHITESPACE.sub(" ", text)
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cc", "Cs"))
    return _WHITESPACE.sub(" ", _BREAK.sub(" ", text)).strip()
