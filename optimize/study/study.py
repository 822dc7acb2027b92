"""The study: slots are claimed, run and told, until the budget is spent; the record is Optuna's.

A search is a sequence of slots. What is tried in one follows from the slots of the generations
before it (`optimize.propose.proposer`), what it may cost from the slots before it, so the finished
slots within the budget are the same after any kill and with any number of processes.
"""

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState

from modules.lm import BudgetExceeded, Ledger, LocalModel, PromptTooLong
from optimize.config import Budget
from optimize.propose.proposal import Proposal
from optimize.propose.proposer import Proposer
from optimize.propose.samplers import PARETO
from optimize.race.record import (
    FINISHED,
    LOGP,
    LOOKS,
    LOSS,
    PROMPT_TOKENS,
    PROMPTS,
    REUSED,
    SAVED,
    SECONDS,
    SKIPPED,
    SLOT,
    TOKENS,
    Cost,
    TrialRecord,
    by_loss,
    read_record,
)
from optimize.race.trial import NoNumbersError, Outcome, Race
from optimize.study.claims import Claim, Claims

_ENOUGH_TOO_LONG = 50
_POLL_SECONDS = 0.2


class Search:
    """A study that can be carried on, by this process or by several.

    Args:
        study: where the trials are recorded.
        proposer: what is tried in a slot.
        before: what was spent before the first trial, on every process's account.
        n_wanted: how many good trials are wanted; a trial races against the last one of so many.
    """

    def __init__(
        self, study: optuna.Study, proposer: Proposer, before: Cost, n_wanted: int = 1
    ) -> None:
        self.study = study
        self._proposer = proposer
        self._before = before
        self._n_wanted = n_wanted
        self._claims = Claims(study)
        self._proposed: dict[int, Mapping[int, Proposal]] = {}
        self._read: dict[int, TrialRecord] = {}

    def finished(self, budget: Budget | None = None) -> list[TrialRecord]:
        """Give the finished trials in the order of their slots, up to the first slot that is open.

        With a budget only those that a study of that budget would have run: an earlier search may
        have carried the same study further.
        """
        by_slot: dict[int, TrialRecord] = {}
        for trial in self.study.get_trials(deepcopy=False, states=FINISHED):
            if SLOT in trial.user_attrs:
                if trial.number not in self._read:  # a finished trial never changes
                    self._read[trial.number] = read_record(trial)
                by_slot.setdefault(trial.user_attrs[SLOT], self._read[trial.number])
        found: list[TrialRecord] = []
        spent = self._before
        while (next_one := by_slot.get(len(found))) is not None:
            if budget is not None and not _holds(budget, spent, next_one.cost, self._before):
                break
            spent += next_one.cost
            found.append(next_one)
        return found

    def spent(self, budget: Budget | None = None) -> Cost:
        """Give what the finished trials cost, with what was spent before them."""
        return sum((trial.cost for trial in self.finished(budget)), self._before)

    def left(self, budget: Budget) -> Budget:
        """Give what the finished trials leave of a budget; its seconds are those of trials."""
        return _left(budget, self._before, self.finished(budget))

    def nothing_fits(self) -> bool:
        """Whether so many trials were too long for the context, and no other, that none will do."""
        first = self.finished()[:_ENOUGH_TOO_LONG]
        return len(first) == _ENOUGH_TOO_LONG and all(trial.skipped for trial in first)

    def run(
        self,
        model: LocalModel,
        race: Race,
        budget: Budget,
    ) -> Iterator[int]:
        """Run trials until the next one would pass the budget, or nothing fits into the context.

        Slots that another process runs are waited for. The finished trials' costs count;
        `model.ledger` is replaced by one with what is left. A trial that is interrupted is closed,
        and its slot is free.

        Args:
            model: the model to search for.
            race: how a prompt is scored.
            budget: for all trials of this study and what was spent before them.

        Yields:
            The slot of each trial that this process has ended.
        """
        end: int | None = None  # the first slot that did not fit into the budget
        while not self.nothing_fits():
            trials = self.finished()
            if (end is not None and len(trials) >= end) or len(self.finished(budget)) < len(trials):
                return
            size = self._proposer.generation_size
            first = len(trials) // size * size
            slots = [s for s in range(len(trials), first + size) if end is None or s < end]
            claim = self._claims.take(slots, self._proposals(trials[:first]))
            if claim is None:
                time.sleep(_POLL_SECONDS)
                continue
            left = _left(budget, self._before, trials)
            model.ledger = Ledger(left.tokens, left.calls, left.seconds)
            try:
                held = self._run_claim(claim, model, race, trials[:first])
            except UpdateFinishedTrialError:
                continue  # another process took this one for dead; the slot is free again
            if held:
                yield claim.slot
            else:
                end = claim.slot if end is None else min(end, claim.slot)

    def _run_claim(
        self, claim: Claim, model: LocalModel, race: Race, known: Sequence[TrialRecord]
    ) -> bool:
        """Run a slot's trial and tell the study; False when the budget does not hold it."""
        try:
            with self._claims.beating(claim.trial):
                outcome = self._outcome(claim, race, known)
                self._tell(claim.trial, outcome, model.ledger)
        except BudgetExceeded:
            self._claims.give_up(claim.trial)
            return False
        except BaseException:
            self._claims.give_up(claim.trial)
            raise
        return True

    def _outcome(self, claim: Claim, race: Race, known: Sequence[TrialRecord]) -> Outcome | None:
        """Run a trial; None when its prompt does not fit, or the model gives no numbers for it."""
        space = self._proposer.space
        is_pareto = self._proposer.sampler in PARETO
        rival = None if is_pareto else rival_of(known, self._n_wanted)
        report = (lambda loss, n: None) if is_pareto else claim.trial.report
        try:
            prompt = space.prompt(claim.trial.params)
            outcome = race.run(prompt, None if rival is None else rival.look_losses, report)
        except (PromptTooLong, NoNumbersError):
            return None
        return outcome if math.isfinite(outcome.loss) else None

    def _tell(self, trial: optuna.Trial, outcome: Outcome | None, ledger: Ledger) -> None:
        trial.set_user_attr(TOKENS, ledger.account.forward_tokens)
        trial.set_user_attr(PROMPTS, ledger.account.n_prompts)
        trial.set_user_attr(SECONDS, round(ledger.seconds, 3))
        trial.set_user_attr(REUSED, ledger.account.reused_tokens)
        if outcome is None:
            trial.set_user_attr(SKIPPED, "too long for the model's context, or no number")
            self._claims.close(trial, state=TrialState.PRUNED)
            return
        trial.set_user_attr(LOGP, json.dumps(outcome.logp.tolist()))
        trial.set_user_attr(LOOKS, json.dumps([one.tolist() for one in outcome.look_losses]))
        trial.set_user_attr(LOSS, outcome.loss)
        trial.set_user_attr(SAVED, outcome.saved_tokens)
        trial.set_user_attr(PROMPT_TOKENS, outcome.prompt_tokens)
        if outcome.pruned:
            self._claims.close(trial, state=TrialState.PRUNED)
            return
        values = [outcome.loss]
        if len(self.study.directions) > 1:
            values.append(outcome.prompt_tokens)
        self._claims.close(trial, values)

    def _proposals(self, known: Sequence[TrialRecord]) -> Mapping[int, Proposal]:
        number = len(known) // self._proposer.generation_size
        if number not in self._proposed:
            self._proposed = {number: self._proposer.generation(known, number)}
        return self._proposed[number]


def rival_of(trials: Sequence[TrialRecord], n_wanted: int) -> TrialRecord | None:
    """Give the complete trial with the n-th smallest loss, None while there are not so many."""
    whole = by_loss(trials)
    return whole[n_wanted - 1] if len(whole) >= n_wanted else None


def _left(budget: Budget, before: Cost, trials: Sequence[TrialRecord]) -> Budget:
    """Give what the trials on record, and what was spent before them, leave of a budget."""
    spent = sum((trial.cost for trial in trials), before)
    calls, seconds = budget.calls, budget.seconds
    return Budget(
        tokens=max(0, budget.tokens - spent.tokens),
        calls=None if calls is None else max(0, calls - spent.calls),
        seconds=None if seconds is None else max(0.0, seconds - _trial_seconds(spent, before)),
    )


def _holds(budget: Budget, spent: Cost, cost: Cost, before: Cost) -> bool:
    """Whether a budget holds one more trial; one that began within the seconds may end later."""
    return (
        spent.tokens + cost.tokens <= budget.tokens
        and (budget.calls is None or spent.calls + cost.calls <= budget.calls)
        and (budget.seconds is None or _trial_seconds(spent, before) <= budget.seconds)
    )


def _trial_seconds(spent: Cost, before: Cost) -> float:
    return spent.seconds - before.seconds
