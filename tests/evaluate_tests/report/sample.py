"""Reports for the tests of this folder: a realistic one, and one with a text in every place."""

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
)
from tests.evaluate_tests.report.pictures import (
    MODELS,
    PROMPTS,
    SVG,
    draw_bars,
    draw_heat,
    draw_lines,
    drawn,
    tiny_png,
)

_TEXT = (
    "I went in with low expectations and came out with none left. The first hour is handsome and "
    "slow; the second is only slow. Still, the two leads find something true in a script that "
    "does not deserve them, and the last scene, shot in one take, is the best thing that this "
    "director has done in ten years."
)
_PROMPT = (
    "<|system|>\nYou judge film reviews.<|end|>\n<|user|>\nDecide whether the writer of a review "
    "liked the film.\nAnswer with one word: positive or negative.\n\n"
    + "".join(f"Review: {_TEXT}\nSentiment: positive\n\n" for _ in range(4))
    + "Review: {input}\nSentiment:<|end|>\n<|assistant|>\n"
)


def hostile(text: str) -> Report:
    """Give a report with the text in every place that takes one."""
    table = Table(
        name="table",
        caption=text,
        columns=(Column(name=text), Column(name=text, is_number=True)),
        rows=((text, text), ("plain", "1.5")),
    )
    figure = Figure(name="figure", caption=text, alt=text, light=SVG, dark=SVG, png=tiny_png())
    example = Example(heading=text, text=text, facts=((text, text),))
    section = Section(
        title=text,
        anchor="all",
        blocks=(
            Paragraph(text=text),
            Bullets(items=(text, text)),
            Note(text=text),
            Note(text=text, kind="alarm"),
            table,
            figure,
            Code(caption=text, text=text),
            example,
        ),
    )
    return Report(
        title=text, lead=(Paragraph(text=text), Bullets(items=(text,))), sections=(section,)
    )


def realistic(review: str = _TEXT) -> Report:
    """Give a report as long and as wide as a real one; `review` stands in one of its examples."""
    lead = (
        Paragraph(
            text="Two small models read 1,000 held-out reviews with five prompts at temperatures "
            "0, 0.2 and 0.8. Every number below comes with its 95 % interval."
        ),
        Bullets(
            items=(
                "Best of all: Phi-3-mini with its frozen prompt, 94.1 % [92.5, 95.4] right at "
                "temperature 0.",
                "The frozen prompt beats the naive one on both models (+4.2 and +11.8 points, "
                "Holm-adjusted p < 0.001).",
                "Temperature 0.8 costs Phi-3-mini 0.9 points [0.2, 1.7] and Qwen2 3.4 points.",
                "Price: 412 tokens read for each review, 1 written; 0.21 s on this machine.",
            )
        ),
        Note(
            text="Reviews of 1,000 words and more are rare here: what is said of them rests on 31."
        ),
    )
    return Report(
        title="Sentiment of film reviews: two small models compared",
        lead=lead,
        sections=(
            _results(),
            _temperature(),
            _calibration(),
            _mistakes(review),
            _prompts(),
            _how(),
        ),
    )


def _results() -> Section:
    numbers = ("T", "examples", "seeds", "accuracy % [95 % CI]", "invalid %", "errors")
    numbers += ("p(gold) %", "tokens in", "tokens out")
    columns = (*map(_words, ("model", "prompt", "decoding")), *map(_numbers, numbers))
    rows = tuple(
        (model, prompt, "choose", t, *_scores(81.3 + 3 * i - float(t), 80 + 112.5 * i))
        for model in MODELS
        for i, prompt in enumerate(PROMPTS)
        for t in ("0", "0.8")
    )
    return Section(
        title="Which prompt, which model",
        anchor="results",
        blocks=(
            Paragraph(text="Accuracy is the share of reviews answered with the right label."),
            Table(
                name="accuracy", caption="Accuracy on the test split", columns=columns, rows=rows
            ),
            drawn("accuracy", "Held-out accuracy, with 95 % Wilson intervals", draw_lines),
            _table("baselines", "What a prompt has to beat", 5, 4),
            drawn(
                "transfer", "Each model's frozen prompt on every other model", draw_heat, (4.2, 3.6)
            ),
        ),
    )


def _temperature() -> Section:
    return Section(
        title="What temperature changed",
        anchor="temperature",
        blocks=(
            Paragraph(text="A draw flips where the two labels are close. " * 4),
            Note(
                kind="alarm", text="Qwen2, prompt naive, is below chance: are the labels inverted?"
            ),
            drawn("flips", "Share of answers that flip, by margin between the labels", draw_lines),
            _table("flips", "Flips between temperatures", 4, 6),
            _table("expected", "Expected and sampled accuracy", 6, 9),
        ),
    )


def _calibration() -> Section:
    return Section(
        title="How sure the models are",
        anchor="calibration",
        blocks=(
            drawn("reliability", "Confidence against accuracy", draw_bars, (4.2, 3.6)),
            drawn("margins", "Margin between the labels", draw_bars, (4.2, 3.6)),
            _table("calibration", "Expected calibration error and Brier score", 4, 5),
            drawn("lengths", "Accuracy by the length of a review", draw_lines),
        ),
    )


def _mistakes(review: str) -> Section:
    facts = (("gold", "negative"), ("naive", "positive"), ("frozen", "positive"), ("words", "57"))
    return Section(
        title="Where they fail",
        anchor="mistakes",
        blocks=(
            Bullets(items=("31 reviews are missed by every prompt.", "12 of them are irony.")),
            _table("confusion", "Confusion matrix of the frozen prompts", 2, 3),
            _table("ratings", "Accuracy by the rating of a review", 10, 4),
            Example(heading="Missed by all prompts", text=review, facts=facts),
            Example(heading="A long one", text=f"{_TEXT} " * 40, facts=facts),
            Example(heading="From right to left", text="פילם נהדר, 10/10! מומלץ.", facts=facts[:2]),
        ),
    )


def _prompts() -> Section:
    return Section(
        title="The prompts as the models read them",
        anchor="prompts",
        blocks=(
            Paragraph(text="Special tokens are shown as text; {input} stands for the review."),
            *(Code(caption=f"frozen, {model}", text=_PROMPT) for model in MODELS),
            Code(caption="naive, both models", text="Review: {input}\nSentiment:"),
        ),
    )


def _how() -> Section:
    command = "python -m evaluate --task imdb --models phi-3-mini qwen2-1.5b --temperatures 0.2 0.8"
    return Section(
        title="How to run this again",
        anchor="again",
        blocks=(
            Code(caption="The whole comparison", text=f"{command} --out runs/evaluation/imdb"),
            _table("machine", "Machine and versions", 5, 2),
        ),
    )


def _scores(accuracy: float, n_tokens: float) -> tuple[str, ...]:
    interval = f"{accuracy:.1f} [{accuracy - 2.2:.1f}, {accuracy + 1.9:.1f}]"
    return ("1,000", "3", interval, "0.2", "0", f"{accuracy - 3:.1f}", f"{n_tokens:.1f}", "1.0")


def _words(name: str) -> Column:
    return Column(name=name)


def _numbers(name: str) -> Column:
    return Column(name=name, is_number=True)


def _table(name: str, caption: str, n_rows: int, n_columns: int) -> Table:
    return Table(
        name=name,
        caption=caption,
        columns=(_words("what"), *(_numbers(f"measure {i}") for i in range(1, n_columns))),
        rows=tuple(
            (f"row {r}", *(f"{90 - 3.1 * c - r:.1f}" for c in range(1, n_columns)))
            for r in range(1, n_rows + 1)
        ),
    )
