"""The curves: held-out accuracy of our search against its tokens, with the peers as points."""

import datetime
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from benchmarks.common import RESULTS
from benchmarks.search import protocol
from benchmarks.search.journal import read_results, read_tests
from benchmarks.search.scores import Entries, Line, clusters_of, entries, is_control, lines
from evaluate.figures.style import SMALL, WIDTH, picture
from evaluate.figures.theme import Theme, category
from modules.errors import UserError
from modules.files import atomic_path

_PANEL_HEIGHT = 2.5  # inches


class Panel(NamedTuple):
    """One (task, model): our lines from the smallest budget to the largest, and the peers'."""

    task: str
    model: str
    ours: list[Line]
    peers: list[Line]


def draw_curves(out: Path, ours: str, tasks: Sequence[str], models: Sequence[str]) -> Path:
    """Draw the finished cells, and give the PNG's path in the results folder.

    Raises:
        UserError: our search has no finished cell of these tasks and models.
    """
    found = [panel for panel in panels(out, ours) if panel.task in tasks and panel.model in models]
    if not found:
        raise UserError(f"{out} holds no cell of {ours} for these tasks and models: give --minutes")
    path = RESULTS / f"{datetime.date.today().isoformat()}-search-curves.png"
    drawn = picture(lambda theme: _figure(theme, found))
    with atomic_path(path) as temporary:
        temporary.write_bytes(drawn.png)
    return path


def panels(out: Path, ours: str) -> list[Panel]:
    """Give the panels of all tasks and models where ours has a finished cell.

    A panel keeps to the seeds that ours finished at all its budgets there, so that no step of the
    curve is a change of seeds; budgets that share no seed with the largest one are left out.
    """
    found, tests = entries(read_results(out)), read_tests(out)
    by_pair: dict[tuple[str, str], Entries] = {}
    for group, of_group in found.items():
        by_pair.setdefault((group.task, group.model), {})[group] = of_group
    return [
        _panel(pair, groups, tests, ours)
        for pair, groups in by_pair.items()
        if any(ours in of_group for of_group in groups.values())
    ]


def _panel(
    pair: tuple[str, str], groups: Entries, tests: Mapping[str, Sequence[str]], ours: str
) -> Panel:
    task, model = pair
    own = {
        group.budget: set(of_group[ours]) for group, of_group in groups.items() if ours in of_group
    }
    seeds = own[max(own, key=lambda budget: protocol.SHARES[budget])]
    seeds = set.intersection(*(of_budget for of_budget in own.values() if of_budget & seeds))
    made: list[Line] = []
    for group, of_group in groups.items():
        kept = {
            name: {seed: entry for seed, entry in of_seed.items() if seed in seeds}
            for name, of_seed in of_group.items()
        }
        kept = {name: of_seed for name, of_seed in kept.items() if of_seed}
        if kept:
            made += lines(group, kept, clusters_of(kept, tests), {})
    return Panel(
        task=task,
        model=model,
        ours=sorted(
            (line for line in made if line.contestant == ours),
            key=lambda line: protocol.SHARES[line.group.budget],
        ),
        peers=[
            line
            for line in made
            if line.contestant not in protocol.OURS and not is_control(line.contestant)
        ],
    )


def _figure(theme: Theme, found: Sequence[Panel]) -> Figure:
    tasks = list(dict.fromkeys(panel.task for panel in found))
    models = list(dict.fromkeys(panel.model for panel in found))
    height = _PANEL_HEIGHT * len(tasks) + 0.5
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots(len(tasks), len(models), squeeze=False, sharex="row")
    at = {(panel.task, panel.model): panel for panel in found}
    for row, task in enumerate(tasks):
        for column, model in enumerate(models):
            axis = axes[row][column]
            _draw(axis, theme, at.get((task, model)))
            axis.set_title(f"{task}, {model}", fontsize=SMALL + 1, loc="left")
    figure.supxlabel("forward tokens of the search (logarithmic)", fontsize=SMALL)
    figure.supylabel("held-out accuracy, %", fontsize=SMALL)
    handles: Mapping[str, Any] = {
        label: handle
        for axis in figure.axes
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        list(handles.values()),
        list(handles),
        loc="outside upper center",
        ncols=len(handles),
        frameon=False,
        fontsize=SMALL,
    )
    return figure


def _draw(axis: Any, theme: Theme, panel: Panel | None) -> None:
    """Draw one panel: our curve with its interval, the peers as points, the best one named."""
    if panel is None:
        axis.set_axis_off()
        return
    x = [line.forward_tokens for line in panel.ours]
    blue, orange = category(theme, 0), category(theme, 1)
    low = [100 * line.low for line in panel.ours]
    high = [100 * line.high for line in panel.ours]
    axis.set_xscale("log")
    axis.grid(visible=True, color=theme.grid)
    axis.fill_between(x, low, high, color=blue, alpha=0.15, linewidth=0)
    axis.plot(x, [100 * o.accuracy for o in panel.ours], color=blue, marker="o", label="ours, 95 %")
    spending = [line for line in panel.peers if line.forward_tokens > 0]
    theirs = [line.forward_tokens for line in spending]
    if spending:
        y = [100 * line.accuracy for line in spending]
        axis.scatter(theirs, y, color=orange, marker="D", s=18, label="peers", zorder=3)
        middle = math.sqrt(min([*x, *theirs]) * max([*x, *theirs]))
        best = max(spending, key=lambda line: line.accuracy)
        side = -1 if best.forward_tokens > middle else 1
        axis.annotate(
            best.contestant,
            (best.forward_tokens, 100 * best.accuracy),
            textcoords="offset points",
            xytext=(5 * side, 0),
            ha="left" if side > 0 else "right",
            va="center",
            fontsize=SMALL,
            color=theme.text,
        )
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.xaxis.set_minor_locator(NullLocator())
    axis.xaxis.set_major_formatter(FuncFormatter(lambda tokens, _: f"{tokens / 1000:g}k"))
    axis.tick_params(labelsize=SMALL)
