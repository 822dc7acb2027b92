"""Statistics of a held-out evaluation: intervals, paired tests, calibration and sample sizes.

    from evaluate.statistics import holm, mcnemar, paired_bootstrap

    low, high = paired_bootstrap(accuracy_of_a, accuracy_of_b, seed=0)
    p = mcnemar(n_only_a=31, n_only_b=14).mid_p
    adjusted = holm([p, 0.2, 0.004])

This is the public surface. Everything takes plain numbers and arrays; which rows they come from is
the caller's business. The Wilson interval itself is `modules.wilson`.
"""

from evaluate.statistics.agreement import Agreement, agreement
from evaluate.statistics.bootstrap import bootstrap_mean, paired_bootstrap
from evaluate.statistics.expected import (
    Check,
    Expected,
    check_sampled,
    expected_accuracy,
    tempered,
)
from evaluate.statistics.holm import holm
from evaluate.statistics.mcnemar import McNemar, mcnemar
from evaluate.statistics.newcombe import newcombe
from evaluate.statistics.power import (
    mcnemar_power,
    n_for_difference,
    smallest_difference,
)
from evaluate.statistics.precision import n_for_half_width
from evaluate.statistics.reliability import Bin, calibration_error, reliability_bins
from evaluate.statistics.scores import brier_score, log_loss
from evaluate.statistics.seeds import Spread, seed_spread

__all__ = [
    "Agreement",
    "Bin",
    "Check",
    "Expected",
    "McNemar",
    "Spread",
    "agreement",
    "bootstrap_mean",
    "brier_score",
    "calibration_error",
    "check_sampled",
    "expected_accuracy",
    "holm",
    "log_loss",
    "mcnemar",
    "mcnemar_power",
    "n_for_difference",
    "n_for_half_width",
    "newcombe",
    "paired_bootstrap",
    "reliability_bins",
    "seed_spread",
    "smallest_difference",
    "tempered",
]
