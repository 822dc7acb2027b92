"""What an answer costs: tokens and seconds."""

from evaluate.facts import Facts
from evaluate.report import Paragraph, Section, Table
from evaluate.run_record import TimingRecord
from evaluate.sections.tables import table_of
from evaluate.words import number

_WAYS = {"choose": "choose", "generate": "generate", "think": "reason, then both"}


def cost_section(facts: Facts) -> Section:
    """Give the tokens and the time of every prompt."""
    return Section(
        title="What it costs",
        anchor="cost",
        blocks=(
            Paragraph(
                text="Tokens in are those of a whole prompt with its input. The part that all "
                "inputs share, such as the examples, is run once, so a long prompt costs little "
                "more than a short one; in choose all temperatures and seeds come from one pass. "
                f"Times are those of this run on: {facts.evaluation.run.machine}. Where tokens "
                "were taken from an earlier run no time is given."
            ),
            cost_table(facts),
        ),
    )


def cost_table(facts: Facts) -> Table:
    """Give tokens and seconds by model, prompt and way of asking."""
    return table_of(
        "cost",
        "Mean tokens of an answer, and the seconds of this run.",
        ("model", "prompt", "way"),
        ("tokens in", "tokens out", "answers", "seconds", "answers a second"),
        (_line(facts, taken) for taken in facts.evaluation.run.timings),
    )


def _line(facts: Facts, taken: TimingRecord) -> tuple[str, ...]:
    rows = facts.rows
    mine = rows[(rows["model"] == taken.model) & (rows["prompt"] == taken.prompt)]
    if taken.decoding != "think":
        mine = mine[mine["decoding"] == taken.decoding]
    mine = mine[mine["outcome"] != "lm_error"]
    return (
        taken.model,
        taken.prompt,
        _WAYS.get(taken.decoding, taken.decoding),
        number(mine["n_input_tokens"].mean(), 0),
        number(mine["n_output_tokens"].mean(), 1),
        f"{taken.n_answers:,}",
        number(taken.seconds, 0) if taken.is_measured else "-",
        number(taken.n_answers / taken.seconds, 1) if taken.is_measured else "-",
    )
