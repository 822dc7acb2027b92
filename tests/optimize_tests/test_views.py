"""What people see of a search: forecast, leaderboard, Pareto front, plots, options."""

import csv
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from modules.errors import UserError
from modules.lm import LocalModel
from modules.tasks.example import Task
from optimize.config import Budget
from optimize.dspy_optimizers import OPTIMIZERS, run_dspy_optimizer
from optimize.options import names, parser, scored_on, search_config
from optimize.race.record import Cost, TrialRecord
from optimize.search import run_search
from optimize.space.space import Space, build_space
from optimize.study.study import Search
from optimize.views.display import Display
from optimize.views.forecast import duration, forecast
from optimize.views.leaderboard import Entry, save_leaderboard
from optimize.views.pareto import front_lines, pareto_front
from optimize.views.plots import importances, save_plots
from optimize.watcher import Watcher
from tests.optimize_tests.searching import SMALL, config
from tests.optimize_tests.test_ensemble import log_odds, trial


class Keeping(Watcher):
    """Keeps what a study gave."""

    def began(self, search: Search, space: Space, budget: Budget) -> None:
        self.lines = list(forecast(search, space, budget))
        self.space = space

    def study_ended(self, trials: list[TrialRecord], space: Space, spent: Cost) -> None:  # type: ignore[override]
        self.trials = trials


@pytest.fixture(scope="module")
def kept(task: Task, model: LocalModel, tmp_path_factory: pytest.TempPathFactory) -> Keeping:
    watcher = Keeping()
    budget = Budget(tokens=24_000, calls=10_000, seconds=600)
    run_search(task, model, config(tmp_path_factory.mktemp("kept"), budget=budget), watcher)
    return watcher


def test_the_forecast_says_what_is_left(kept: Keeping) -> None:
    points = np.prod([float(len(values)) for values in kept.space.dimensions.values()])
    assert kept.lines[0] == f"space: 15 dimensions, about 10^{np.log10(points):.0f} points"
    assert " forward tokens or " in kept.lines[1]
    assert " calls or " in kept.lines[1]
    assert [duration(s) for s in (0.2, 119, 121, 3_600)] == ["1 s", "119 s", "2 min", "60 min"]


def test_the_forecast_says_that_there_is_no_survey(
    task: Task, model: LocalModel, tmp_path: Path
) -> None:
    watcher = Keeping()
    run_search(task, model, config(tmp_path, budget=Budget(tokens=SMALL)), watcher)
    assert not watcher.space.rankings
    assert watcher.lines[0].endswith(" points; no survey of train: a larger budget has one")


def test_plots_are_drawn_and_the_same_again(kept: Keeping, tmp_path: Path) -> None:
    paths = save_plots(kept.trials, kept.space.dimensions, tmp_path / "seed-0")
    assert [path.name for path in paths] == ["seed-0.history.png", "seed-0.importance.png"]
    first = [path.read_bytes() for path in paths]
    assert all(content.startswith(b"\x89PNG") and len(content) > 5_000 for content in first)
    assert [p.read_bytes() for p in save_plots(kept.trials, kept.space.dimensions, tmp_path / "b")]
    assert save_plots([], {}, tmp_path / "c") == []


def test_importance_finds_the_dimension_that_matters(task: Task) -> None:
    """A loss that follows the number of demos and nothing else."""
    space = build_space(task, 0, has_chat=False)
    rng = np.random.default_rng(0)
    gold = np.array(task.gold(task.splits.dev))
    plain = trial(0, log_odds(2.0 * gold - 1), gold)
    trials = []
    for slot in range(40):
        point = {k: v[int(rng.integers(len(v)))] for k, v in space.dimensions.items()}
        trials.append(replace(plain, slot=slot, point=point, loss=0.1 * point["n_demos"]))
    found = importances(trials, space.dimensions)
    assert next(iter(found)) == "n_demos"
    assert found["n_demos"] > 0.8
    assert sum(found.values()) == pytest.approx(1)
    assert importances(trials[:7], space.dimensions) == {}
    assert importances([replace(t, loss=1.0) for t in trials], space.dimensions) == {}


def test_the_front_holds_what_nothing_beats(task: Task) -> None:
    gold = np.array(task.gold(task.splits.dev))
    plain = trial(0, log_odds(2.0 * gold - 1), gold)
    rows = [(30, 0.5), (10, 0.9), (20, 0.6), (25, 0.7), (20, 0.8), (40, 0.5)]
    trials = [
        replace(plain, slot=n, prompt_tokens=tokens, loss=loss)
        for n, (tokens, loss) in enumerate(rows)
    ]
    front = pareto_front([*trials, replace(trials[0], slot=9, loss=0.1, pruned=True)])
    assert [t.slot for t in front] == [1, 2, 0]
    lines = list(front_lines(trials, gold))
    assert len(lines) == 4
    assert lines[1].split() == ["10", "100.0%", "0.900", "trial", "1"]


def test_the_leaderboard_has_the_best_first(task: Task, model: LocalModel, tmp_path: Path) -> None:
    artifact, path = run_search(task, model, config(tmp_path), Watcher())
    score = artifact.scores["confirm"]
    better = score.model_copy(
        update={"n_correct": score.n, "accuracy": 1.0, "high": 1.0, "low": 0.9}
    )
    search = artifact.search.model_copy(update={"optimizer": "mipro"})
    other = artifact.model_copy(
        update={"scores": artifact.scores | {"confirm": better}, "search": search}
    )
    entries = [Entry(artifact=one, path=path, seconds=1.26) for one in (artifact, other)]
    table = save_leaderboard(entries, tmp_path / "runs", "t/x", "m", 0).splitlines()
    assert table[0].split()[0] == "optimizer"
    assert [line.split()[0] for line in table[1:3]] == ["mipro", "optuna"]
    assert len({len(line) for line in table[:3]}) == 1
    with (tmp_path / "runs" / "leaderboard-t-x-m-seed-0.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["optimizer"] for row in rows] == ["mipro", "optuna"]
    assert [row["seconds"] for row in rows] == ["1.3", "1.3"]
    assert float(rows[1]["confirm_accuracy"]) == score.accuracy


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--budget-tokens", "0"], "--budget-tokens must be at least 1 and below 2"),
        (["--budget-tokens", "9" * 30], "--budget-tokens must be at least 1 and below 2"),
        (["--budget-calls", "-3"], "--budget-calls must be at least 1 and below 2"),
        (["--budget-seconds", "inf"], "--budget-seconds must be more than 0, got inf"),
        (["--seed", "9" * 300], "--seed must lie between"),
        (["--storage", ""], "--storage is a URL, as sqlite:///studies.db; got ''"),
        (["--writer", "a\nb"], "--writer is a name or PROVIDER/NAME@URL, one line"),
        (["--budget-seconds", "0"], "--budget-seconds must be more than 0, got 0"),
        (["--budget-seconds", "nan"], "--budget-seconds must be more than 0, got nan"),
        (["--ensemble", "0"], "--ensemble must be from 1 to 16, got 0"),
        (["--ensemble", "17"], "--ensemble must be from 1 to 16, got 17"),
        (["--at-once", "0"], "--at-once must be from 1 to 256, got 0"),
        (["--optimizer", "gepa", "--sampler", "gp"], "--sampler belongs to our own search"),
        (["--optimizer", "knn", "--no-racing"], "--no-racing belongs to our own search"),
        (["--optimizer", "knn", "--at-once", "4"], "--at-once belongs to our own search"),
    ],
)
def test_options_that_cannot_be(arguments: list[str], message: str) -> None:
    options = parser().parse_args(arguments)
    with pytest.raises(UserError, match=message):
        search_config(options, options.optimizer, "x")


def test_all_is_everything_our_own_first() -> None:
    assert names(parser().parse_args(["--optimizer", "all"])) == ["optuna", *OPTIMIZERS]
    assert names(parser().parse_args(["--optimizer", "gepa"])) == ["gepa"]
    asked = ["--optimizer", "all", "--sampler", "gp", "--ensemble", "3", "--budget-calls", "9"]
    options = parser().parse_args(asked)
    found = search_config(options, "optuna", "x")
    assert (found.sampler, found.ensemble, found.budget.calls) == ("gp", 3, 9)


def test_a_search_is_told_from_its_first_trial_to_the_account(
    task: Task, model: LocalModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A line for each best so far and each finalist; the bar counts trials; then what was spent."""
    settings = config(tmp_path)
    with Display(task, settings.budget.tokens) as display:
        artifact, _ = run_search(task, model, settings, display)
    lines = capsys.readouterr().out.splitlines()
    account = list(display.account(artifact))

    best = [line for line in lines if line.startswith("  trial ")]
    assert best
    assert all(" on dev  " in line for line in best)
    finalists = [line for line in lines if line.startswith("  finalist, trial ")]
    assert len(finalists) == artifact.search.n_finalists
    score = artifact.scores["confirm"].accuracy
    assert any(f"{score:.1%} on confirm" in line for line in finalists)
    spent = artifact.search.spent
    assert account[0].startswith(
        f"{artifact.search.n_trials} trials, {artifact.search.n_pruned} stopped early; "
        f"{spent['forward_tokens']:,} of {settings.budget.tokens:,} forward tokens"
    )
    assert account[1].startswith(f"racing saved {spent['saved_tokens']:,} forward tokens")

    with Display(task, settings.budget.tokens) as again:
        run_search(task, model, settings, again)
    first = capsys.readouterr().out.splitlines()[0]
    assert first == f"  goes on with {artifact.search.n_trials} trials of an earlier run"


def test_an_optimizer_of_dspys_is_told_from_the_forecast_to_the_account(
    task: Task, model: LocalModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = config(tmp_path, optimizer="labeled")
    with Display(task, settings.budget.tokens) as display:
        artifact, _ = run_dspy_optimizer(task, model, settings, display)
    lines = capsys.readouterr().out.splitlines()

    tokens, labels = re.match(  # type: ignore[union-attr]
        r"  left for programs: ([\d,]+) forward tokens; about ([\d,]+) labels", lines[0]
    ).groups()
    assert 0 < int(labels.replace(",", "")) < int(tokens.replace(",", "")) < 24_000
    assert lines[1].startswith("  finalist, contender 0: ")
    assert next(display.account(artifact)).startswith("1 trials; ")


@pytest.mark.parametrize("optimizer", ["optuna", "labeled"])
def test_what_was_spent_is_told_at_the_end(
    task: Task, model: LocalModel, tmp_path: Path, optimizer: str
) -> None:
    """All of it, the finalists' share too; what the cache had is told in a line of its own."""
    told: list[Cost] = []

    class Noting(Watcher):
        def ended(self, spent: Cost) -> None:
            told.append(spent)

    run = run_search if optimizer == "optuna" else run_dspy_optimizer
    artifact, _ = run(task, model, config(tmp_path, optimizer=optimizer), Noting())

    (spent,) = told
    assert spent.tokens == artifact.search.spent["forward_tokens"]
    assert spent.calls == artifact.search.spent["n_prompts"]
    with Display(task, 100) as display:
        display.ended(replace(spent, reused=12_345))
    assert list(display.account(artifact))[-1] == (
        "12,345 of the tokens were in the answer cache and took no run"
    )


def test_a_program_is_said_with_the_split_that_scored_it(
    task: Task, capsys: pytest.CaptureFixture[str]
) -> None:
    """SIMBA and ReAnchor score programs on train, the others on dev."""
    for optimizer, split in (("simba", "train"), ("reanchor", "train"), ("gepa", "dev")):
        with Display(task, 100, scored=scored_on(optimizer)) as display:
            display.program_ended(0, 0.75, 10)
        assert capsys.readouterr().out == f"  program   0  75.0% on {split}\n"
    assert scored_on("optuna") == "dev"
