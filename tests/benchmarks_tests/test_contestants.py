"""One cell: searched, frozen and scored."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.search import contestants
from benchmarks.search.journal import add_result, same_prompt
from modules.errors import UserError
from modules.lm import LocalModel
from modules.programs.naive import naive_prompt
from modules.tasks.example import Task
from optimize.config import SearchConfig
from optimize.race.said import ask, together
from optimize.race.scoring import calibrate, settle
from optimize.space.evidence import likely_answers
from optimize.space.space import build_space
from optimize.watcher import Watcher
from tests.benchmarks_tests.cells import cell, result


def test_what_goes_wrong_is_recorded(task: Task, model: LocalModel, tmp_path: Path) -> None:
    found = contestants.run_cell(cell(optimizer="no such optimizer"), task, model, tmp_path)

    assert not found.ok
    assert found.error.startswith("UserError")


def test_our_calibration_is_added_to_a_prompt_without_one(
    task: Task, model: LocalModel, tmp_path: Path
) -> None:
    """The bias is settled on dev and confirm, and the answers are those of prompt and bias."""
    found = contestants.run_cell(cell(optimizer="naive"), task, model, tmp_path)
    prompt = naive_prompt(task, is_chat=model.has_chat_template)
    splits = (task.splits.dev, task.splits.confirm, task.splits.test.unseal())
    space = build_space(task, 0, has_chat=False)
    said = [ask(model, task, prompt, split, likely_answers(model, space)) for split in splits]
    logp = [one.logp for one in said]
    gold = [np.array(task.gold(split)) for split in splits]
    _, bias = calibrate(np.concatenate(logp[:2]), np.concatenate(gold[:2]))

    plain = [of_split.argmax(axis=1) == gold[n] for n, of_split in enumerate(logp)]
    biased = (logp[2] + bias).argmax(axis=1) == gold[2]
    assert found.correct == "".join("01"[int(right)] for right in plain[2])
    assert found.biased == "".join("01"[int(right)] for right in biased)
    settled = settle(together(*said[:2]), np.concatenate(gold[:2]))
    weighed = settled.of(said[2]).argmax(axis=1) == gold[2]
    assert found.weighed == "".join("01"[int(right)] for right in weighed)
    assert (found.dev, found.confirm) == (plain[0].mean(), plain[1].mean())
    assert found.forward_tokens == 0


def test_blind_draws_are_our_search_with_another_sampler(
    task: Task, model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samplers: list[str] = []

    def run(task: Task, model: LocalModel, config: SearchConfig, watcher: Watcher) -> Any:
        samplers.append(config.sampler)
        raise UserError("enough")

    monkeypatch.setattr(contestants, "run_search", run)
    for name in ("optuna", "optuna-random"):
        contestants.run_cell(cell(optimizer=name), task, model, tmp_path)

    assert samplers == ["tpe", "random"]


def test_a_prompt_is_scored_once(task: Task, model: LocalModel, tmp_path: Path) -> None:
    first = contestants.run_cell(cell(optimizer="labeled"), task, model, tmp_path)
    alike = cell(optimizer="labeled", budget="small")
    on_its_own = contestants.run_cell(alike, task, model, tmp_path)
    add_result(tmp_path, dataclasses.replace(first, correct="1" * first.n_test))

    taken = contestants.run_cell(alike, task, model, tmp_path)

    assert (on_its_own.correct, on_its_own.prompt) == (first.correct, first.prompt)
    assert "scored_as" not in on_its_own.notes
    assert (taken.correct, taken.cell) == ("1" * first.n_test, alike)
    assert taken.notes["scored_as"] == first.cell.key


def test_a_search_alone_freezes_what_the_cell_does(
    task: Task, model: LocalModel, tmp_path: Path
) -> None:
    whole = contestants.run_cell(cell(optimizer="labeled"), task, model, tmp_path)

    alone = contestants.search_cell(cell(optimizer="labeled"), task, model, tmp_path)

    assert (alone.prompt, alone.forward_tokens) == (whole.prompt, whole.forward_tokens)
    assert (alone.correct, alone.n_test) == ("", 0)
    with pytest.raises(UserError, match="no such"):
        contestants.search_cell(cell(optimizer="no such"), task, model, tmp_path)


@pytest.mark.parametrize(
    "changes",
    [{"dtype": "bfloat16"}, {"test_hash": "another"}, {"prompt": {"text": "b"}}, {"error": "e"}],
)
def test_another_setting_scores_the_prompt_again(changes: dict[str, Any]) -> None:
    searched = dataclasses.replace(result("101"), dtype="float32", prompt={"text": "a"})

    assert same_prompt([searched], searched) == searched
    assert same_prompt([dataclasses.replace(searched, **changes)], searched) is None
