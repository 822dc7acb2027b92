"""All numbers of a report from the journal's cells, and as a dated JSON."""

import dataclasses
from collections.abc import Sequence
from typing import Any, NamedTuple

from benchmarks.common import machine
from benchmarks.search import protocol
from benchmarks.search.journal import Result
from benchmarks.search.promptolution_install import version
from benchmarks.search.scores import (
    Comparison,
    Efficiency,
    Entries,
    Line,
    Verdict,
    clusters_of,
    compare,
    efficiency,
    entries,
    is_control,
    lines,
    n_failed,
    verdict,
)


class Analysis(NamedTuple):
    """All numbers of a report."""

    results: list[Result]
    lines: list[Line]
    comparisons: list[Comparison]
    verdicts: list[Verdict]
    efficiencies: list[Efficiency]


def analyse(results: list[Result], tests: dict[str, list[str]], ours: str) -> Analysis:
    """Compute every number of the report."""
    found, failed = entries(results), n_failed(results)
    all_lines: list[Line] = []
    pairs: list[list[Comparison]] = []
    for group, of_group in found.items():
        clusters = clusters_of(of_group, tests)
        all_lines += lines(group, of_group, clusters, failed.get(group, {}))
        pairs.append(compare(group, of_group, clusters, ours))
    comparisons = [one for pair in pairs for one in pair]
    peers = [[one for one in pair if not is_control(one.peer)] for pair in pairs]
    peers = [pair for pair in peers if pair]
    at = {b: [pair for pair in peers if pair[0].group.budget == b] for b in protocol.BUDGETS}
    verdicts = [verdict(budget, of_budget) for budget, of_budget in at.items() if of_budget]
    efficiencies = _efficiencies(found, [pair[0] for pair in peers], ours)
    return Analysis(results, all_lines, comparisons, verdicts, efficiencies)


def as_json(analysis: Analysis, ours: str) -> dict[str, Any]:
    """Give the dated result."""
    return {
        "machine": machine(),
        "promptolution": version(),
        "ours": ours,
        "protocol": {
            "train": protocol.N_TRAIN,
            "dev": protocol.N_DEV,
            "confirm": protocol.N_CONFIRM,
            "n_test_at_most": max(result.n_test for result in analysis.results),
            "large_tokens": protocol.LARGE_TOKENS,
            "budgets": {name: float(share) for name, share in protocol.SHARES.items()},
            "length_factors": protocol.LENGTH_FACTORS,
        },
        "n_cells": len(analysis.results),
        "errors": {r.cell.key: r.error for r in analysis.results if not r.ok},
        "notes": {r.cell.key: r.notes for r in analysis.results if r.ok},
        "lines": [_plain(dataclasses.asdict(one)) for one in analysis.lines],
        "comparisons": [_plain(dataclasses.asdict(one)) for one in analysis.comparisons],
        "verdicts": [_verdict_json(one) for one in analysis.verdicts],
        "efficiency": [one._asdict() for one in analysis.efficiencies],
    }


def _efficiencies(found: Entries, best: Sequence[Comparison], ours: str) -> list[Efficiency]:
    budgets = sorted(protocol.SHARES, key=lambda name: protocol.SHARES[name])
    return [efficiency(found, one, ours, budgets) for one in best]


def _verdict_json(one: Verdict) -> dict[str, Any]:
    pairs = [
        {
            "task": best.group.task,
            "model": best.group.model,
            "peer": best.peer,
            "p_holm": p,
            "missing": missing,
        }
        for best, p, missing in zip(one.best, one.adjusted, one.missing, strict=True)
    ]
    return {
        "budget": one.budget,
        "n_pairs": len(one.best),
        "n_ahead": one.n_ahead,
        "n_significantly_ahead": one.n_surely_ahead,
        "n_significantly_behind": one.n_surely_behind,
        "mean_lead": one.lead,
        "pairs": pairs,
    }


def _plain(value: dict[str, Any]) -> dict[str, Any]:
    task, model, budget = value.pop("group")
    return {"task": task, "model": model, "budget": budget, **value}
