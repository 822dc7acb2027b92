"""Random prompts and texts for the property tests of rendering, parsing and the codec."""

from hypothesis import strategies as st

from modules.prompts import Demo, InputCap, LabelWord, Layout, Part, Prompt

# Anything that Python calls a text, lone surrogates and control characters included.
ANY_TEXT = st.text(st.characters(), max_size=60)
# What JSON in UTF-8 can hold.
TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
LINE = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)
WORD = LINE.map(str.strip).filter(bool)
LEAD = st.sampled_from(["", "Review:", "Q", "→", "It was"])

_SIDES = st.sampled_from(["before", "after", "both"])
_KINDS = st.one_of(
    st.builds(
        Layout,
        kind=st.just("text"),
        instruction=_SIDES,
        input_lead=LEAD,
        answer_lead=LEAD.filter(bool),
        same_line=st.booleans(),
        separator=st.sampled_from(["blank-line", "line", "rule"]),
    ),
    st.builds(
        Layout,
        kind=st.just("chat"),
        instruction=_SIDES,
        input_lead=LEAD,
        answer_lead=LEAD,
    ),
    st.builds(
        Layout,
        kind=st.just("chat"),
        instruction=st.sampled_from(["before", "both"]),
        system=st.just(True),
        input_lead=LEAD,
        answer_lead=LEAD,
    ),
)


@st.composite
def prompts(draw: st.DrawFn) -> Prompt:
    """Draw any valid prompt with two or three labels."""
    words = draw(st.lists(WORD, min_size=2, max_size=3, unique_by=str.casefold))
    labels = [f"label-{n}" for n in range(len(words))]
    number = st.floats(allow_nan=False, allow_infinity=False)
    return Prompt(
        layout=draw(_KINDS),
        instruction=tuple(Part(role="task", text=t) for t in draw(st.lists(TEXT, max_size=2))),
        demos=tuple(
            Demo(text=t, label=draw(st.sampled_from(labels)))
            for t in draw(st.lists(TEXT, max_size=3))
        ),
        words=tuple(LabelWord(label=label, word=w) for label, w in zip(labels, words, strict=True)),
        cap=InputCap(
            words=draw(st.none() | st.integers(1, 5)),
            keep=draw(st.sampled_from(["head", "tail", "both"])),
        ),
        decoding=draw(st.sampled_from(["choose", "generate"])),
        bias=tuple(draw(number) for _ in labels),
    )
