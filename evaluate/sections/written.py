"""Written answers: how many cannot be read, and what they say instead."""

from evaluate.analysis import invalid_beginnings
from evaluate.facts import Facts
from evaluate.lines import lines_of
from evaluate.report import Paragraph, Section, Table
from evaluate.sections.tables import table_of
from evaluate.table import percent


def written_section(facts: Facts) -> Section | None:
    """Give the invalid answers; None where nothing was written."""
    n = facts.evaluation.run.plan.n_generated
    written = facts.rows[facts.rows["decoding"] == "generate"]
    if len(written) == 0:
        return None
    n_invalid = int((written["outcome"] == "invalid").sum())
    return Section(
        title="What is written instead of an answer",
        anchor="written",
        blocks=(
            Paragraph(
                text=f"The first {n:,} examples of the sample, whose order is random, were also "
                f"answered in writing, {len(written):,} answers in all; {n_invalid:,} of them "
                "name no label, or several. They are wrong in every accuracy and are shown here, "
                "never put down to a default label."
            ),
            invalid_table(facts),
        ),
    )


def invalid_table(facts: Facts) -> Table:
    """Give the most frequent beginnings of unreadable answers."""
    return table_of(
        "invalid",
        "The most frequent beginnings of answers that cannot be read, at most three for each "
        "configuration, with one example.",
        ("model", "prompt", "begins with", "for example"),
        ("T", "answers", "invalid %", "begin so"),
        (
            (
                line.model,
                line.prompt,
                line.beginning,
                line.text,
                f"{line.temperature:g}",
                f"{line.n_rows:,}",
                percent(line.n_invalid / line.n_rows),
                f"{line.n:,}",
            )
            for line in lines_of(invalid_beginnings(facts.rows, k=3))
        ),
    )
