"""How often each model is right under each prompt, and which differences are established."""

from evaluate.comparisons import LEVEL
from evaluate.facts import Facts
from evaluate.lines import lines_of
from evaluate.report import Paragraph, Section, Table
from evaluate.sections.pictures import accuracy_figure
from evaluate.sections.tables import table_of
from evaluate.table import percent
from evaluate.words import difference, number, p_value, points


def accuracy_section(facts: Facts) -> Section:
    """Give the main table, its picture, and the paired comparisons."""
    return Section(
        title="How often the answers are right",
        anchor="accuracy",
        blocks=(
            Paragraph(
                text="In choose the model scores the label words and the label is drawn from that "
                "distribution; at temperature 0 it is the most probable one, and no answer can be "
                "invalid. In generate the model writes text, which is parsed; a text that names no "
                "label, or several, is invalid and counts as wrong. Intervals are 95 % Wilson, at "
                "the number of distinct examples however often each was drawn."
            ),
            accuracy_figure(facts),
            accuracy_table(facts),
            comparison_table(facts),
        ),
    )


def accuracy_table(facts: Facts) -> Table:
    """Give the accuracy of every configuration."""
    return table_of(
        "accuracy",
        "Accuracy of every configuration on the held-out sample. p(gold) is the mean probability "
        "of the right label at temperature 1.",
        ("model", "prompt", "decoding"),
        ("T", "examples", "seeds", "accuracy %", "95 % interval", "invalid %", "errors", "p(gold)"),
        (
            (
                line.model,
                line.prompt,
                line.decoding,
                f"{line.temperature:g}",
                f"{line.n_examples:,}",
                str(line.seeds),
                percent(line.accuracy),
                f"{percent(line.low)} to {percent(line.high)}",
                percent(line.invalid),
                str(line.n_errors),
                number(line.p_gold, 2),
            )
            for line in lines_of(facts.summary)
        ),
    )


def comparison_table(facts: Facts) -> Table:
    """Give the paired comparisons."""
    n = len(facts.comparisons)
    return table_of(
        "comparisons",
        "Paired comparisons at temperature 0, on the same examples. Intervals are 95 % paired "
        "bootstrap (10,000 resamples, seeded); p is McNemar's exact test, mid-p beside it; "
        f"adjusted is Holm's over all {n} lines, and a difference is called established at "
        f"{LEVEL:g}. Detectable is the difference that such a test finds with a power of 80 %.",
        ("first", "second"),
        (
            "n",
            "difference, points",
            "only first right",
            "only second right",
            "p",
            "mid-p",
            "adjusted p",
            "detectable, points",
            "established",
        ),
        (
            (
                _name(line.model_a, line.prompt_a),
                _name(line.model_b, line.prompt_b),
                f"{line.n:,}",
                difference(line.difference, line.low, line.high),
                str(line.n_only_a),
                str(line.n_only_b),
                p_value(line.exact),
                p_value(line.mid_p),
                p_value(line.adjusted),
                points(line.detectable).lstrip("+"),
                "yes" if line.adjusted <= LEVEL else "no",
            )
            for line in lines_of(facts.comparisons)
        ),
    )


def _name(model: str, prompt: str) -> str:
    return model if prompt == "-" else f"{model}, {prompt}"
