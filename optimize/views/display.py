"""How a search is drawn on a terminal: a bar of tokens, and a line for what is worth one."""

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from modules.files import make_folder
from modules.prompts import Artifact
from modules.tasks.example import Task
from optimize.config import Budget
from optimize.finish.finalists import Finalist
from optimize.race.record import Cost, TrialRecord
from optimize.race.scoring import score_of
from optimize.space.space import Space
from optimize.study.study import Search
from optimize.views.forecast import forecast, in_words
from optimize.views.pareto import front_lines
from optimize.views.plots import save_plots
from optimize.watcher import Watcher


class Display(Watcher):
    """Draws a search as it goes on; a watcher of our own search and of DSPy's optimizers."""

    def __init__(
        self, task: Task, budget_tokens: int, plots: Path | None = None, scored: str = "dev"
    ) -> None:
        """Make a display.

        Args:
            task: gives the labels of the dev split.
            budget_tokens: the length of the bar.
            plots: the folder for the study's plots; None draws none.
            scored: the split that an optimizer of DSPy's scores its programs on.
        """
        self._scored = scored
        self._plots = plots
        self._stem: Path | None = None
        self._spent = Cost()
        self._named = "trial"
        self._gold = np.array(task.gold(task.splits.dev))
        self._best = float("inf")
        self._best_score = ""
        self._n, self._n_pruned = 0, 0
        self._began = time.monotonic()
        self._bar = tqdm(
            total=budget_tokens,
            unit="tok",
            unit_scale=True,
            desc="  search",
            leave=False,
            disable=None,  # where nobody watches, only errors go to stderr
        )

    def __enter__(self) -> "Display":
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._began
        self._bar.close()

    def began(self, search: Search, space: Space, budget: Budget) -> None:
        """Say what an earlier run left, and what the budget is good for."""
        if self._plots is not None:
            stem = search.study.study_name.removeprefix(f"{self._plots.name}-")
            self._stem = self._plots / stem
        trials, spent = search.finished(budget), search.spent(budget)
        self._bar.update(spent.tokens)
        if trials:
            self._say(f"goes on with {len(trials)} trials of an earlier run")
        for trial in trials:
            self._count(trial, space, spent)
        for line in forecast(search, space, budget):
            self._say(line)

    def trial_ended(self, trial: TrialRecord, space: Space, spent: Cost) -> None:
        """Move the bar; say so when the trial is the best so far."""
        self._bar.update(spent.tokens - self._bar.n)
        self._count(trial, space, spent)

    def study_ended(self, trials: Sequence[TrialRecord], space: Space, spent: Cost) -> None:
        """Draw the plots, and say where the Pareto front lies where there is one."""
        if self._stem is not None:
            make_folder(self._stem.parent)
            for path in save_plots(trials, space.dimensions, self._stem):
                self._say(f"plot: {path}")
        if any(len(trial.frozen.values or ()) > 1 for trial in trials):
            for line in front_lines(trials, self._gold):
                self._say(line)

    def optimizer_began(self, budget: Budget, n_answers: int) -> None:
        """Say what the budget is good for."""
        self._named = "contender"  # its place among them, for its programs have no slots
        self._say(f"left for programs: {in_words(budget)}; about {n_answers:,} labels")

    def program_ended(self, number: int, score: float, spent_tokens: int) -> None:
        """Move the bar; say so when a program of DSPy's is the best so far."""
        self._bar.update(spent_tokens - self._bar.n)
        self._n += 1
        if 1.0 - score < self._best:
            self._best = 1.0 - score
            self._best_score = f"best {score:.1%}, "
            self._say(f"program {number:>3}  {score:.1%} on {self._scored}")
        self._mark()

    def stopped_early(self, reason: str) -> None:
        """Say why an optimizer of DSPy's did not come to its end."""
        self._say(f"stopped early: {reason}")

    def finalist_ended(self, finalist: Finalist) -> None:
        """Say how a finalist did on confirm."""
        self._bar.set_description_str("  confirm")
        self._say(
            f"finalist, {self._named} {finalist.trial}: {finalist.dev.accuracy:.1%} on dev, "
            f"{finalist.confirm.accuracy:.1%} on confirm, calibration {finalist.calibration}"
        )

    def ended(self, spent: Cost) -> None:
        """Keep what was spent."""
        self._spent = spent

    def finalist_left_out(self, trial: TrialRecord, reason: str) -> None:
        """Say which trial could not become a finalist."""
        self._say(f"trial {trial.slot} is left out of the finalists: {reason}")

    def account(self, artifact: Artifact) -> Iterator[str]:
        """Give what was spent, line by line."""
        search = artifact.search
        spent = search.spent
        stopped = f", {search.n_pruned} stopped early" if search.n_pruned else ""
        yield (
            f"{search.n_trials} trials{stopped}; {spent['forward_tokens']:,} of "
            f"{search.budget_tokens:,} forward tokens, {spent['n_prompts']:,} calls, "
            f"{self.seconds:.0f} s"
        )
        if saved := spent.get("saved_tokens"):
            share = saved / (saved + spent["forward_tokens"])
            yield f"racing saved {saved:,} forward tokens, {share:.0%} of what all would have cost"
        if self._spent.reused:
            yield f"{self._spent.reused:,} of the tokens were in the answer cache and took no run"

    def _count(self, trial: TrialRecord, space: Space, spent: Cost) -> None:
        self._n += 1
        self._n_pruned += trial.pruned and not trial.skipped
        if not trial.pruned and trial.loss < self._best:
            self._best = trial.loss
            score = score_of(trial.logp, self._gold)
            self._best_score = f"best {score.accuracy:.1%}, "
            self._say(f"trial {trial.slot:>3}  {score.accuracy:.1%} on dev  {_said(trial, space)}")
        self._mark()

    def _mark(self) -> None:
        told = f"{self._best_score}{self._n} trials, {self._n_pruned} stopped"
        self._bar.set_postfix_str(told, refresh=False)

    def _say(self, line: str) -> None:
        tqdm.write(f"  {line}", file=sys.stdout)


def _said(trial: TrialRecord, space: Space) -> str:
    """Describe a trial's prompt in a line."""
    point = trial.point
    parts = [
        f"{key.removeprefix('part_')} {value}"
        for key, value in point.items()
        if key.startswith("part_") and value != "off"
    ]
    demos = f"{point['n_demos']} {point['demo_pool']} demos" if point["n_demos"] else "no demos"
    words = "/".join(space.words[point["words"]])
    instruction = f"{' + '.join(parts)} ({point['place']})" if parts else "no instruction"
    return f"{point['layout']}, {words}, {demos}, {instruction} [{trial.by}]"
