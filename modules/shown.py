"""Untrusted text made harmless to look at: nothing in it is obeyed, and nothing in it is unseen.

It owns which characters are hidden and how they are shown. Names on one line, from which such
characters are dropped instead, are `evaluate.table.clean`'s; quoting for a format (HTML, Markdown,
CSV) belongs to the writer of that format.
"""

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def is_hidden(char: str) -> bool:
    """Say whether a character is one that a screen would obey, or not show; "\\n" is not."""
    return char != "\n" and unicodedata.category(char) in _HIDDEN


def is_utf8(text: str) -> bool:
    """Say whether UTF-8 has the text: it has no lone surrogate, as names of files may have."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def harmless(text: str) -> str:
    """Give a text with what a terminal would obey, or not show, as an escape such as `\\x1b`.

    These are control and format characters (and so all bidirectional marks), lone surrogates,
    private and unassigned ones, and line and paragraph separators. Line breaks ("\\n") stay.
    """
    # Nearly every line is printable as a whole, which costs one call to know.
    return "\n".join(
        line if line.isprintable() else "".join(map(_visible, line)) for line in text.split("\n")
    )


def verbatim(text: str) -> str:
    """Give a text for a fixed-width block: `harmless`, but tabs stay too. Twice changes nothing."""
    return "\t".join(map(harmless, text.split("\t")))


def prose(text: str) -> str:
    """Give a text to be read: `harmless`, with tabs as spaces and every line break as "\\n"."""
    return harmless(text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " "))


def _visible(char: str) -> str:
    return ascii(char)[1:-1] if is_hidden(char) else char
