"""Who is told how a search goes: a command line draws it, a test or a benchmark notes it."""

from collections.abc import Sequence

from optimize.config import Budget
from optimize.finish.finalists import Finalist
from optimize.race.record import Cost, TrialRecord
from optimize.space.space import Space
from optimize.study.study import Search


class Watcher:
    """Looks away. Those that want to know of something override it.

    Our own search tells of its study and trials, an optimizer of DSPy's of its programs; both of
    their finalists and of what was spent.
    """

    def began(self, search: Search, space: Space, budget: Budget) -> None:
        """The study is open; an earlier run may have left trials in it."""

    def trial_ended(self, trial: TrialRecord, space: Space, spent: Cost) -> None:
        """A trial within the budget has ended, in this process or in another one.

        Each is told once, in the order of their slots, when one of this process ends or at the
        end: one waits for those before it, which may take from it what is left of the budget.
        """

    def study_ended(self, trials: Sequence[TrialRecord], space: Space, spent: Cost) -> None:
        """The budget is spent; these are the trials within it."""

    def optimizer_began(self, budget: Budget, n_answers: int) -> None:
        """An optimizer of DSPy's begins.

        Args:
            budget: what it may spend; what is set aside for the last scoring is not in it.
            n_answers: about as many labels of its longest prompts as this pays for.
        """

    def program_ended(self, number: int, score: float, spent_tokens: int) -> None:
        """An optimizer scored a program.

        Args:
            number: 0, 1, ...
            score: the accuracy in [0, 1] on the split that the optimizer scores programs on.
            spent_tokens: forward tokens so far.
        """

    def stopped_early(self, reason: str) -> None:
        """An optimizer did not come to its end; the best program so far is frozen."""

    def finalist_ended(self, finalist: Finalist) -> None:
        """A finalist was scored on confirm."""

    def ended(self, spent: Cost) -> None:
        """All is spent that will be, by everything since the search was new."""

    def finalist_left_out(self, trial: TrialRecord, reason: str) -> None:
        """One of the best trials could not be scored on confirm."""
