"""What temperature does to the answers, how much of it is chance, and why."""

import pandas as pd

from evaluate.analysis import flips
from evaluate.facts import Facts
from evaluate.findings import temperature_sentences
from evaluate.lines import lines_of
from evaluate.report import Block, Bullets, Note, Paragraph, Section, Table
from evaluate.sections.pictures import expectation_figure, margin_figure
from evaluate.sections.tables import table_of
from evaluate.statistics import expected_accuracy, seed_spread
from evaluate.table import percent
from evaluate.words import difference, number


def temperature_section(facts: Facts) -> Section | None:
    """Give what the highest temperature does against the lowest, and the check of the draws."""
    if not facts.temperatures:
        return None
    blocks: list[Block] = [
        Paragraph(
            text="Drawing from a distribution over labels at a temperature above 0 gives away some "
            "of what the most probable label gets right: the nearer two labels are, the more often "
            "a draw takes the other one. How much that costs follows from the probabilities "
            "without any draw; the draws below are real, and check it."
        )
    ]
    sentences = temperature_sentences(facts)
    if sentences:
        blocks += [Bullets(items=tuple(sentences)), effects_table(facts)]
    blocks += [margin_figure(facts), flip_table(facts), expectation_figure(facts)]
    blocks += [check_note(facts), spread_table(facts)]
    return Section(title="What temperature does", anchor="temperature", blocks=tuple(blocks))


def effects_table(facts: Facts) -> Table:
    """Give the effect of the highest temperature against the lowest on every prompt."""
    low, high = facts.temperatures[0], facts.temperatures[-1]
    return table_of(
        "temperature",
        f"Accuracy at {high:g} less accuracy at {low:g}, with 95 % paired bootstrap intervals over "
        "the examples. In choose both accuracies are the expected ones, in closed form; in "
        "generate they are means over the seeds. The intervals are not adjusted for their number.",
        ("model", "prompt", "decoding"),
        ("n", f"accuracy % at {low:g}", f"accuracy % at {high:g}", "difference, points"),
        (
            (
                line.model,
                line.prompt,
                line.decoding,
                f"{line.n:,}",
                percent(line.accuracy_a),
                percent(line.accuracy_b),
                difference(line.difference, line.low, line.high),
            )
            for line in lines_of(facts.effects)
        ),
    )


def flip_table(facts: Facts) -> Table:
    """Give how answers move from temperature 0, or the lowest one in generate, to the highest."""
    low, high = facts.temperatures[0], facts.temperatures[-1]
    found = flips(facts.rows, 0.0, high)
    found = found[found["decoding"] == "choose"].assign(change=f"0 to {high:g}")
    if len(facts.temperatures) > 1:
        more = flips(facts.rows, low, high).assign(change=f"{low:g} to {high:g}")
        found = pd.concat([found, more])
    return table_of(
        "flips",
        "How answers to the same example move between two temperatures, draw by draw with the same "
        "seed. Agreement is the share of equal answers.",
        ("model", "prompt", "decoding", "from, to"),
        ("pairs", "agreement %", "right to wrong", "wrong to right", "wrong to other wrong"),
        (
            (
                line.model,
                line.prompt,
                line.decoding,
                line.change,
                f"{line.n:,}",
                percent(line.same / line.n),
                str(line.right_to_wrong),
                str(line.wrong_to_right),
                str(line.wrong_to_other_wrong),
            )
            for line in lines_of(found)
        ),
    )


def check_note(facts: Facts) -> Note:
    """Say in how many cells the draws agree with the closed form."""
    cells = facts.cells
    n, inside, sharp = len(cells), int(cells["inside"].sum()), int(cells["inside_redraws"].sum())
    return Note(
        text=f"In {inside} of {n} cells (model, prompt, temperature, seed) the accuracy expected "
        f"in closed form lies in the 95 % Wilson interval of the sampled one. In {sharp} of {n} it "
        "lies within 1.96 standard deviations of redraws of the same examples, which is the "
        "sharper check: about 95 % are to be expected there."
    )


def spread_table(facts: Facts) -> Table:
    """Give how far the seeds of the draws move each accuracy."""
    return table_of(
        "seeds",
        "Spread over the seeds of the draws: mean, standard deviation, least and greatest accuracy "
        "in points of a hundred. Beside it the standard deviation that redraws must have, in "
        "closed form. It says how far chance moves a result on these examples, not how far the "
        "result is known.",
        ("model", "prompt", "decoding"),
        ("T", "seeds", "mean", "sd", "least", "greatest", "sd in closed form"),
        _spreads(facts),
    )


def _spreads(facts: Facts) -> list[tuple[str, ...]]:
    """Give the lines of `spread_table`, in the order of the summary."""
    rows = facts.rows
    lines: list[tuple[str, ...]] = []
    for one in lines_of(facts.summary):
        if one.decoding == "classifier" or one.temperature == 0:
            continue
        drawn = rows[
            (rows["model"] == one.model)
            & (rows["prompt"] == one.prompt)
            & (rows["decoding"] == one.decoding)
            & (rows["temperature"] == one.temperature)
            & (rows["outcome"] != "lm_error")
        ]
        if len(drawn) == 0:
            continue
        spread = seed_spread(drawn.groupby("seed")["correct"].mean().tolist())
        first = drawn[drawn["seed"] == drawn["seed"].min()]["p_correct"]
        known = one.decoding == "choose"
        sd = expected_accuracy(first.to_numpy()).sd if known else float("nan")
        lines.append(
            (
                one.model,
                one.prompt,
                one.decoding,
                f"{one.temperature:g}",
                str(spread.n),
                percent(spread.mean),
                number(100 * spread.sd, 2),
                percent(spread.least),
                percent(spread.greatest),
                number(100 * sd, 2),
            )
        )
    return lines
