"""The writer: what it is asked, what is kept of it, and that a study remembers it."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import dspy
import pytest

from modules.errors import UserError
from modules.lm import Ledger, LocalModel
from modules.prompts import load_artifact
from modules.tasks.example import Task
from optimize.config import Budget
from optimize.propose.writer import N_WRITTEN, open_writer, write_instructions
from optimize.race.record import Cost
from optimize.search import run_search
from optimize.space.space import Space
from optimize.study.study import Search
from optimize.watcher import Watcher
from tests.optimize_tests.searching import config


class Scripted(dspy.BaseLM):  # type: ignore[misc]
    """An LM that gives its answers in turn, in the form that DSPy's chat adapter reads."""

    def __init__(self, answers: list[str]) -> None:
        super().__init__(model="scripted")
        self.answers = answers
        self.asked: list[str] = []

    def copy(self, **kwargs: Any) -> "Scripted":
        return self

    def __call__(self, prompt: Any = None, messages: Any = None, **kwargs: Any) -> list[str]:
        self.asked.append(str(messages))
        said = self.answers[(len(self.asked) - 1) % len(self.answers)]
        return [f"[[ ## instruction ## ]]\n{said}\n\n[[ ## completed ## ]]"]


def test_different_sensible_texts_are_kept(task: Task, model: LocalModel) -> None:
    good = ["Say which  label fits\nbest.", "Read all of it, then decide."]
    writer = Scripted([*good, good[0], "x", "y" * 401, ""])
    written = write_instructions(writer, task, model)
    assert written == ("Say which label fits best.", "Read all of it, then decide.")
    assert len(writer.asked) == N_WRITTEN
    first = task.splits.train[0]
    assert all(first.inputs[task.input_field] in asked for asked in writer.asked)
    assert all(task.signature.instructions in asked for asked in writer.asked)


def test_the_own_model_writes_on_the_account(task: Task, model: LocalModel) -> None:
    model.ledger = Ledger()
    once = write_instructions(open_writer("self", model, 0), task, model)
    assert model.ledger.account.sampled_tokens > 0
    assert write_instructions(open_writer("self", model, 0), task, model) == once
    assert all(10 <= len(text) <= 400 for text in once)


def test_a_server_that_is_not_there_is_one_line(task: Task, model: LocalModel) -> None:
    writer = open_writer("openai/some@http://localhost:9/v1", model, 0)
    writer.num_retries = 0
    with pytest.raises(UserError, match="the writer did not answer: "):
        write_instructions(writer, task, model)


def test_a_study_remembers_what_was_written(
    task: Task, model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second run is refused a writer, and freezes the same bytes."""
    said = Scripted(["Name the mood of the words.", "Which of the two is it, honestly?"])
    monkeypatch.setattr("optimize.study.written.open_writer", lambda *_: said)
    settings = config(tmp_path, writer="said")
    artifact, path = run_search(task, model, settings, Watcher())
    before = path.read_bytes()
    assert artifact.search.settings is not None
    assert artifact.search.settings.writer == "said"

    def refuse(*_: object) -> None:
        raise AssertionError("asked again")

    monkeypatch.setattr("optimize.study.written.open_writer", refuse)
    run_search(task, model, settings, Watcher())
    assert path.read_bytes() == before
    assert load_artifact(path) == artifact
    (journal,) = tmp_path.glob("runs/*/*.journal")
    assert "Which of the two is it, honestly?" in journal.read_text()
    assert '"written-1"' in journal.read_text()  # some trial tried it


def test_the_time_of_writing_is_told_with_its_tokens(
    task: Task, model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tokens without their time would make the forecast's speed too high."""
    costs = []

    class Noting(Watcher):
        def began(self, search: Search, space: Space, budget: Budget) -> None:
            costs.append(Cost(**search.study.user_attrs["written_cost"]))

    run_search(task, model, config(tmp_path / "own", writer="self"), Noting())
    said = Scripted(["Name the mood of the words."])
    monkeypatch.setattr("optimize.study.written.open_writer", lambda *_: said)
    run_search(task, model, config(tmp_path / "other", writer="said"), Noting())

    own, other = costs
    assert own.tokens > 0
    assert own.seconds > 0
    assert other == Cost()  # another model's tokens are not on the account, nor is its time


def test_a_refused_budget_names_one_that_pays_the_writer_too(
    task: Task, model: LocalModel, tmp_path: Path
) -> None:
    """What was written stays in the study, so the same command with that budget goes on from it."""
    small = replace(config(tmp_path, writer="self"), budget=Budget(tokens=1_000))
    with pytest.raises(UserError, match="too small") as refused:
        run_search(task, model, small, Watcher())
    (advice,) = re.findall(r"give at least ([\d,]+)", str(refused.value))
    enough = Budget(tokens=int(advice.replace(",", "")))

    artifact, _ = run_search(task, model, replace(small, budget=enough), Watcher())

    assert artifact.search.n_trials >= 1


@pytest.mark.parametrize("name", ["@http://x", "openai/@http://x", "model@https://x"])
def test_a_server_needs_a_model(model: LocalModel, name: str) -> None:
    with pytest.raises(UserError, match="a writer on a server is PROVIDER/NAME@URL"):
        open_writer(name, model, 0)


def test_the_own_model_by_name_is_the_own_model(model: LocalModel) -> None:
    assert open_writer(model.identity.name, model, 0).engine.model is model
