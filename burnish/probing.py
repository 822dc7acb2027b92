"""Probes run again: the same examples through the same prompts, and how far the numbers lie apart.

Why there are tolerances. On the same processor, in the same dtype, with the same versions, bits are
equal. Another processor sums in another order, and each sum is rounded to the dtype.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.asking import ask
from burnish.labels import answered
from modules.lm import LocalModel
from modules.prompts import LOWEST, Prompt
from modules.prompts.records import Probe

Array = NDArray[np.float64]

TOLERANCES = {"float64": 1e-6, "float32": 1e-3, "bfloat16": 0.25}
"""How far log-probabilities in a dtype may lie apart on two processors, in nats.

bfloat16 has 8 bits of precision, float32 has 24, float64 has 53, and rounding grows through the
layers. Measured with 8 confirm examples on each default model, PyTorch's AVX2 kernels against those
without vector instructions (2-core AMD EPYC, 2026-11-24): up to 6.2e-6 in float32 and 0.049 in
bfloat16, and no label changed. The rest is room for other models and other processors.
"""


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """How probes that were run again compare with what is on record.

    `largest` is the largest difference of two log-probabilities, in nats; `n_equal` probes have
    equal bits, and `n_within` none that differ by more than `tolerance`, which is 0 where bits must
    be equal. `n_relabelled` get another label.
    """

    n: int
    n_equal: int
    n_within: int
    n_relabelled: int
    largest: float
    tolerance: float

    @property
    def holds(self) -> bool:
        """Whether every probe is within the tolerance; with tolerance 0 the bits are equal."""
        return self.n_within == self.n

    def to_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return asdict(self)


def tolerance(*dtypes: str) -> float:
    """Give the tolerance between dtypes: the coarsest one's. An unknown dtype has none."""
    return max(TOLERANCES.get(dtype, 0.0) for dtype in dtypes)


def repeat(
    model: LocalModel, prompts: Sequence[Prompt], probes: Sequence[Probe], allowed: float
) -> Repeat:
    """Run probes, at least one, again through an artifact's prompts.

    Raises:
        PromptTooLong, ValueError, UserError: the model cannot read a prompt, so it is another.
    """
    found = ask(model, prompts, [probe.text for probe in probes])
    return compare(prompts, probes, found, allowed)


def compare(
    prompts: Sequence[Prompt], probes: Sequence[Probe], found: Array, allowed: float
) -> Repeat:
    """Compare log-probabilities [n, k], in the form that probes record, with those on record."""
    found = np.maximum(found, LOWEST)
    recorded = np.array([probe.log_probabilities for probe in probes])
    apart = np.abs(found - recorded).max(axis=1)
    pairs = list(zip(recorded.tolist(), found.tolist(), strict=True))
    return Repeat(
        n=len(probes),
        n_equal=sum(one == other for one, other in pairs),
        n_within=int((apart <= allowed).sum()),
        n_relabelled=sum(
            answered(prompts, one) != answered(prompts, other) for one, other in pairs
        ),
        largest=float(apart.max()),
        tolerance=allowed,
    )
