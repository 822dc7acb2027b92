"""The benchmarks that settle the search's rules: racing, confirming, evidence and headroom."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks import confirming, evidence, headroom
from benchmarks.racing import Keeper, replay
from benchmarks.search.contestants import choose_labels
from modules.lm import LocalModel
from modules.tasks.example import Task
from optimize.config import Budget, SearchConfig
from optimize.search import run_search
from optimize.space.space import build_space
from optimize.watcher import Watcher

BUDGET = Budget(tokens=9_000)


def config(folder: Path) -> SearchConfig:
    return SearchConfig(
        budget=BUDGET, seed=0, out=folder / "out", runs=folder / "runs", command="x"
    )


def test_a_replayed_trial_has_the_loss_that_it_had_whole(
    task: Task, model: LocalModel, tmp_path: Path
) -> None:
    """The best trial, said to have been stopped: it is replayed, and found to be better."""
    keeper = Keeper()
    run_search(task, model, config(tmp_path), keeper)
    whole = sorted((one for one in keeper.trials if not one.pruned), key=lambda one: one.loss)
    assert len(whole) >= 2
    assert keeper.space is not None
    best, *others = whole

    found = replay(task, model, [replace(best, pruned=True), *others], keeper.space)

    assert found["stopped_losses"] == [round(best.loss, 4)]
    assert (found["n_trials"], found["n_stopped"]) == (len(whole), 1)
    assert found["best"] == round(others[0].loss, 4)
    assert found["n_better_than_best"] == int(best.loss < others[0].loss)


def test_both_splits_choose_what_the_search_froze(
    task: Task, model: LocalModel, tmp_path: Path
) -> None:
    artifact, _ = run_search(task, model, config(tmp_path), Watcher())

    found = confirming.finalists_of(task, model, config(tmp_path))

    chosen = confirming.chosen(found)
    test = task.splits.test.unseal()
    said = choose_labels(model, artifact.prompts, [one.inputs[task.input_field] for one in test])
    assert chosen["both"]["test"] == (said == np.array(task.gold(test))).mean()
    assert chosen["both"]["confirm"] == artifact.scores["confirm"].accuracy
    assert chosen["dev"] is found[0]


def test_each_rule_has_the_mean_of_its_choices() -> None:
    one = {"test": 0.8, "dev": 0.9, "confirm": 0.7}
    other = {"test": 0.6, "dev": 0.6, "confirm": 0.7}
    cells = [
        {"chosen": {"dev": one, "confirm": other, "both": one}},
        {"chosen": {"dev": other, "confirm": other, "both": one}},
    ]

    assert confirming.summary(cells) == {
        "dev": {"test": 70.0, "dev_above_test": 5.0, "confirm_above_test": 0.0},
        "confirm": {"test": 60.0, "dev_above_test": 0.0, "confirm_above_test": 10.0},
        "both": {"test": 80.0, "dev_above_test": 10.0, "confirm_above_test": -10.0},
    }


def test_evidence_is_measured_on_what_it_was_not_settled_on(task: Task, model: LocalModel) -> None:
    """The strength that is used gives what is used, where a test does not put evidence behind."""
    space = build_space(task, 0, has_chat=model.has_chat_template)
    fresh = list(task.splits.test.unseal())

    found = evidence.measure(task, model, space, fresh)

    assert len(found) == len(space.starting_points())
    assert all(one["n"] == len(fresh) for one in found)
    used = [one for one in found if one["calibration"] == "evidence"]
    assert used
    assert all(one["weighed"] == one["strengths"]["0.3"] for one in used)
    means = evidence.means([{"prompts": found}])
    by_hand = 100 * np.mean([one["biased"]["accuracy"] for one in found])
    assert means["biased"] == pytest.approx(by_hand, abs=0.01)


def test_headroom_scores_what_was_frozen_as_the_artifact_does(
    task: Task, model: LocalModel, tmp_path: Path
) -> None:
    artifact, _ = run_search(task, model, config(tmp_path), Watcher())
    fresh = task.splits.test.unseal()
    gold = np.array(task.gold(fresh))

    winner, found = headroom.candidates(task, model, config(tmp_path), fresh, best=1)
    told = headroom.headroom(winner, found, gold)

    said = choose_labels(model, artifact.prompts, [one.inputs[task.input_field] for one in fresh])
    assert told["frozen"] == (said == gold).mean()
    assert 1 <= len(found) <= 2  # the best on dev, and what was frozen where it is another one
    assert winner in [one.trial for one in found]


def test_headroom_of_two_hand_made_prompts() -> None:
    """One is right on 6 of 8, the other on 4: the first half of the examples prefers the other."""
    gold = np.array([0, 1, 0, 1, 0, 1, 0, 1])
    one = made(7, 0.5, gold, right=[0, 1, 0, 1, 1, 1, 1, 1])
    other = made(3, 0.4, gold, right=[1, 0, 1, 0, 1, 0, 1, 0])

    told = headroom.headroom(7, [other, one], gold)

    assert (told["frozen"], told["best"], told["worst"]) == (0.75, 0.75, 0.5)
    assert (told["first_by_dev"], told["mean"]) == (0.5, 0.625)
    # even places choose the other (4 of 4 against 2), which is right on 0 of the odd ones; those
    # choose the one (4 against 0), which is right on 2 of 4 of the even ones
    assert told["chosen_on_half"] == 0.25
    # their mean follows the one that is surer where they differ: the first hand-made is surer
    assert told["together"]["5"] == 0.75


def made(
    trial: int, dev_loss: float, gold: NDArray[np.int64], right: list[int]
) -> headroom.Candidate:
    """A candidate that is right where told so; the smaller its number, the less sure it is."""
    says = np.where(np.array(right) == 1, gold, 1 - gold)
    sure = 1 - 1 / (trial + 1)
    p = np.where(np.arange(2) == says[:, None], sure, 1 - sure)
    return headroom.Candidate(trial, dev_loss, np.log(p))
