"""The report's figures: each picture with its caption, and in words for those who cannot see it."""

import pandas as pd

from evaluate import figures
from evaluate.analysis import by_confidence, by_length, by_rating, confusion, margin_flips
from evaluate.analysis.selection import FROZEN
from evaluate.facts import Facts
from evaluate.figures import Picture
from evaluate.report import Figure
from evaluate.statistics import reliability_bins
from evaluate.table import clean, percent
from evaluate.words import listed


def accuracy_figure(facts: Facts) -> Figure:
    """Show the accuracy of every configuration."""
    best = [
        f"{clean(model)} {percent(line.accuracy)} %"
        for model in facts.models
        if (line := facts.frozen_line(model)) is not None
    ]
    return _figure(
        "accuracy",
        figures.accuracy(facts.summary, chance=1 / len(facts.labels)),
        "Held-out accuracy by model, prompt, decoding and temperature, with 95 % Wilson "
        "intervals. Vertical lines are the baselines.",
        f"Dots with intervals, one row a prompt. With the frozen prompt at temperature 0: "
        f"{listed(best) if best else 'none'}.",
    )


def expectation_figure(facts: Facts) -> Figure:
    """Show sampled accuracies beside the closed form."""
    cells = facts.cells
    return _figure(
        "expectation",
        figures.expectation(cells),
        "Every cell's sampled accuracy with its 95 % Wilson interval against the accuracy that "
        "the labels' probabilities make it have.",
        f"Points along the diagonal; {int(cells['inside'].sum())} of {len(cells)} intervals hold "
        "the expectation.",
    )


def margin_figure(facts: Facts) -> Figure:
    """Show how often an answer flips, by the margin between the labels."""
    bins = margin_flips(facts.rows)
    return _figure(
        "margins",
        figures.margins(bins[bins["prompt"].isin(["naive", FROZEN])]),
        "Why temperature changes answers: the share of drawn labels that differ from the most "
        "probable one, by the margin between the two most probable labels, with the closed form "
        "as a line. Naive and frozen prompts.",
        "Falling curves: with a small margin up to half of the draws flip, with a large one "
        "hardly any.",
    )


def shrinkage_figure(facts: Facts) -> Figure:
    """Show each frozen prompt on dev, confirm and test."""
    lines = []
    for run in facts.evaluation.run.models:
        for split in ("dev", "confirm"):
            score = run.scores[split]
            lines.append((run.model.name, split, score.accuracy, score.low, score.high))
        line = facts.frozen_line(run.model.name)
        if line is not None:
            lines.append((run.model.name, "test", line.accuracy, line.low, line.high))
    frame = pd.DataFrame(lines, columns=["model", "split", "accuracy", "low", "high"])
    return _figure(
        "shrinkage",
        figures.shrinkage(frame),
        "The frozen prompts on dev, confirm and test, with 95 % Wilson intervals.",
        "One line a model over the three splits.",
    )


def transfer_figure(facts: Facts) -> Figure:
    """Show every model under every frozen prompt."""
    return _figure(
        "transfer",
        figures.transfer(facts.transfer),
        "Accuracy at temperature 0 by the model that answers (rows) and the model that the prompt "
        "was frozen for (columns); a model's own prompt has a frame.",
        "A heat map with an accuracy and its interval in every cell; the same numbers stand in "
        "the table below.",
    )


def reliability_figure(facts: Facts) -> Figure:
    """Show accuracy against confidence for the naive and the frozen prompts."""
    return _figure(
        "reliability",
        figures.reliability(_bins(facts)),
        "Are answers that are given with a confidence right as often as it says? Accuracy by "
        "confidence at temperature 0 with 95 % Wilson intervals; on the diagonal it is. Bars show "
        "how many answers a bin holds.",
        "One diagram a model and prompt, accuracy over confidence beside the diagonal.",
    )


def confusion_figure(facts: Facts) -> Figure:
    """Show which label is taken for which under the naive and the frozen prompts."""
    cold = facts.cold
    matrices = {
        (model, prompt): confusion(part, facts.labels)
        for model in facts.models
        for prompt in ("naive", FROZEN)
        if len(part := cold[(cold["model"] == model) & (cold["prompt"] == prompt)]) > 0
    }
    return _figure(
        "confusion",
        figures.confusions(matrices),
        "Which label is taken for which at temperature 0: gold labels in rows, answers in columns.",
        "One matrix of counts a model and prompt.",
    )


def length_figure(facts: Facts) -> Figure:
    """Show the accuracy by length."""
    slices = by_length(facts.rows, facts.examples)
    return _figure(
        "length",
        figures.slices_by_length(slices[slices["prompt"].isin(["naive", FROZEN])]),
        "Accuracy by length of the text in words, at temperature 0, with 95 % Wilson intervals.",
        "Lines over the length bins, one a model, for the naive and the frozen prompts.",
    )


def confidence_figure(facts: Facts) -> Figure:
    """Show the accuracy by confidence."""
    slices = by_confidence(facts.rows)
    return _figure(
        "confidence",
        figures.slices_by_confidence(slices[slices["prompt"].isin(["naive", FROZEN])]),
        "Accuracy by confidence in the most probable label, at temperature 0.",
        "Lines over the confidence bins, one a model, for the naive and the frozen prompts.",
    )


def rating_figure(facts: Facts) -> Figure | None:
    """Show the accuracy by rating; None for a task without ratings."""
    if facts.examples["rating"].isna().all():
        return None
    slices = by_rating(facts.rows, facts.examples)
    return _figure(
        "rating",
        figures.slices_by_rating(slices[slices["prompt"].isin(["naive", FROZEN])]),
        "Accuracy by the distance of the crowd's rating from neutral, at temperature 0.",
        "Lines over the distance, one a model, for the naive and the frozen prompts.",
    )


def _bins(facts: Facts) -> pd.DataFrame:
    """Give the bins of the reliability diagrams."""
    cold = facts.cold
    lines = []
    for model in facts.models:
        for prompt in ("naive", FROZEN):
            part = cold[(cold["model"] == model) & (cold["prompt"] == prompt)]
            for one in reliability_bins(part["confidence"].to_numpy(), part["correct"].tolist()):
                ends = (one.low, one.high, one.n, one.confidence, one.accuracy)
                lines.append((model, prompt, *ends, one.interval.low, one.interval.high))
    names = ["model", "prompt", "left", "right", "n", "confidence", "accuracy", "low", "high"]
    return pd.DataFrame(lines, columns=names)


def _figure(name: str, picture: Picture, caption: str, alt: str) -> Figure:
    return Figure(
        name=name,
        caption=caption,
        alt=alt,
        light=picture.light_svg,
        dark=picture.dark_svg,
        png=picture.png,
    )
