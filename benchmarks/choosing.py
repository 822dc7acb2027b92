"""How should the winner among the finalists be chosen? A simulation, without a model.

    python -m benchmarks.choosing

A search's prompts have true losses, drawn from a normal distribution. Each is seen through the mean
of n dev examples, the best few also through that of m confirm examples. Told is the mean true loss
of what is chosen, relative to the mean prompt and in standard deviations of the true losses: by dev
alone, by confirm alone, by the mean over all n + m examples, and what the best prompt has. With
normal losses the last rule is the posterior mean's, which no selection before it biases, so it
cannot be beaten; the simulation says by how much it leads at the sizes that are used here.

In a second one prompts come in families, as those with the same demos do: after one prompt of each
the search tries more of the family that looks best on dev. Members have nearly the same true loss,
and dev and confirm flatter them alike. Told is what the last rule chooses among the three best on
dev, the five best, and the three best with the two best of other families (`finalists.spread`).
"""

import argparse
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import save_result
from optimize.finish.finalists import MAX_FINALISTS, N_FINALISTS

Array = NDArray[np.float64]
Families = NDArray[np.int64]

SEED, REPEATS, N_PROMPTS = 0, 20_000, 30
SIZES = ((90, 50), (300, 300))
NOISES = (2.0, 3.5, 7.0, 10.0)
"""Standard deviation of one example's loss, without what is common to all prompts, in those of the
true losses; from little to more than a few hundred examples can average out."""

N_FAMILIES = 12
N_FURTHER = (2, 40)
"""Prompts that a small and a large budget add to the family that looks best."""
OWN = 0.1
"""The share of the variance, of true losses and of noise, that members of a family do not have in
common."""


def choose(true: Array, dev: Array, confirm: Array, n: int, m: int) -> dict[str, float]:
    """Give the mean true loss of each rule's choice; all [n_repeats, n_prompts]."""
    finalists = np.argsort(dev, axis=1)[:, :N_FINALISTS]
    true_f, dev_f, confirm_f = (
        np.take_along_axis(values, finalists, axis=1) for values in (true, dev, confirm)
    )
    rules = {"dev": dev_f, "confirm": confirm_f, "both": (n * dev_f + m * confirm_f) / (n + m)}
    rows = np.arange(len(true))
    told = {rule: float(true_f[rows, seen.argmin(axis=1)].mean()) for rule, seen in rules.items()}
    return told | {"the best prompt": float(true.min(axis=1).mean())}


def simulate(n: int, m: int, noise: float, rng: np.random.Generator) -> dict[str, float]:
    """Draw searches with n dev and m confirm examples, and choose in each."""
    true = rng.normal(size=(REPEATS, N_PROMPTS))
    dev = true + rng.normal(size=true.shape) * noise / np.sqrt(n)
    confirm = true + rng.normal(size=true.shape) * noise / np.sqrt(m)
    return choose(true, dev, confirm, n, m)


def simulate_families(
    n: int, m: int, noise: float, n_further: int, rng: np.random.Generator
) -> dict[str, float]:
    """Draw searches that add `n_further` prompts to one family; give each choice's mean loss."""
    scales = (1.0, noise / np.sqrt(n), noise / np.sqrt(m))
    common = [rng.normal(size=(REPEATS, N_FAMILIES)) for _ in scales]

    def members(of: Families) -> list[Array]:
        """Give true losses, and noise on dev and on confirm, of one member of each family."""
        own = [rng.normal(size=of.shape) for _ in scales]
        return [
            scale * (np.sqrt(1 - OWN) * np.take_along_axis(shared, of, axis=1) + np.sqrt(OWN) * one)
            for scale, shared, one in zip(scales, common, own, strict=True)
        ]

    one_each = np.tile(np.arange(N_FAMILIES), (REPEATS, 1))
    first = members(one_each)
    best = (first[0] + first[1]).argmin(axis=1)
    more = np.repeat(best[:, None], n_further, axis=1)
    both = zip(first, members(more), strict=True)
    true, on_dev, on_confirm = (np.concatenate(parts, axis=1) for parts in both)
    families = np.concatenate([one_each, more], axis=1)
    return choose_in_families(true, true + on_dev, true + on_confirm, families, n, m)


def choose_in_families(
    true: Array, dev: Array, confirm: Array, families: Families, n: int, m: int
) -> dict[str, float]:
    """Give the mean true loss of what both splits choose; all [n_repeats, n_prompts]."""
    order = dev.argsort(axis=1)
    families = np.take_along_axis(families, order, axis=1)
    seen = np.take_along_axis((n * dev + m * confirm) / (n + m), order, axis=1)
    true = np.take_along_axis(true, order, axis=1)
    place = np.broadcast_to(np.arange(true.shape[1]), true.shape)
    rules = {
        "three": place < N_FINALISTS,
        "five": place < MAX_FINALISTS,
        "three and two others": (place < N_FINALISTS) | other_families(families),
    }
    rows = np.arange(len(true))
    return {
        rule: float(true[rows, np.where(who, seen, np.inf).argmin(axis=1)].mean())
        for rule, who in rules.items()
    }


def other_families(families: Families) -> NDArray[np.bool_]:
    """Mark, behind the first three, the first two of families that none before them is of.

    Args:
        families: of prompts, the best on dev first, [n_repeats, n_prompts].
    """
    found = np.zeros(families.shape, dtype=bool)
    for at in range(N_FINALISTS, families.shape[1]):
        before = (families[:, :at] == families[:, at : at + 1]) & (
            found[:, :at] | (np.arange(at) < N_FINALISTS)
        )
        left = found.sum(axis=1) < MAX_FINALISTS - N_FINALISTS
        found[:, at] = ~before.any(axis=1) & left
    return found


def main() -> None:
    """Simulate all sizes and noises, print the tables, and write the dated result."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    rng = np.random.default_rng(SEED)
    rows: list[dict[str, Any]] = []
    for n, m in SIZES:
        for noise in NOISES:
            told = simulate(n, m, noise, rng)
            rows.append({"dev": n, "confirm": m, "noise": noise, "chosen": told})
            print(n, m, noise, {rule: round(loss, 3) for rule, loss in told.items()})
    in_families: list[dict[str, Any]] = []
    for n, m in SIZES:
        for n_further in N_FURTHER:
            for noise in NOISES:
                told = simulate_families(n, m, noise, n_further, rng)
                in_families.append(
                    {"dev": n, "confirm": m, "further": n_further, "noise": noise, "chosen": told}
                )
                print(n, m, n_further, noise, {rule: round(x, 3) for rule, x in told.items()})
    found = {"command": "python -m benchmarks.choosing", "rows": rows, "in_families": in_families}
    print(save_result("choosing", found))


if __name__ == "__main__":
    main()
