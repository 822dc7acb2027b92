"""Claims, the journal's lock, budgets of every kind, and what a study of two objectives records."""

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import optuna
import pytest
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState

from modules.errors import UserError
from modules.lm import Choices, Ledger, LocalModel, PromptTooLong
from modules.prompts import Prompt, load_artifact
from modules.tasks import SplitSizes
from modules.tasks.example import Task
from optimize.config import Budget
from optimize.propose.proposal import Proposal
from optimize.race.record import Cost
from optimize.race.said import Said, said_of
from optimize.race.trial import Outcome, Race
from optimize.search import run_search
from optimize.space.space import build_space
from optimize.study import claims
from optimize.study.claims import Claims
from optimize.study.storage import JournalLock, open_study, without_password
from optimize.study.study import Search
from optimize.views.forecast import in_words
from optimize.watcher import Watcher
from tests import tables
from tests.optimize_tests.searching import BUDGET, config

PROPOSALS = {
    slot: Proposal(point={"x": slot}, dimensions={"x": list(range(4))}, by="start")
    for slot in range(4)
}
SLOTS = list(PROPOSALS)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "study.journal"


def opened(journal: Path) -> optuna.Study:
    return open_study(journal, "s", ["minimize"])


def test_two_processes_never_hold_one_slot(journal: Path) -> None:
    one, other = Claims(opened(journal)), Claims(opened(journal))
    first, second = one.take(SLOTS, PROPOSALS), None
    assert first is not None
    with one.beating(first.trial):
        second = other.take(SLOTS, PROPOSALS)
        assert second is not None
        assert (first.slot, second.slot) == (0, 1)
        assert first.trial.params == {"x": 0}
        assert one.take([0], PROPOSALS) is None
    one.give_up(first.trial)
    again = one.take(SLOTS, PROPOSALS)
    assert again is not None
    assert again.slot == 0


def test_of_two_offers_of_one_slot_the_first_counts(journal: Path) -> None:
    """Two processes that see the same free slot both put it in; one of the trials is closed."""
    study = opened(journal)
    one, other = Claims(study), Claims(opened(journal))
    one._offer(0, PROPOSALS[0])
    other._offer(0, PROPOSALS[0])
    taken = one.take(SLOTS, PROPOSALS)
    assert taken is not None
    assert (taken.slot, taken.trial.number) == (0, 0)
    with one.beating(taken.trial):
        found = [other.take(SLOTS, PROPOSALS) for _ in range(2)]
    assert found[0] is None  # the second offer was taken out, and closed
    assert found[1] is not None
    assert found[1].slot == 1
    assert study.get_trials()[1].state == TrialState.FAIL


def test_a_dead_process_lets_go_at_once(journal: Path) -> None:
    child = os.fork()
    if child == 0:
        taken = Claims(opened(journal)).take(SLOTS, PROPOSALS)
        os._exit(0 if taken is not None else 1)
    assert os.waitpid(child, 0)[1] == 0
    taken = Claims(opened(journal)).take(SLOTS, PROPOSALS)
    assert taken is not None
    assert taken.slot == 0


def test_a_process_elsewhere_lets_go_when_its_beat_stops(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(claims.time, "monotonic", lambda: now[0])
    there = Claims(opened(journal))
    there._me = {**there._me, "host": "elsewhere"}
    taken = there.take([0], PROPOSALS)
    assert taken is not None
    here = Claims(opened(journal))
    assert here.take([0], PROPOSALS) is None
    now[0] = claims.GRACE_SECONDS - 1
    taken.trial.set_user_attr("beat", 1)
    assert here.take([0], PROPOSALS) is None
    now[0] += claims.GRACE_SECONDS - 1  # since the beat
    assert here.take([0], PROPOSALS) is None
    now[0] += 2
    again = here.take([0], PROPOSALS)
    assert again is not None
    assert again.slot == 0


def test_a_running_trial_shows_a_beat(journal: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process reads it in the storage, a new one each time, and none after the end."""
    monkeypatch.setattr(claims, "BEAT_SECONDS", 0.01)
    mine = Claims(opened(journal))
    taken = mine.take([0], PROPOSALS)
    assert taken is not None

    def beat() -> int:
        return int(opened(journal).get_trials()[0].user_attrs.get("beat", 0))

    assert beat() == 0
    with mine.beating(taken.trial):
        deadline = time.monotonic() + 20
        while beat() < 2 and time.monotonic() < deadline:
            time.sleep(0.01)
    last = beat()
    assert last >= 2
    time.sleep(0.1)
    assert beat() == last


def test_the_lock_mends_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "a.journal"
    for content, mended in [(b"", b""), (b"a\nb", b"a\n"), (b"a\nb\n", b"a\nb\n"), (b"a", b"")]:
        path.write_bytes(content)
        lock = JournalLock(path)
        assert lock.acquire()
        lock.release()
        assert path.read_bytes() == mended


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:////nowhere/at/all.db", "cannot open the storage sqlite:////nowhere/at/all.db"),
        ("mysql://me:secret@host/db", r"cannot open the storage mysql://me:\*\*\*@host/db"),
        ("rubbish", "cannot open the storage rubbish"),
    ],
)
def test_a_storage_that_cannot_be_used(url: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as refused:
        open_study(url, "s", ["minimize"])
    assert "secret" not in str(refused.value)


def test_calls_are_a_budget(task: Task, model: LocalModel, tmp_path: Path) -> None:
    budget = Budget(tokens=BUDGET, calls=500)
    artifact, _ = run_search(task, model, config(tmp_path, budget=budget), Watcher())
    assert artifact.search.budget_calls == 500
    assert 250 < artifact.search.spent["n_prompts"] <= 500
    assert artifact.search.spent["forward_tokens"] < BUDGET * 3 // 4


def test_seconds_are_a_budget(task: Task, model: LocalModel, tmp_path: Path) -> None:
    budget = Budget(tokens=10**9, seconds=3.0)
    artifact, path = run_search(task, model, config(tmp_path, budget=budget), Watcher())
    assert artifact.search.budget_seconds == 3.0
    assert artifact.search.n_trials >= 1
    assert load_artifact(path) == artifact


def test_a_budget_of_no_time_is_refused(task: Task, model: LocalModel, tmp_path: Path) -> None:
    budget = Budget(tokens=10**6, calls=10**5, seconds=1e-9)
    with pytest.raises(UserError, match=r"no trial could be finished within 1e-09 s, .* tokens"):
        run_search(task, model, config(tmp_path, budget=budget), Watcher())
    assert not (tmp_path / "out").exists()


def test_two_objectives_are_recorded(task: Task, model: LocalModel, tmp_path: Path) -> None:
    artifact, _ = run_search(task, model, config(tmp_path, sampler="nsga2"), Watcher())
    (path,) = tmp_path.glob("runs/*/*.journal")
    study = optuna.load_study(
        study_name=None,
        storage=optuna.storages.JournalStorage(
            optuna.storages.journal.JournalFileBackend(str(path))
        ),
    )
    whole = [trial for trial in study.trials if trial.state == TrialState.COMPLETE]
    assert all(len(trial.values) == 2 for trial in whole)
    assert all(trial.values[1] == trial.user_attrs["prompt_tokens"] > 0 for trial in whole)
    assert artifact.search.settings is not None
    assert artifact.search.settings.sampler == "nsga2"
    assert artifact.search.n_pruned == 0


@pytest.mark.parametrize("at_once", [1, 5])
def test_racing_saves_and_says_how_much(
    task: Task, model: LocalModel, tmp_path: Path, at_once: int
) -> None:
    settings: dict[str, Any] = {"at_once": at_once}
    raced, _ = run_search(task, model, config(tmp_path / "a", **settings), Watcher())
    settings["racing"] = False
    whole, _ = run_search(task, model, config(tmp_path / "b", **settings), Watcher())
    assert raced.search.n_pruned > 0
    assert raced.search.spent["saved_tokens"] > 0
    assert (whole.search.n_pruned, whole.search.spent["saved_tokens"]) == (0, 0)
    assert raced.search.n_trials > whole.search.n_trials


def test_six_labels_and_an_ensemble(model: LocalModel, tmp_path: Path) -> None:
    labels = ("anger", "fear", "joy", "love", "sadness", "surprise")
    sizes = SplitSizes(train=36, dev=60, confirm=30, test=40)
    meanings = {label: f"the text speaks of {label}" for label in labels[:5]}
    six = tables.file_task(tmp_path, labels, sizes=sizes, meanings=meanings)
    artifact, path = run_search(six, model, config(tmp_path, ensemble=3), Watcher())
    assert artifact.prompt.label_names == labels
    assert len(artifact.prompts) == 3
    assert len({prompt.identity() for prompt in artifact.prompts}) == 3
    assert load_artifact(path) == artifact


@pytest.mark.parametrize("what", ["logp", "words"])
def test_a_prompt_without_numbers_is_skipped_once(
    task: Task, model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """NaN from a model is no result, and no reason to try the same point for ever."""
    run = Race.run
    calls = []

    def noted(self: Race, prompt: Prompt, *rest: Any) -> Outcome:
        calls.append(prompt.identity())
        return run(self, prompt, *rest)

    def broken(choices: Choices) -> Said:
        said = said_of(choices)
        worse: Any = {what: getattr(said, what) * np.nan}
        return replace(said, **worse) if len(calls) == 2 else said

    monkeypatch.setattr(Race, "run", noted)
    monkeypatch.setattr("optimize.race.trial.said_of", broken)
    artifact, _ = run_search(task, model, config(tmp_path), Watcher())
    assert calls.count(calls[1]) == 1
    assert artifact.search.n_trials > 2


def test_a_prompt_that_is_too_long_for_one_example_is_not_begun(
    task: Task, model: LocalModel
) -> None:
    """The last dev example does not fit: nothing is charged, and nothing told."""
    last = replace(task.splits.dev[-1], inputs={task.input_field: "word " * 2_000})
    dev = (*task.splits.dev[:-1], last)
    space = build_space(task, 0, has_chat=False)
    told: list[int] = []
    model.ledger = Ledger()
    race = Race(model, replace(task, splits=replace(task.splits, dev=dev)))
    with pytest.raises(PromptTooLong):
        race.run(space.prompt(space.starting_points()[0]), None, lambda _, n: told.append(n))
    assert (model.ledger.account.n_prompts, told) == (0, [])


@pytest.mark.parametrize("state", [TrialState.FAIL, TrialState.COMPLETE])
def test_a_result_comes_too_late_for_a_trial_that_is_closed(
    journal: Path, state: TrialState
) -> None:
    one, other = Claims(opened(journal)), opened(journal)
    claim = one.take(SLOTS, PROPOSALS)
    assert claim is not None
    other.tell(claim.trial.number, 1.0 if state == TrialState.COMPLETE else None, state=state)
    with pytest.raises(UpdateFinishedTrialError):
        one.close(claim.trial, [0.5])
    with pytest.raises(UpdateFinishedTrialError):
        one.close(claim.trial, state=TrialState.PRUNED)
    assert other.get_trials()[claim.trial.number].state == state


def test_the_password_of_a_storage_is_not_recorded() -> None:
    for url, expected in [
        ("mysql://me:secret@host/db", "mysql://me:***@host/db"),
        ("postgresql:///db?host=h&password=secret&x=1", "postgresql:///db?host=h&password=***&x=1"),
        ("postgresql:///db?user=me&PASSWORD=secret", "postgresql:///db?user=me&PASSWORD=***"),
        ("sqlite:///study.db", "sqlite:///study.db"),
    ]:
        assert without_password(url) == expected


def test_what_was_spent_before_the_first_trial_takes_no_seconds(journal: Path) -> None:
    """The survey's tokens and calls are spent from the budget; its seconds are not."""
    before = Cost(tokens=300, calls=20, seconds=50.0)
    search = Search(opened(journal), cast(Any, None), before)
    left = search.left(Budget(tokens=1_000, calls=30, seconds=60.0))
    assert left == Budget(tokens=700, calls=10, seconds=60.0)
    assert in_words(left) == "700 forward tokens or 10 calls or 60 s"


def test_a_trial_that_another_process_closed_is_run_again(
    task: Task, model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, _ = run_search(task, model, config(tmp_path / "plain"), Watcher())
    run = Race.run
    n = 0

    def closed_meanwhile(self: Race, prompt: Prompt, best: Any, report: Any) -> Outcome:
        nonlocal n
        n += 1
        outcome = run(self, prompt, best, report)
        if n in (1, 5):
            (journal,) = tmp_path.glob("runs/*/*.journal")
            study = opened_any(journal)
            for trial in study.get_trials(states=(TrialState.RUNNING,)):
                study.tell(trial.number, state=TrialState.FAIL)
        return outcome

    monkeypatch.setattr(Race, "run", closed_meanwhile)
    again, _ = run_search(task, model, config(tmp_path), Watcher())
    assert again.to_text() == plain.to_text()


def opened_any(journal: Path) -> optuna.Study:
    storage = optuna.storages.JournalStorage(
        optuna.storages.journal.JournalFileBackend(str(journal), lock_obj=JournalLock(journal))
    )
    return optuna.load_study(study_name=None, storage=storage)
