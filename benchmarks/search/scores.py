"""The statistics of the matrix: pure functions from finished cells to lines and comparisons.

A group is a (task, model, budget). Accuracy is pooled over a contestant's finished seeds: right
answers over answers, which is the mean over seeds where their test splits have equal sizes. Every
interval is a 95 % percentile cluster bootstrap: test examples are resampled by their text, with all
that every seed and every contestant said to it, so that an example in the test splits of several
seeds is one unit and all differences are paired.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.search.journal import Result
from benchmarks.search.protocol import CONTROLS, OURS, PEERS
from evaluate.statistics import holm, mcnemar

Array = NDArray[np.float64]

GUIDED = "+choose"
"""Ends the name of promptolution's prompt under our `choose`: a contestant of its own here."""

BIASED = "+bias"
"""Ends the name of a peer's prompt with our label bias: a control."""

WEIGHED = "+evidence"
"""Ends the name of a peer's prompt with our whole calibration: a control."""

N_RESAMPLES = 2_000
ALPHA = 0.05


class Group(NamedTuple):
    """What contestants are compared on."""

    task: str
    model: str
    budget: str


class Entry(NamedTuple):
    """One seed of a contestant: right (1) or wrong (0) per test example, and the cell."""

    correct: Array
    result: Result


Entries = dict[Group, dict[str, dict[int, Entry]]]


@dataclass(frozen=True, kw_only=True)
class Line:
    """One contestant in one group. Shares are in [0, 1], costs are means over its seeds.

    `n_failed` seeds ended in an error and are in no other number. `dev` and `confirm` are the
    frozen prompt's mean accuracies there, None where unknown: their differences from `accuracy` are
    the shrinkage. The search's forward tokens, calls and seconds leave the test split out.
    """

    group: Group
    contestant: str
    seeds: tuple[int, ...]
    n_failed: int
    n: int
    accuracy: float
    low: float
    high: float
    dev: float | None
    confirm: float | None
    forward_tokens: float
    calls: float
    seconds: float
    prompt_tokens: float


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Ours against one peer in one group, on the seeds that both finished.

    `lead` is our accuracy minus the peer's, with its interval. `n_only_ours` and `n_only_peer`
    count the answers, over all seeds, that only one of the two has right; `p` is McNemar's exact
    two-sided value for them, which takes the seeds' answers for independent.
    """

    group: Group
    peer: str
    seeds: tuple[int, ...]
    n: int
    ours: float
    theirs: float
    lead: float
    low: float
    high: float
    n_only_ours: int
    n_only_peer: int
    p: float


class Clusters:
    """Resamples test examples by their text, the same resamples for everyone in a group.

    Args:
        ids: for each seed, the ids of its test examples in order.
        seed: of the resamples.
        n_resamples: how many.
    """

    def __init__(
        self, ids: Mapping[int, Sequence[str]], *, seed: int = 0, n_resamples: int = N_RESAMPLES
    ) -> None:
        distinct = sorted({one for of_seed in ids.values() for one in of_seed})
        number = {one: at for at, one in enumerate(distinct)}
        self._at = {s: np.array([number[one] for one in of_seed]) for s, of_seed in ids.items()}
        self._n = len(distinct)
        rng = np.random.default_rng(seed)
        shares = np.full(self._n, 1 / self._n)
        self._weights = rng.multinomial(self._n, shares, size=n_resamples).astype(np.float64)

    def draws(self, correct: Mapping[int, Array]) -> Array:
        """Give the resampled accuracies, [n_resamples], of answers by seed; NaN without any."""
        right, asked = np.zeros(self._n), np.zeros(self._n)
        for seed, values in correct.items():
            np.add.at(right, self._at[seed], values)
            np.add.at(asked, self._at[seed], 1.0)
        asked_drawn = self._weights @ asked
        drawn = asked_drawn > 0  # a resample of very few examples can miss all of a seed
        draws = np.full(len(drawn), np.nan)
        draws[drawn] = (self._weights @ right)[drawn] / asked_drawn[drawn]
        return draws


def entries(results: Iterable[Result]) -> Entries:
    """Sort finished cells without an error by group, contestant and seed."""
    found: Entries = defaultdict(lambda: defaultdict(dict))
    for result in filter(lambda one: one.ok, results):
        cell = result.cell
        group = Group(cell.task, cell.model, cell.budget)
        found[group][cell.optimizer][cell.seed] = Entry(_array(result.correct), result)
        for mark, bits in (
            (GUIDED, result.guided),
            (BIASED, result.biased),
            (WEIGHED, result.weighed),
        ):
            if bits:
                found[group][cell.optimizer + mark][cell.seed] = Entry(_array(bits), result)
    return {group: dict(of_group) for group, of_group in found.items()}


def clusters_of(
    of_group: Mapping[str, Mapping[int, Entry]], tests: Mapping[str, Sequence[str]]
) -> Clusters:
    """Make a group's clusters; where the examples' ids are unknown each answer stands alone."""
    ids: dict[int, Sequence[str]] = {}
    for of_seed in of_group.values():
        for seed, entry in of_seed.items():
            alone = [f"{seed}:{n}" for n in range(len(entry.correct))]
            ids[seed] = tests.get(entry.result.test_hash, alone)
    return Clusters(ids)


def lines(
    group: Group,
    of_group: Mapping[str, Mapping[int, Entry]],
    clusters: Clusters,
    failed: Mapping[str, int],
) -> list[Line]:
    """Give a group's lines, the most accurate contestant first.

    Args:
        group: the group.
        of_group: its contestants' entries by seed.
        clusters: its test examples.
        failed: how many seeds of a contestant ended in an error.
    """
    found = []
    for name, of_seed in of_group.items():
        cells = [of_seed[seed].result for seed in sorted(of_seed)]
        correct = {seed: entry.correct for seed, entry in of_seed.items()}
        low, high = _interval(clusters.draws(correct))
        base, _, mark = name.partition("+")
        dev, confirm = zip(*(_on_dev_and_confirm(one, mark) for one in cells), strict=True)
        found.append(
            Line(
                group=group,
                contestant=name,
                seeds=tuple(sorted(of_seed)),
                n_failed=failed.get(base, 0),
                n=sum(map(len, correct.values())),
                accuracy=_pooled(correct),
                low=low,
                high=high,
                dev=_mean(dev),
                confirm=_mean(confirm),
                forward_tokens=float(np.mean([one.forward_tokens for one in cells])),
                calls=float(np.mean([one.calls for one in cells])),
                seconds=float(np.mean([one.seconds for one in cells])),
                prompt_tokens=float(np.mean([one.prompt_tokens for one in cells])),
            )
        )
    return sorted(found, key=lambda line: (-line.accuracy, line.contestant))


def compare(
    group: Group,
    of_group: Mapping[str, Mapping[int, Entry]],
    clusters: Clusters,
    ours: str,
) -> list[Comparison]:
    """Compare ours with every peer that shares a seed with it, the best peer first.

    The best peer is the one that ours leads by least, of equal ones the one that spent the fewest
    tokens. It is picked on the test split itself, which favours the peers.
    """
    found = []
    spent = {}
    own = of_group.get(ours, {})
    for name, of_seed in of_group.items():
        seeds = sorted(own.keys() & of_seed.keys())
        if name in OURS or not seeds:
            continue
        a = {seed: own[seed].correct for seed in seeds}
        b = {seed: of_seed[seed].correct for seed in seeds}
        spent[name] = float(np.mean([of_seed[seed].result.forward_tokens for seed in seeds]))
        only_a = int(sum(((a[s] == 1) & (b[s] == 0)).sum() for s in seeds))
        only_b = int(sum(((a[s] == 0) & (b[s] == 1)).sum() for s in seeds))
        low, high = _interval(clusters.draws(a) - clusters.draws(b))
        found.append(
            Comparison(
                group=group,
                peer=name,
                seeds=tuple(seeds),
                n=sum(map(len, a.values())),
                ours=_pooled(a),
                theirs=_pooled(b),
                lead=_pooled(a) - _pooled(b),
                low=low,
                high=high,
                n_only_ours=only_a,
                n_only_peer=only_b,
                p=mcnemar(only_a, only_b).exact,
            )
        )
    return sorted(found, key=lambda one: (one.lead, spent[one.peer], one.peer))


def is_control(name: str) -> bool:
    """Whether a contestant is no peer: a control, or a peer's prompt with our calibration."""
    return name.endswith((BIASED, WEIGHED)) or name in CONTROLS


class Verdict(NamedTuple):
    """All pairs (task, model) of one budget against their best peers, controls left out.

    `adjusted` are Holm's p-values in the order of `best`, over these pairs alone; `missing` are, in
    that order, the peers that were not compared with. `lead` is the mean lead over the pairs, NaN
    without one.
    """

    budget: str
    best: tuple[Comparison, ...]
    adjusted: tuple[float, ...]
    missing: tuple[tuple[str, ...], ...]
    n_ahead: int
    n_surely_ahead: int
    n_surely_behind: int
    lead: float


def verdict(budget: str, pairs: Sequence[Sequence[Comparison]]) -> Verdict:
    """Sum up one budget from its pairs' comparisons with peers, none of it empty."""
    best = [found[0] for found in pairs]
    compared = [{one.peer for one in found} for found in pairs]
    adjusted = holm([one.p for one in best]).tolist()
    sure = [p <= ALPHA for p in adjusted]
    return Verdict(
        budget=budget,
        best=tuple(best),
        adjusted=tuple(adjusted),
        missing=tuple(tuple(p for p in PEERS if p not in found) for found in compared),
        n_ahead=sum(one.lead > 0 for one in best),
        n_surely_ahead=sum(s and one.lead > 0 for s, one in zip(sure, best, strict=True)),
        n_surely_behind=sum(s and one.lead < 0 for s, one in zip(sure, best, strict=True)),
        lead=float(np.mean([one.lead for one in best])) if best else float("nan"),
    )


class Efficiency(NamedTuple):
    """The smallest of our budgets at which ours reaches the best peer's accuracy at the peer's one.

    `budget` is None where none reaches it. Shares are ours over the peer's, of forward tokens and
    of wall time, on the seeds that both have.
    """

    task: str
    model: str
    peer: str
    peer_budget: str
    target: float
    budget: str | None
    accuracy: float | None
    share_tokens: float | None
    share_seconds: float | None


def efficiency(found: Entries, best: Comparison, ours: str, budgets: Sequence[str]) -> Efficiency:
    """Find it, trying `budgets` in their order; `best` is the comparison with the peer."""
    task, model, peer_budget = best.group
    target = (task, model, best.peer, peer_budget, best.theirs)
    peer = found[best.group][best.peer]
    for budget in budgets:
        own = found.get(Group(task, model, budget), {}).get(ours, {})
        if not set(best.seeds) <= set(own):
            continue
        accuracy = _pooled({seed: own[seed].correct for seed in best.seeds})
        if accuracy >= best.theirs:
            spent = [(own[seed].result, peer[seed].result) for seed in best.seeds]
            tokens = _share([(a.forward_tokens, b.forward_tokens) for a, b in spent])
            seconds = _share([(a.seconds, b.seconds) for a, b in spent])
            return Efficiency(*target, budget, accuracy, tokens, seconds)
    return Efficiency(*target, None, None, None, None)


def n_failed(results: Iterable[Result]) -> dict[Group, dict[str, int]]:
    """Count each contestant's cells that ended in an error, by group."""
    found: dict[Group, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for result in results:
        cell = result.cell
        if not result.ok:
            found[Group(cell.task, cell.model, cell.budget)][cell.optimizer] += 1
    return {group: dict(counts) for group, counts in found.items()}


def _array(bits: str) -> Array:
    return np.array([bit == "1" for bit in bits], dtype=np.float64)


def _pooled(correct: Mapping[int, Array]) -> float:
    return float(np.concatenate(list(correct.values())).mean())


def _interval(draws: Array) -> tuple[float, float]:
    low, high = np.nanquantile(draws, [0.025, 0.975])
    return float(low), float(high)


def _on_dev_and_confirm(result: Result, mark: str) -> tuple[float | None, float | None]:
    """Give the accuracies there of a contestant whose name ends with +mark, None where unknown."""
    if not mark:
        return result.dev, result.confirm
    if f"+{mark}" == GUIDED:
        return result.notes.get("guided_dev"), result.notes.get("guided_confirm")
    return None, None  # its bias was fitted there


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known else None


def _share(pairs: Sequence[tuple[float, float]]) -> float | None:
    """Give the sum of the first over that of the second; None where the second spent nothing."""
    ours, theirs = (sum(side) for side in zip(*pairs, strict=True))
    return ours / theirs if theirs else None
