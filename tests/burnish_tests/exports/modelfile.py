"""A reader of Modelfiles and of the Go templates that exports write, by Ollama's own rules.

Written from the behaviour of Ollama's parser: a value goes on over line breaks until what was read
is well quoted, quotes have no escapes, and what does not print is dropped, save space, tab and line
breaks inside a value.
"""

import re

_ACTION = re.compile(r'\{\{ (?:(?P<name>\.\w+)|"(?P<text>(?:[^"\\\n]|\\.)*)") \}\}')
_ESCAPE = re.compile(r"\\(?:U([0-9a-fA-F]{8})|([\"\\]))")


def read_modelfile(text: str) -> list[tuple[str, str]]:
    """Give the commands with their values; a parameter's command is its name.

    Raises:
        ValueError: a command that there is none of, or a value that never ends.
    """
    found: list[tuple[str, str]] = []
    at = 0
    while at < len(text):
        if text[at] in " \t\r\n":
            at += 1
        elif text[at] == "#":
            at = _line_end(text, at)
        else:
            name, value, at = _command(text, at)
            found.append((name, value))
    return found


def _line_end(text: str, at: int) -> int:
    return next((n for n in range(at, len(text)) if text[n] in "\r\n"), len(text))


def _command(text: str, at: int) -> tuple[str, str, int]:
    word = re.compile(r"[A-Za-z]+").match(text, at)
    if word is None or word.group().lower() not in {"from", "template", "parameter"}:
        raise ValueError(f"no command at {text[at : at + 20]!r}")
    name, at = word.group().lower(), word.end() + 1
    if name == "parameter":
        parameter = re.compile(r"\w+").match(text, at)
        assert parameter is not None
        name, at = parameter.group(), parameter.end() + 1
    read = ""
    while at < len(text):
        char = text[at]
        if char in "\r\n" and (value := _unquoted(read.strip())) is not None:
            return name, value, at + 1
        if char in " \t\r\n" or char.isprintable():
            read += char
        at += 1
    if (value := _unquoted(read.strip())) is None:
        raise ValueError("a value never ends")
    return name, value, at


def _unquoted(text: str) -> str | None:
    for quote in ('"""', '"'):
        if text.startswith(quote):
            ends = len(text) >= 2 * len(quote) and text.endswith(quote)
            return text[len(quote) : -len(quote)] if ends else None
    return text


def render_go(template: str, prompt: str) -> str:
    """Render a template of texts, Go strings and `.Prompt`.

    Raises:
        ValueError: any other action.
    """
    parts, at = [], 0
    while (start := template.find("{{", at)) >= 0:
        action = _ACTION.match(template, start)
        if action is None:
            raise ValueError(f"no action that is known at {template[start : start + 20]!r}")
        parts += [template[at:start], _said(action, prompt)]
        at = action.end()
    return "".join([*parts, template[at:]])


def _said(action: re.Match[str], prompt: str) -> str:
    if action["name"] is not None:
        assert action["name"] == ".Prompt"
        return prompt
    plain = _ESCAPE.sub("", action["text"])
    assert "\\" not in plain
    return _ESCAPE.sub(lambda m: chr(int(m[1], 16)) if m[1] else m[2], action["text"])
