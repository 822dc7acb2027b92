"""The subset to measure on: how many examples, which ones, and how like the whole they are.

It owns the choice of n, the draw and the account of both. The formulas belong to
`evaluate.statistics`, the strata to `modules.tasks.strata`.
"""

from collections.abc import Sequence

from evaluate.sample import Sample, strata_of, words_of
from evaluate.statistics import n_for_difference, n_for_half_width
from evaluate.table import percent
from modules.errors import UserError
from modules.tasks.example import Example
from modules.tasks.split_report import ASSUMED_ACCURACY
from modules.tasks.splits import uniform
from modules.tasks.strata import stratified

ASSUMED_DISCORDANCE = 0.2
"""A little more than two prompts have that err independently on 10 % each: 2 * 0.9 * 0.1 = 0.18."""


def plan_sample(
    examples: Sequence[Example],
    labels: Sequence[str],
    *,
    half_width: float | None = None,
    detectable: float | None = None,
    accuracy: float = ASSUMED_ACCURACY,
    discordance: float = ASSUMED_DISCORDANCE,
    seed: int,
) -> Sample:
    """Plan the subset that a wish needs, and draw it stratified by label and length.

    Of each stratum the beginning is taken, in an order that is a hash of the seed and the example's
    id. So the input's order is no matter, and of two samples with one seed the smaller part of a
    stratum is the beginning of the larger.

    Args:
        examples: the whole to draw from, without repetition, at least one.
        labels: the label names, in the task's order.
        half_width: the wanted half-width of the 95 % Wilson interval at `accuracy`.
        detectable: the difference of two accuracies to be found by McNemar's test at a level of
            5 % with a power of 80 %, both measured on the same examples. With both wishes the
            greater n counts; with none, everything is taken.
        accuracy: the one assumed, in [0, 1].
        discordance: the share of examples that exactly one of the two answers correctly, assumed;
            in (0, 1], at least `detectable`.
        seed: any whole number.

    Returns:
        The sample: n as the wish needs, or all examples where that is more than there are, which
        its `lines` say.

    Raises:
        UserError: a wish out of range, or no examples.
        ValueError: an example twice, or one with a label that is not among `labels`.
    """
    _check_wishes(half_width, detectable, accuracy, discordance)
    _check_examples(examples, labels)
    n_wanted, wish = _wanted(half_width, detectable, accuracy, discordance)
    if wish is None:
        n_wanted = len(examples)
    order = sorted(examples, key=lambda one: (uniform(seed, f"sample:{one.id}"), one.id))
    taken = stratified(order, n_wanted)
    return Sample(
        examples=tuple(taken),
        n_wanted=n_wanted,
        n_whole=len(examples),
        wish=wish,
        strata=strata_of(taken, examples, labels),
        words_sample=words_of(taken),
        words_whole=words_of(examples),
        accuracy=accuracy,
        discordance=discordance,
    )


def _wanted(
    half_width: float | None, detectable: float | None, accuracy: float, discordance: float
) -> tuple[int, str | None]:
    """Give the n of the most demanding wish, and that wish in words; 0 and None without one."""
    wishes: list[tuple[int, str | None]] = []
    if half_width is not None:
        text = f"to know an accuracy of {100 * accuracy:g} % to ±{percent(half_width)} points"
        wishes.append((n_for_half_width(half_width, accuracy), text))
    if detectable is not None:
        text = f"to find a difference of {percent(detectable)} points"
        wishes.append((n_for_difference(detectable, discordance), text))
    return max(wishes, key=lambda wish: wish[0], default=(0, None))


def _check_wishes(
    half_width: float | None, detectable: float | None, accuracy: float, discordance: float
) -> None:
    if half_width is not None and not 0 < half_width < 0.5:
        raise UserError(f"a half-width lies strictly between 0 and 0.5; got {half_width}")
    if not 0 <= accuracy <= 1 or not 0 < discordance <= 1:
        raise UserError(
            "an accuracy lies in [0, 1] and a discordance above 0 and up to 1; got "
            f"{accuracy} and {discordance}"
        )
    if detectable is not None and not 0 < detectable <= discordance:
        raise UserError(
            f"a difference to be found lies above 0 and within the discordance {discordance}; got "
            f"{detectable}"
        )


def _check_examples(examples: Sequence[Example], labels: Sequence[str]) -> None:
    if len(examples) == 0:
        raise UserError("a sample needs examples to draw from; got none")
    if len({example.id for example in examples}) < len(examples):
        raise ValueError("the examples to draw from must be distinct, but an id comes twice")
    unknown = sorted({example.label for example in examples} - set(labels))
    if unknown:
        raise ValueError(f"labels must be among {list(labels)}, not {unknown}")
