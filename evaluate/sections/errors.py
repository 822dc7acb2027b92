"""Where it goes wrong: confusions, lengths, ratings, what all miss, and where the models part."""

from itertools import combinations

from evaluate.analysis import disagreements, missed_by_all
from evaluate.analysis.misses import Misses
from evaluate.analysis.selection import FROZEN
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
    """Say how much every prompt of every model gets wrong; show what all frozen ones do."""
    everything = missed_by_all(facts.rows, facts.examples)
    found = missed_by_all(facts.rows[facts.rows["prompt"] == FROZEN], facts.examples)
    n = len(found.missed)
    said = (
        f"{_all_miss(everything, 'all combinations of model and prompt')} "
        f"{_all_miss(found, 'every model with its frozen prompt')}"
    )
    if n > 0:
        said += (
            " What all of them miss is hard for other reasons than the prompt, or labelled "
            "wrongly; the most confidently missed come first."
        )
    shown = lines_of(found.missed.head(N_SHOWN))
    return [
        Paragraph(text=said),
        *(
            Example(
                heading=f"Missed with every frozen prompt, {place + 1} of {n}",
                text=one.text,
                facts=(
                    ("gold", one.gold),
                    ("most answered", one.answer if isinstance(one.answer, str) else "nothing"),
                    ("mean confidence in the wrong answer", f"{percent(one.confidence)} %"),
                    ("words", f"{one.n_words:,}"),
                    *_rating(one.rating),
                ),
            )
            for place, one in enumerate(shown)
        ),
    ]


def _all_miss(found: Misses, who: str) -> str:
    """Say how many examples all of some configurations miss, beside what chance would give."""
    return (
        f"At temperature 0, {counted(len(found.missed), 'example')} of {found.n_examples:,} are "
        f"missed by {who} ({found.n_configurations}); if they erred independently, "
        f"{number(found.expected, 1)} would be expected."
    )


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
                heading=f"{a} and {b} part, {place + 1} of {n}",
                text=line.text,
                facts=(
                    ("gold", line.gold),
                    (one, f"{line.answer_a} ({percent(line.confidence_a)} %)"),
                    (other, f"{line.answer_b} ({percent(line.confidence_b)} %)"),
                    ("words", f"{line.n_words:,}"),
                    *_rating(line.rating),
                ),
            )
            for place, line in enumerate(shown)
        ),
    ]


def _agreement(facts: Facts, one: str, other: str) -> str:
    """Say how far two models agree, beyond what chance gives."""
    cold = facts.cold
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
