"""Kills and company: a search that is killed anywhere, or shared, freezes the same bytes."""

import json
import random
import signal
import sqlite3
import time
from pathlib import Path

import optuna
import pytest

from tests import tables
from tests.optimize_tests.searching import Processes, frozen


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Processes:
    folder = tmp_path_factory.mktemp("processes")
    model = tables.model_folder(folder / "base")
    return Processes(model, tables.write_table(folder / "table.csv"))


@pytest.fixture(scope="module")
def whole(processes: Processes, tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, float]:
    """What an uninterrupted search freezes, and the seconds that it took."""
    for _ in range(2):  # the first one waits for the imports
        folder, began = tmp_path_factory.mktemp("whole"), time.monotonic()
        process = processes.start(folder)
        process.join()
        assert process.exitcode == 0
    return frozen(folder), time.monotonic() - began


def finished_slots(path: Path) -> list[int]:
    study = optuna.load_study(study_name=None, storage=f"sqlite:///{path}")
    states = (optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED)
    return [trial.user_attrs["slot"] for trial in study.get_trials(states=states)]


def test_twenty_kills_at_random_moments(
    processes: Processes, whole: tuple[bytes, float], tmp_path: Path
) -> None:
    """SIGKILL after random times, the same command again and again, until it comes to its end."""
    expected, seconds = whole
    rng = random.Random(11)
    n_kills = 0
    folder = tmp_path / "0"
    while n_kills < 20:
        process = processes.start(folder)
        process.join(rng.uniform(0.2, 1.0) * seconds)
        if process.is_alive():
            process.kill()
            n_kills += 1
        process.join()
        assert process.exitcode in (0, -signal.SIGKILL)
        if process.exitcode == 0:  # it came to its end: compare, and begin anew
            assert frozen(folder) == expected
            folder = tmp_path / str(n_kills)
    last = processes.start(folder)
    last.join()
    assert last.exitcode == 0
    assert frozen(folder) == expected


def test_two_processes_share_the_default_journal(
    processes: Processes, whole: tuple[bytes, float], tmp_path: Path
) -> None:
    both = [processes.start(tmp_path) for _ in range(2)]
    for process in both:
        process.join()
    assert [process.exitcode for process in both] == [0, 0]
    assert frozen(tmp_path) == whole[0]
    # the one that ended the last trial was told of all, its own and the other's, each once
    told = [json.loads(path.read_text()) for path in tmp_path.glob("told-*.json")]
    n_trials = json.loads(whole[0])["search"]["n_trials"]
    assert list(range(n_trials)) in [sorted(slots) for slots in told]


def test_three_processes_share_a_study_and_one_is_killed(
    processes: Processes, whole: tuple[bytes, float], tmp_path: Path
) -> None:
    expected, seconds = whole
    storage = {"storage": f"sqlite:///{tmp_path / 'study.db'}"}
    first, *others = [processes.start(tmp_path, **storage) for _ in range(3)]
    others[0].join(0.6 * seconds)
    others[0].kill()
    first.join()
    others[1].join()
    assert (first.exitcode, others[1].exitcode) == (0, 0)
    assert frozen(tmp_path) == expected
    slots = finished_slots(tmp_path / "study.db")
    assert sorted(slots) == sorted(set(slots))  # nobody did a trial twice
    with sqlite3.connect(tmp_path / "study.db") as database:
        owners = database.execute(
            "select distinct json_extract(value_json, '$.pid') from trial_user_attributes "
            "where key = 'owner'"
        ).fetchall()
    assert len(owners) >= 2  # and the work was shared
