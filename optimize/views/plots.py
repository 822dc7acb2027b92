"""The plots of a study: how the search went, and which dimensions mattered."""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution
from optuna.importance import FanovaImportanceEvaluator, get_param_importances
from optuna.trial import TrialState, create_trial

from modules.files import atomic_path
from optimize.race.record import TrialRecord

_MIN_TRIALS = 8
_TREES = 64


def save_plots(
    trials: Sequence[TrialRecord], dimensions: Mapping[str, Sequence[Any]], stem: Path
) -> list[Path]:
    """Draw a study's history and the importance of its dimensions, as `<stem>.<plot>.png`.

    Args:
        trials: the finished trials in the order of their slots; fewer than 8 have no importance.
        dimensions: the values of every dimension.
        stem: the path without the ending; its folder exists.

    Returns:
        The files that were written.
    """
    ran = [trial for trial in trials if not trial.skipped]
    if not ran:
        return []
    paths = [_history(ran, stem.with_name(f"{stem.name}.history.png"))]
    importance = importances(ran, dimensions)
    if importance:
        paths.append(_importance(importance, stem.with_name(f"{stem.name}.importance.png")))
    return paths


def importances(
    trials: Sequence[TrialRecord], dimensions: Mapping[str, Sequence[Any]]
) -> dict[str, float]:
    """Give each dimension's share of the variance of the loss, the greatest first.

    Functional ANOVA over random forests (Hutter, Hoos and Leyton-Brown 2014) as Optuna has it.
    Trials that were stopped early count with the loss on the examples that they saw. Empty for
    fewer than 8 trials, or where the loss never varies.
    """
    if len(trials) < _MIN_TRIALS or len({trial.loss for trial in trials}) < 2:
        return {}
    choices = {name: CategoricalDistribution(list(values)) for name, values in dimensions.items()}
    varied = {name for name in choices if len({repr(t.point.get(name)) for t in trials}) > 1}
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study()
    study.add_trials(
        create_trial(
            state=TrialState.COMPLETE,
            value=trial.loss,
            params={name: trial.point[name] for name in varied},
            distributions={name: choices[name] for name in varied},
        )
        for trial in trials
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        evaluator = FanovaImportanceEvaluator(n_trees=_TREES, seed=0)
        return dict(get_param_importances(study, evaluator=evaluator))


def _history(trials: Sequence[TrialRecord], path: Path) -> Path:
    """Draw every trial's loss against the tokens spent so far, and the best one's course."""
    plt = _pyplot()
    tokens = np.cumsum([trial.cost.tokens for trial in trials])
    loss = np.array([trial.loss for trial in trials])
    pruned = np.array([trial.pruned for trial in trials])
    best = np.minimum.accumulate(np.where(pruned, np.inf, loss))
    figure, axes = plt.subplots(figsize=(7.2, 4.0), layout="constrained")
    axes.scatter(tokens[pruned], loss[pruned], marker="x", s=22, c="0.6", label="stopped early")
    axes.scatter(tokens[~pruned], loss[~pruned], s=26, c="tab:blue", label="whole split")
    seen = np.isfinite(best)
    axes.step(tokens[seen], best[seen], where="post", c="tab:orange", label="best so far")
    axes.set_xlabel("forward tokens spent")
    axes.set_ylabel("cross-fitted log-loss on dev (nats)")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.set_ylim(top=min(float(loss.max()), float(np.median(loss)) * 1.6) * 1.05)
    axes.grid(alpha=0.25)
    axes.legend(frameon=False)
    return _save(plt, figure, path)


def _importance(importance: Mapping[str, float], path: Path) -> Path:
    """Draw each dimension's share of the loss's variance."""
    plt = _pyplot()
    names = [name.removeprefix("part_") for name in importance][::-1]
    shares = [100 * share for share in importance.values()][::-1]
    figure, axes = plt.subplots(figsize=(7.2, 0.6 + 0.3 * len(names)), layout="constrained")
    bars = axes.barh(names, shares, color="tab:blue")
    axes.bar_label(bars, fmt="%.0f %%", padding=3, fontsize=8)
    axes.set_xlabel("share of the variance of the loss (%)")
    axes.margins(x=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    return _save(plt, figure, path)


def _pyplot() -> Any:
    import matplotlib  # a second that a search without plots need not take

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    return plt


def _save(plt: Any, figure: Any, path: Path) -> Path:
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=120, format="png", metadata={"Software": None})
    plt.close(figure)
    return path
