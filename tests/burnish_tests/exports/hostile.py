"""Prompts whose own text holds the syntax of everything that it is exported to."""

from typing import Any

from hypothesis import strategies as st

from modules.prompts import Demo, Layout, Part, Prompt
from tests.burnish_tests.exports.frozen import CAPS, LAYOUTS, prompt_of

FRAGMENTS = (
    *("{{", "{%", "{#", "}}", "%}", "#}", "{", "}", "{% raw %}", "{% endraw %}", "{{ input }}"),
    *("{{ .Prompt }}", "{{- ", " -}}", '"""', '""', '"', "'", "\\", "\\n", "`", "TEMPLATE", "#"),
    *("\n", "\n\n", "\r\n", "\r", "\t", "  ", "\u00a0", "\u3000", "\u200b", "\u202e", "\x1b[1m"),
    *("\x00", "\x85", "\u2028", "e\u0301", "👍", "\U000e0041", "word", "{input}", "-", "$", "%s"),
)
TEXT = st.lists(st.sampled_from(FRAGMENTS), max_size=7).map("".join)
LINE = TEXT.map(lambda text: "".join(text.split("\n")).replace("\r", "").strip()[:80])


@st.composite
def hostile_prompts(draw: st.DrawFn) -> Prompt:
    """Draw a text prompt of hostile fragments."""
    layout: dict[str, Any] = LAYOUTS[draw(st.sampled_from(["text", "text, after"]))]
    lead = draw(LINE)
    return prompt_of().model_copy(
        update={
            "layout": Layout(**layout | {"input_lead": draw(LINE), "answer_lead": lead or "A"}),
            "instruction": tuple(
                Part(role="task", text=t) for t in draw(st.lists(TEXT, max_size=2))
            ),
            "demos": tuple(Demo(text=t, label="pos") for t in draw(st.lists(TEXT, max_size=2))),
            "cap": draw(st.sampled_from(CAPS)),
        }
    )
