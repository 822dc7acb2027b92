"""Claims: which process runs which slot of a search, on nothing but the study's own storage.

A slot is the place of a trial in the search. Whoever wants a slot puts a waiting trial with it into
the study and takes a waiting trial out; taking is the storage's own atomic step. Of two trials for
one slot the one with the smaller number counts. A running trial shows a beat; one whose process is
gone, or whose beat has stopped, is closed, and its slot is free again.
"""

import os
import platform
import threading
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import optuna
import psutil
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState, create_trial

from optimize.propose.proposal import Proposal
from optimize.race.record import BY, FINISHED, SLOT

BEAT_SECONDS = 10.0
GRACE_SECONDS = 60.0

_OWNER = "owner"
_BEAT = "beat"
_RUNNING: set[str] = set()
"""What this process runs at the moment, in any of its threads."""


class Claim(NamedTuple):
    """A slot that this process runs, and the study's trial for it."""

    slot: int
    trial: optuna.Trial


class Claims:
    """This process's view of who runs what."""

    def __init__(self, study: optuna.Study) -> None:
        self._study = study
        self._me = _me()
        self._beats: dict[int, tuple[object, float]] = {}

    def take(self, slots: Sequence[int], proposals: Mapping[int, Proposal]) -> Claim | None:
        """Take one of the slots that nobody has; None when there is none now.

        Args:
            slots: those that may be taken, the first ones first.
            proposals: the point for each of them.
        """
        self._release_dead()
        taken = {_slot(trial) for trial in self._trials(*FINISHED, TrialState.RUNNING)}
        free = [slot for slot in slots if slot not in taken]
        if not free:
            return None
        waiting = {_slot(trial) for trial in self._trials(TrialState.WAITING)}
        if free[0] not in waiting:
            self._offer(free[0], proposals[free[0]])
        trial = self._study.ask()
        try:
            slot = trial.user_attrs.get(SLOT)
            if slot not in free or not self._is_first(trial, slot):
                self.give_up(trial)
                return None
            trial.set_user_attr(_OWNER, self._me)
            for name, values in proposals[slot].dimensions.items():
                trial.suggest_categorical(name, values)
        except UpdateFinishedTrialError:  # who offered it is gone, so another process closed it
            return None
        except BaseException:
            self.give_up(trial)
            raise
        return Claim(slot, trial)

    def give_up(self, trial: optuna.Trial) -> None:
        """Close a trial without a result; its slot is free."""
        self._study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)

    def close(
        self,
        trial: optuna.Trial,
        values: Sequence[float] | None = None,
        state: TrialState | None = None,
    ) -> None:
        """Close a trial with its result.

        Raises:
            UpdateFinishedTrialError: another process took this one for dead and has closed it.
        """
        try:
            self._study.tell(trial.number, values, state=state)
        except ValueError as error:  # what Optuna raises where a trial was closed before
            if trial.number in {one.number for one in self._trials(TrialState.RUNNING)}:
                raise
            raise UpdateFinishedTrialError(str(error)) from error

    @contextmanager
    def beating(self, trial: optuna.Trial) -> Iterator[None]:
        """Show, as long as it is inside, that the trial's process lives."""
        done = threading.Event()

        def beat() -> None:
            n = 0
            while not done.wait(BEAT_SECONDS):
                n += 1
                with suppress(Exception):  # a beat that is missed is made up for by the next one
                    trial.set_user_attr(_BEAT, n)

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        _RUNNING.add(self._me["run"])
        try:
            yield
        finally:
            _RUNNING.discard(self._me["run"])
            done.set()
            thread.join()

    def _offer(self, slot: int, proposal: Proposal) -> None:
        self._study.add_trial(
            create_trial(
                state=TrialState.WAITING,
                user_attrs={SLOT: slot, BY: proposal.by, _OWNER: self._me},
                system_attrs={**proposal.marks, "fixed_params": proposal.point},
            )
        )

    def _is_first(self, trial: optuna.Trial, slot: int) -> bool:
        """Whether no other trial has the slot: none finished, and none of a smaller number."""
        others = [
            other
            for other in self._trials(*FINISHED, TrialState.RUNNING, TrialState.WAITING)
            if _slot(other) == slot and other.number != trial.number
        ]
        return not any(o.state in FINISHED or o.number < trial.number for o in others)

    def _release_dead(self) -> None:
        for trial in self._trials(TrialState.RUNNING):
            if self._is_dead(trial):
                self._study.tell(trial.number, state=TrialState.FAIL, skip_if_finished=True)

    def _is_dead(self, trial: FrozenTrial) -> bool:
        """Whether a running trial's process is gone, or has not shown a beat for the grace."""
        owner = trial.user_attrs.get(_OWNER)
        if owner is not None and owner["host"] == _host() and not _lives(owner):
            return True
        beat, now = (owner, trial.user_attrs.get(_BEAT)), time.monotonic()
        seen = self._beats.get(trial.number)
        if seen is None or seen[0] != beat:
            self._beats[trial.number] = (beat, now)
            return False
        return now - seen[1] > GRACE_SECONDS

    def _trials(self, *states: TrialState) -> list[FrozenTrial]:
        return self._study.get_trials(deepcopy=False, states=states)


def _slot(trial: FrozenTrial) -> Any:
    return trial.user_attrs.get(SLOT)


def _host() -> str:
    """Name what process ids are unique in: a machine's boot and, in a container, its numbering."""
    try:
        numbering = os.readlink("/proc/self/ns/pid")
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        numbering, boot = "", ""
    return f"{platform.node()}/{boot}/{numbering}"


def _me() -> dict[str, Any]:
    pid = os.getpid()
    return {"host": _host(), "pid": pid, "started": _started(pid), "run": uuid.uuid4().hex}


def _started(pid: int) -> float:
    """Give when a process started: in ticks since the boot, which no clock moves, if known.

    Raises:
        psutil.Error: there is no such process.
    """
    try:
        return float(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except OSError:
        return float(psutil.Process(pid).create_time())


def _lives(owner: Mapping[str, Any]) -> bool:
    """Whether an owner on this machine lives; another process may have got its id since."""
    if owner["pid"] == os.getpid():
        return owner["run"] in _RUNNING
    try:
        is_zombie = psutil.Process(owner["pid"]).status() == psutil.STATUS_ZOMBIE
        return bool(_started(owner["pid"]) == owner["started"] and not is_zombie)
    except psutil.Error:
        return False
