"""How should the winner among the finalists be chosen? A simulation, without a model.

    python -m benchmarks.choosing

A search's prompts have true losses, drawn from a normal distribution. Each is seen through the mean
of n dev examples, the best few also through that of m confirm examples. Told is the mean true loss
of what is chosen, relative to the mean prompt and in standard deviations of the true losses: by dev
alone, by confirm alone, by the mean over all n + m examples, and what the best prompt has. With
normal losses the last rule is the posterior mean's, which no selection before it biases, so it
cannot be beaten; the simulation says by how much it leads at the sizes that are used here.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import save_result
from optimize.finish.finalists import N_FINALISTS

Array = NDArray[np.float64]

SEED, REPEATS, N_PROMPTS = 0, 20_000, 30
SIZES = ((90, 50), (300, 300))
NOISES = (2.0, 3.5, 7.0, 10.0)
"""Standard deviation of one example's loss, without what is common to all prompts, in those of the
true losses; from little to more than a few hundred examples can average out."""


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


def main() -> None:
    """Simulate all sizes and noises, print the table, and write the dated result."""
    rng = np.random.default_rng(SEED)
    rows: list[dict[str, Any]] = []
    for n, m in SIZES:
        for noise in NOISES:
            told = simulate(n, m, noise, rng)
            rows.append({"dev": n, "confirm": m, "noise": noise, "chosen": told})
            print(n, m, noise, {rule: round(loss, 3) for rule, loss in told.items()})
    print(save_result("choosing", {"command": "python -m benchmarks.choosing", "rows": rows}))


if __name__ == "__main__":
    main()
