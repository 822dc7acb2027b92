"""Freezing: whatever a search can find, its artifact is written and loads again."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from modules.lm import LocalModel
from modules.lm.model import ModelIdentity
from modules.lm.trie import choice_log_probabilities, forks
from modules.prompts import LOWEST, apply_bias, load_artifact, save_artifact
from modules.prompts.records import Probe, SearchRecord, check_probes
from modules.tasks.example import Example, Task
from optimize.finish.ensemble import Ensemble, build_ensemble
from optimize.finish.finalists import Finalist
from optimize.finish.freeze import N_PROBES, build_artifact
from optimize.race.said import bare
from optimize.race.scoring import calibrate, score_of
from optimize.space.space import build_space
from tests import tables

Array = NDArray[np.float64]

MODEL = cast(
    LocalModel,
    SimpleNamespace(
        identity=ModelIdentity(
            name="some/model",
            source="model",
            revision="local",
            digest="0" * 64,
            dtype="float32",
            processor="NVIDIA H100 80GB HBM3",
        )
    ),
)
SEARCH = SearchRecord(
    optimizer="optuna",
    seed=0,
    budget_tokens=10,
    spent={"n_prompts": 1, "forward_tokens": 10},
    n_trials=1,
    n_pruned=0,
    n_finalists=1,
)


def winner_of(task: Task, logp: Array, **changes: Any) -> Finalist:
    """The plainest prompt of a task, with given log-probabilities on confirm."""
    space = build_space(task, 0, has_chat=True)
    gold = np.array(task.gold(task.splits.confirm))
    name, bias = calibrate(logp, gold)
    dev_gold = np.array(task.gold(task.splits.dev))
    even = np.full((len(dev_gold), logp.shape[1]), -np.log(logp.shape[1]))
    return Finalist(
        trial=0,
        prompt=space.prompt(space.starting_points()[-1] | changes).model_copy(
            update={"bias": tuple(bias.tolist())}
        ),
        calibration=name,
        dev=score_of(apply_bias(np.maximum(even, LOWEST), bias), dev_gold),
        confirm=score_of(apply_bias(np.maximum(logp, LOWEST), bias), gold),
        dev_said=bare(even),
        confirm_said=bare(logp),
        dev_logp=apply_bias(even, bias),
        confirm_logp=apply_bias(logp, bias),
    )


def frozen(task: Task, logp: Array, path: Path, command: str = "c", **changes: Any) -> Any:
    winner = winner_of(task, logp, **changes)
    artifact = build_artifact(task, MODEL, build_ensemble([winner], task), SEARCH, command)
    sealed = save_artifact(artifact, path)
    assert load_artifact(path) == sealed
    return sealed


def test_an_ensemble_is_frozen_with_what_it_is_given(odd_task: Task, tmp_path: Path) -> None:
    """The first member is the winner's prompt; scores and probes are those of the whole."""
    logp = random_logp(odd_task, 2.0)
    winner = winner_of(odd_task, logp)
    member = winner.prompt.model_copy(update={"bias": (0.5, -0.5)})
    whole = Ensemble(finalist=winner, recorded=logp, members=(member,))
    artifact = build_artifact(odd_task, MODEL, whole, SEARCH, "c")
    save_artifact(artifact, tmp_path / "a.json")
    loaded = load_artifact(tmp_path / "a.json")
    assert loaded.prompts == (winner.prompt, member)
    assert loaded.scores == {"dev": winner.dev, "confirm": winner.confirm}
    assert [probe.log_probabilities for probe in loaded.probes] == list(map(tuple, logp[:N_PROBES]))


def random_logp(task: Task, spread: float) -> Array:
    n, k = len(task.splits.confirm), len(task.labels)
    logits = np.random.default_rng(0).normal(size=(n, k)) * spread
    tree = forks([(label,) for label in range(k)], end_id=99)
    return choice_log_probabilities(tree, [logits], k)


@pytest.mark.parametrize(("n_labels", "spread"), [(2, 1e4), (26, 0.0), (26, 1.0), (50, 1.0)])
def test_any_number_of_labels_is_frozen(tmp_path: Path, n_labels: int, spread: float) -> None:
    labels = [f"class {chr(97 + n % 26)}{n // 26}" for n in range(n_labels)]
    sizes = tables.SplitSizes(train=400, dev=300, confirm=300, test=400)
    table = tables.write_table(tmp_path / "table.csv", labels, n=4_000)
    task, _ = tables.load_task(tables.TaskSpec(name="file", data=table, sizes=sizes), 0)
    counts = build_space(task, 0, has_chat=True).dimensions["n_demos"]
    most = {"layout": "chat-fields", "n_demos": counts[-1]}
    artifact = frozen(task, random_logp(task, spread), tmp_path / "a.json", **most)
    assert len(artifact.probes) == N_PROBES
    assert len(artifact.prompt.demos) == counts[-1]


@pytest.fixture(scope="module")
def odd_task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """A user's table with odd labels and meanings."""
    labels = ('"bad"\\ </s>', "👍\u200d{input} {0} {{x}}")
    meanings = {labels[0]: "it is\n“bad”\x1b[2J\u202e", labels[1]: "{input} %s"}
    return tables.file_task(tmp_path_factory.mktemp("odd"), labels, meanings=meanings)


def test_odd_labels_meanings_and_commands_are_frozen(odd_task: Task, tmp_path: Path) -> None:
    on = {"part_labels": "means", "part_form": "one-word"}
    command = "burnish optimize --data 'ü\u2028\x00.csv'"
    artifact = frozen(odd_task, random_logp(odd_task, 3.0), tmp_path / "a.json", command, **on)
    assert artifact.reading.placeholder == "{input_1}"
    assert artifact.command == command


@pytest.mark.parametrize(
    "row", [(0.0, -np.inf), (-0.0, -2e3), (-1e-310, -800.0), (np.log(0.5), np.log(0.5))]
)
def test_sure_answers_are_frozen(odd_task: Task, tmp_path: Path, row: tuple[float, float]) -> None:
    logp = np.tile(np.array(row), (len(odd_task.splits.confirm), 1))
    artifact = frozen(odd_task, logp, tmp_path / "a.json")
    for probe in artifact.probes:
        assert probe.log_probabilities == tuple(max(x, -1000.0) for x in row)


def test_probes_are_the_first_confirm_examples_that_are_not_very_long(
    odd_task: Task, tmp_path: Path
) -> None:
    logp = random_logp(odd_task, 2.0)
    artifact = frozen(odd_task, logp, tmp_path / "a.json")
    for probe, example, row in zip(artifact.probes, odd_task.splits.confirm, logp, strict=False):
        assert (probe.example_id, probe.label) == (example.id, example.label)
        assert probe.text == example.inputs["text"]
        assert probe.log_probabilities == tuple(row)


LOGIT = st.floats(-1e5, 1e5) | st.floats(-30, 30, width=16) | st.sampled_from([0.0, -0.0, -np.inf])


@settings(max_examples=150)
@given(data=st.data())
def test_what_a_trie_gives_is_a_probe(data: st.DataObject) -> None:
    """No rounding lifts a log-probability above 0, or their sum away from 1."""
    token = st.integers(0, 3)
    choices = data.draw(
        st.lists(st.lists(token, min_size=1, max_size=3).map(tuple), min_size=2, unique=True)
    )
    tree = forks(choices, end_id=9)
    logits = []
    for fork in tree:
        row = data.draw(st.lists(LOGIT, min_size=len(fork.tokens), max_size=len(fork.tokens)))
        row[data.draw(st.integers(0, len(row) - 1))] = data.draw(st.floats(-1e5, 1e5))
        logits.append(np.array([row]))
    (logp,) = np.maximum(choice_log_probabilities(tree, logits, len(choices)), -1e3).tolist()
    labels = [f"label {n}" for n in range(len(choices))]
    example = Example(inputs={"text": "a"}, label=labels[0])
    probe = Probe(example_id=example.id, text="a", label=labels[0], log_probabilities=tuple(logp))
    check_probes([probe], "text", labels)
