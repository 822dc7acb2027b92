"""Whether the models know how sure they are."""

import numpy as np

from evaluate.facts import Facts
from evaluate.report import Paragraph, Section, Table
from evaluate.sections.pictures import confidence_figure, reliability_figure
from evaluate.sections.tables import table_of
from evaluate.statistics import brier_score, calibration_error, log_loss, reliability_bins
from evaluate.table import percent
from evaluate.words import number


def confidence_section(facts: Facts) -> Section:
    """Give calibration errors, proper scores, and accuracy by confidence."""
    return Section(
        title="How sure the answers are",
        anchor="confidence",
        blocks=(
            Paragraph(
                text="The confidence of an answer is the probability of its label at temperature "
                "1, with the prompt's calibration in it. A label bias corrects how often each "
                "label is said, not how sure the model is; other words, where they are weighed, "
                "correct both. Confidence has to be read against accuracy."
            ),
            reliability_figure(facts),
            scores_table(facts),
            confidence_figure(facts),
        ),
    )


def scores_table(facts: Facts) -> Table:
    """Give ECE, Brier score and log-loss of every model and prompt."""
    k = len(facts.labels)
    return table_of(
        "calibration",
        "Confidence at temperature 0 in choose. ECE: expected calibration error over 10 bins of "
        f"equal width. Brier: sum over labels, 0 is best and guessing gives {1 - 1 / k:.2f}. "
        f"Log-loss in nats, guessing gives {np.log(k):.2f}.",
        ("model", "prompt"),
        ("n", "mean confidence %", "accuracy %", "ECE, points", "Brier", "log-loss"),
        _scores(facts),
    )


def _scores(facts: Facts) -> list[tuple[str, ...]]:
    cold = facts.cold
    cold = cold[cold["probabilities"].notna()]
    lines: list[tuple[str, ...]] = []
    for (model, prompt), part in cold.groupby(["model", "prompt"], sort=False):
        bins = reliability_bins(part["confidence"].to_numpy(), part["correct"].tolist())
        gold = [facts.labels.index(label) for label in part["gold"]]
        lines.append(
            (
                str(model),
                str(prompt),
                f"{len(part):,}",
                percent(part["confidence"].mean()),
                percent(part["correct"].mean()),
                number(100 * calibration_error(bins), 1),
                number(brier_score(np.array(part["probabilities"].tolist()), gold), 3),
                number(log_loss(part["p_gold"].to_numpy()), 3),
            )
        )
    return lines
