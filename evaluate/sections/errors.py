"""Where it goes wrong: confusions, lengths, ratings, what all miss, and where the models part."""

from itertools import combinations

from evaluate.analysis import disagreements, missed_by_all
from evaluate.analysis.selection import FROZEN, chosen_at_zero
from evaluate.facts import Facts
from evaluate.lines import lines_of
from evaluate.report import Block, Example, Paragraph, Section
from evaluate.sections.pictures import confusion_figure, length_figure, rating_figure
from evaluate.statistics import agreement
from evaluate.table import clean, percent
from evaluate.words import counted, number, share

N_SHOWN = 5
"""How many texts are shown of those that all miss, and of those on which two models part."""


def errors_section(facts: Facts) -> Section:
    """Give the confusion matrices, the slices, and the texts that are worth reading."""
    rating = rating_figure(facts)
    blocks: list[Block] = [confusion_figure(facts), length_figure(facts)]
    blocks += [] if rating is None else [rating]
    blocks += _missed(facts)
    for one, other in combinations(facts.models, 2):
        blocks += _parted(facts, one, other)
    return Section(title="Where it goes wrong", anchor="errors", blocks=tuple(blocks))


def _missed(facts: Facts) -> list[Block]:
    """Show what every prompt of every model gets wrong."""
    found = missed_by_all(facts.rows, facts.examples)
    n = len(found.missed)
    said = (
        f"{counted(n, 'example')} of {found.n_examples:,} are answered wrongly by all "
        f"{found.n_configurations} combinations of model and prompt at temperature 0; if they "
        f"erred independently, {number(found.expected, 2)} would be expected. Texts like these "
        "are hard for other reasons than the prompt, or labelled wrongly."
    )
    shown = lines_of(found.missed.head(N_SHOWN))
    return [
        Paragraph(text=said),
        *(
            Example(
                heading=f"Missed by all, {number + 1} of {n}",
                text=one.text,
                facts=(
                    ("gold", one.gold),
                    ("most answered", one.answer if isinstance(one.answer, str) else "nothing"),
                    ("mean confidence in the wrong answer", f"{percent(one.confidence)} %"),
                    ("words", f"{one.n_words:,}"),
                    *_rating(one.rating),
                ),
            )
            for number, one in enumerate(shown)
        ),
    ]


def _parted(facts: Facts, one: str, other: str) -> list[Block]:
    """Show where two models part, each with its own frozen prompt."""
    found = disagreements(facts.rows, facts.examples, one, other, FROZEN)
    n = len(found.differing)
    if found.n_examples == 0:
        return []
    a, b = clean(one), clean(other)
    said = (
        f"With their frozen prompts {a} and {b} answer {counted(n, 'example')} of "
        f"{found.n_examples:,} differently: {a} is right on {found.n_a_right:,} of them, {b} on "
        f"{found.n_b_right:,}, neither on {found.n_neither:,}. {_agreement(facts, one, other)}"
    )
    shown = lines_of(found.differing.head(N_SHOWN))
    return [
        Paragraph(text=said),
        *(
            Example(
                heading=f"{a} and {b} part, {number + 1} of {n}",
                text=line.text,
                facts=(
                    ("gold", line.gold),
                    (one, f"{line.answer_a} ({percent(line.confidence_a)} %)"),
                    (other, f"{line.answer_b} ({percent(line.confidence_b)} %)"),
                    ("words", f"{line.n_words:,}"),
                    *_rating(line.rating),
                ),
            )
            for number, line in enumerate(shown)
        ),
    ]


def _agreement(facts: Facts, one: str, other: str) -> str:
    """Say how far two models agree, beyond what chance gives."""
    cold = chosen_at_zero(facts.rows)
    cold = cold[cold["prompt"] == FROZEN]
    sides = [cold[cold["model"] == model].set_index("example_id") for model in (one, other)]
    common = sides[0].index.intersection(sides[1].index)
    first, second = (side.loc[common, "answer"].tolist() for side in sides)
    found = agreement(first, second, sides[0].loc[common, "gold"].tolist())
    return (
        f"They agree on {share(found.share, *found.interval)} (Cohen's kappa "
        f"{number(found.kappa, 2)}, where 0 is the agreement of chance and 1 is perfect)."
    )


def _rating(rating: float) -> tuple[tuple[str, str], ...]:
    """Give the rating as a fact, where there is one."""
    return () if rating != rating else (("rating", f"{rating:+.2f}"),)
