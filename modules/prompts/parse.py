"""Parsing: what the model wrote becomes a label, or stays without one. The inverse of rendering."""

import re
from collections.abc import Mapping

from modules.prompts.prompt import Prompt


def parse_answer(prompt: Prompt, text: str) -> str | None:
    """Give the label whose word stands in a generated text, or None.

    Upper and lower case are the same. A word counts where no letter or digit touches it, longer
    words win over words inside them, and the text must name exactly one label: none or two of them
    is an invalid answer, never a default.
    """
    return match_label({entry.word: entry.label for entry in prompt.words}, text)


def match_label(labels: Mapping[str, str], text: str) -> str | None:
    """Give the one label (a value of `labels`) whose word (its key) stands in the text, or None."""
    by_word = {word.casefold(): label for word, label in labels.items()}
    longest_first = sorted(by_word, key=len, reverse=True)
    pattern = "|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in longest_first)
    found = {by_word[match] for match in re.findall(pattern, text.casefold())}
    return found.pop() if len(found) == 1 else None
