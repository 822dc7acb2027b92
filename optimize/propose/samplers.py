"""Optuna's samplers as functions: from the trials on record to the next point.

A sampler is asked in a study of its own, in memory, that holds the trials it may know of. So what
it proposes follows from those trials and the seed alone, however many processes share the search.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import optuna
from optuna.distributions import CategoricalDistribution
from optuna.samplers import BaseSampler, GPSampler, NSGAIISampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, create_trial

STARTUP_TRIALS = 12
_POPULATION = 12

SAMPLERS: Mapping[str, Callable[[int], BaseSampler]] = {
    "tpe": lambda seed: TPESampler(seed=seed, multivariate=True, n_startup_trials=STARTUP_TRIALS),
    "gp": lambda seed: GPSampler(seed=seed, n_startup_trials=STARTUP_TRIALS),
    "random": lambda seed: RandomSampler(seed=seed),
    "nsga2": lambda seed: NSGAIISampler(seed=seed, population_size=_POPULATION),
}
"""By name: a tree of Parzen estimators, a Gaussian process, chance, and the Pareto front's."""

PARETO = ("nsga2",)
"""The samplers that weigh the loss against the prompt's length."""


def directions(sampler: str) -> list[Literal["minimize", "maximize"]]:
    """Give what a study by a sampler minimises: the loss, and for a Pareto front the tokens too."""
    return ["minimize", "minimize"] if sampler in PARETO else ["minimize"]


def sample(
    name: str,
    dimensions: Mapping[str, Sequence[Any]],
    trials: Sequence[FrozenTrial],
    seed: int,
    slot: int,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Ask a sampler for a point.

    Args:
        name: a key of `SAMPLERS`.
        dimensions: the values of every dimension.
        trials: finished trials of the study, in the order of their slots.
        seed: the search's seed.
        slot: the place of the trial that is asked for; with the seed it fixes all chance.

    Returns:
        The point, and what the sampler wants to find on the trial again (Optuna's system
        attributes).
    """
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        sampler = SAMPLERS[name](mixed_seed(seed, slot))
        study = optuna.create_study(sampler=sampler, directions=directions(name))
        study.add_trials([_copied(trial, dimensions) for trial in trials])
        trial = study.ask({name: _choice(values) for name, values in dimensions.items()})
    (asked,) = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,))
    return dict(trial.params), dict(asked.system_attrs)


def mixed_seed(seed: int, slot: int) -> int:
    """Mix a seed of any sign with a slot into 32 bits."""
    return int(np.random.SeedSequence([abs(seed), int(seed < 0), slot]).generate_state(1)[0])


def _copied(trial: FrozenTrial, dimensions: Mapping[str, Sequence[Any]]) -> FrozenTrial:
    return create_trial(
        state=trial.state,
        values=trial.values,
        params=trial.params,
        distributions={name: _choice(dimensions[name]) for name in trial.params},
        user_attrs=trial.user_attrs,
        system_attrs=trial.system_attrs,
        intermediate_values=trial.intermediate_values,
    )


def _choice(values: Sequence[Any]) -> CategoricalDistribution:
    return CategoricalDistribution(list(values))
