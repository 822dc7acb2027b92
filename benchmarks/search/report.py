"""The report: the journal's cells as Markdown tables, beside the dated JSON."""

import math
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path

from benchmarks.common import save_result
from benchmarks.search import protocol
from benchmarks.search.analysis import Analysis, analyse, as_json
from benchmarks.search.journal import Result, read_results, read_tests
from benchmarks.search.scores import (
    BIASED,
    GUIDED,
    WEIGHED,
    Comparison,
    Efficiency,
    Line,
    Verdict,
    is_control,
)
from benchmarks.search.selection import on_equal_seeds
from modules.errors import UserError
from modules.files import write_atomic

REPORT_FILE = "report.md"


def write_report(out: Path, ours: str, command: str, seeds: Collection[int]) -> str:
    """Write the dated JSON and the Markdown, and give the Markdown.

    Args:
        out: the folder of the journal.
        ours: our contestant.
        command: what the JSON says that it comes from.
        seeds: those to compare on, by contestants that finished them all; () for whatever is there.

    Raises:
        UserError: nothing is finished, or nothing of ours with these seeds.
    """
    results = read_results(out)
    if not results:
        raise UserError(f"{out} holds no finished cell: run python -m benchmarks.search run first")
    if seeds:
        results = on_equal_seeds(results, seeds, ours)
        if not results:
            raise UserError(f"{out} holds no finished cell of {ours} with these seeds")
    analysis = analyse(results, read_tests(out), ours)
    text = markdown(analysis, ours)
    write_atomic(out / REPORT_FILE, text)
    name = "-".join(["search", *(f"seed-{seed}" for seed in sorted(seeds))])
    path = save_result(name, {"command": command, **as_json(analysis, ours)})
    return f"{text}\n{path}"


def markdown(analysis: Analysis, ours: str) -> str:
    """Give the report as Markdown."""
    parts = ["# Our search and its peers", _method(ours)]
    for one in analysis.verdicts:
        parts += [f"## Against the best peer, budget {one.budget}", _verdict_text(one)]
        parts.append(_table(_BEST_HEAD, _best_rows(one)))
        at = [found for found in analysis.comparisons if found.group.budget == one.budget]
        for title, is_wanted in (("peer", False), ("control", True)):
            rows = list(_peer_rows([c for c in at if is_control(c.peer) is is_wanted]))
            if rows:
                parts += [f"Against each {title}, budget {one.budget}:", _table(_PEER_HEAD, rows)]
    if analysis.efficiencies:
        parts += _efficiency_parts(analysis.efficiencies)
    parts += ["## All contestants", _table(_LINE_HEAD, _line_rows(analysis.lines))]
    defaulted = list(_default_rows(analysis.results))
    if defaulted:
        parts += ["## promptolution's steps and silent defaults", _DEFAULTS]
        parts.append(_table(_DEFAULT_HEAD, defaulted))
    errors = [f"- {r.cell.key}: {r.error}" for r in analysis.results if not r.ok]
    if errors:
        parts += [f"## Errors\n\n{len(errors)} cells ended in one.", "\n".join(errors)]
    return "\n\n".join(parts) + "\n"


def _efficiency_parts(found: Sequence[Efficiency]) -> list[str]:
    title = "## Tokens and time to the best peer's accuracy"
    return [title, _EFFICIENCY, _table(_EFFICIENCY_HEAD, _efficiency_rows(found))]


def _method(ours: str) -> str:
    return (
        f"Ours is `{ours}`. {protocol.N_TRAIN} train, {protocol.N_DEV} dev and "
        f"{protocol.N_CONFIRM} confirm examples; equal budgets of forward tokens "
        f"(small {protocol.budget_tokens('', 'small'):,}, large "
        f"{protocol.budget_tokens('', 'large'):,}; imdb {protocol.LENGTH_FACTORS['imdb']} times "
        "these). Labels are predicted at temperature 0. Accuracy is pooled over seeds; brackets "
        "are 95 % cluster bootstraps over test texts, paired in differences. The best peer is the "
        "one that ours leads by least, picked on the test split, which favours the peers. p is "
        "McNemar's exact test over all seeds' answers, adjusted by Holm over the pairs of the same "
        f"budget. `{GUIDED}` is promptolution's prompt under our `choose`; a contestant without "
        f"it predicts as promptolution does. `{BIASED}` is a prompt that was found without "
        f"calibration when our label bias is added, free of charge, and `{WEIGHED}` the same with "
        "our whole calibration: controls and no peers. So are `naive`, "
        "the prompt that DSPy's optimizers start from, and `optuna-random`, our search with blind "
        "draws."
    )


_BEST_HEAD = ("task", "model", "seeds", "ours", "best peer", "its accuracy", "lead", "p (Holm)")
_PEER_HEAD = ("against", "pairs", "we are ahead in", "mean lead", "smallest lead")
_LINE_HEAD = (
    *("task", "model", "budget", "contestant", "seeds", "failed", "held-out accuracy"),
    *("dev less test", "confirm less test", "tokens", "calls", "seconds", "prompt tokens"),
)
_EFFICIENCY_HEAD = (
    *("task", "model", "its budget", "best peer", "its accuracy", "our budget that reaches it"),
    *("our accuracy", "share of its tokens", "share of its time"),
)
_DEFAULT_HEAD = ("task", "model", "budget", "contestant", "steps", "defaulted")
_DEFAULTS = (
    "Steps that were finished when the budget ended, by seed, and the share of test answers "
    "without a label, which promptolution counts as its first class."
)
_EFFICIENCY = (
    "The smallest budget at which our held-out accuracy is at least that of the best peer at "
    "its budget, with our share of what that peer spent. With several budgets tried, the "
    "smallest that reaches it is a little flattered."
)


def _verdict_text(one: Verdict) -> str:
    n = len(one.best)
    return (
        f"Ahead of the best peer in {one.n_ahead} of {n} pairs of task and model "
        f"(significantly in {one.n_surely_ahead}, significantly behind in {one.n_surely_behind}); "
        f"mean lead {_points(one.lead)} points.{_missing_text(one)}"
    )


def _missing_text(one: Verdict) -> str:
    """Name the peers that a pair was not compared with, "" where it was with all of them."""
    pairs = zip(one.best, one.missing, strict=True)
    partial = [(best.group, peers) for best, peers in pairs if peers]
    if not partial:
        return ""
    text = "; ".join(f"{g.task} with {g.model}: {', '.join(peers)}" for g, peers in partial)
    return f"\n\nNot compared with every peer in {len(partial)} of them. Missing: {text}."


def _best_rows(one: Verdict) -> Iterator[Sequence[str]]:
    for best, p in zip(one.best, one.adjusted, strict=True):
        yield (
            *(best.group.task, best.group.model, str(len(best.seeds)), _percent(best.ours)),
            *(f"`{best.peer}`", _percent(best.theirs)),
            f"{_points(best.lead)} [{_points(best.low)}, {_points(best.high)}]",
            f"{p:.2g}",
        )


def _peer_rows(at: Sequence[Comparison]) -> Iterator[Sequence[str]]:
    leads = {peer: [one.lead for one in at if one.peer == peer] for peer in {o.peer for o in at}}
    for peer in sorted(leads, key=lambda peer: sum(leads[peer]) / len(leads[peer])):
        of_peer = leads[peer]
        mean = sum(of_peer) / len(of_peer)
        ahead = str(sum(lead > 0 for lead in of_peer))
        yield f"`{peer}`", str(len(of_peer)), ahead, _points(mean), _points(min(of_peer))


def _efficiency_rows(found: Sequence[Efficiency]) -> Iterator[Sequence[str]]:
    for one in found:
        reached = "none" if one.budget is None else one.budget
        shares = [_percent(v, 0) for v in (one.share_tokens, one.share_seconds)]
        yield (
            *(one.task, one.model, one.peer_budget, f"`{one.peer}`", _percent(one.target)),
            *(reached, _percent(one.accuracy), *shares),
        )


def _line_rows(found: Sequence[Line]) -> Iterator[Sequence[str]]:
    for one in found:
        yield (
            *(*one.group, f"`{one.contestant}`", str(len(one.seeds)), str(one.n_failed)),
            f"{_percent(one.accuracy)} [{_percent(one.low)}, {_percent(one.high)}]",
            *(_shrinkage(one.dev, one.accuracy), _shrinkage(one.confirm, one.accuracy)),
            *(f"{one.forward_tokens:,.0f}", f"{one.calls:,.0f}", f"{one.seconds:,.0f}"),
            f"{one.prompt_tokens:,.0f}",
        )


def _default_rows(results: Sequence[Result]) -> Iterator[Sequence[str]]:
    of_group: dict[tuple[str, str, str, str], list[Result]] = {}
    for one in results:
        if one.ok and "n_defaulted" in one.notes:
            cell = one.cell
            key = (cell.task, cell.model, cell.budget, cell.optimizer)
            of_group.setdefault(key, []).append(one)
    for (*group, optimizer), found in of_group.items():
        share = sum(r.notes["n_defaulted"] for r in found) / sum(len(r.correct) for r in found)
        steps = ", ".join(str(r.notes["n_steps"]) for r in found)
        yield (*group, f"`{optimizer}`", steps, _percent(share))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    found = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(row) + " |" for row in found)


def _percent(share: float | None, digits: int = 1) -> str:
    return "" if share is None else f"{100 * share:.{digits}f} %"


def _points(difference: float) -> str:
    return "" if math.isnan(difference) else f"{100 * difference:+.1f}"


def _shrinkage(before: float | None, after: float) -> str:
    return "" if before is None else _points(before - after)
