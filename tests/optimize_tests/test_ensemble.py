"""Ensembles: who is chosen, and what is said of them, against plain arithmetic."""

from dataclasses import replace
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray
from optuna.trial import FrozenTrial

from modules.prompts import LOWEST, LabelWord, Layout, Prompt, apply_bias
from modules.tasks.example import Task
from optimize.finish.ensemble import build_ensemble, pick_members
from optimize.finish.finalists import Finalist
from optimize.race.record import Cost, TrialRecord
from optimize.race.said import bare
from optimize.race.scoring import calibrate, information_loss, score_of

Array = NDArray[np.float64]


def log_odds(scores: Array) -> Array:
    """Log-probabilities [n, 2] of label 1 with these log-odds."""
    return np.stack([-np.logaddexp(0, scores), -np.logaddexp(0, -scores)], axis=1)


def prompt(name: str) -> Prompt:
    return Prompt(
        layout=Layout(kind="text", input_lead=f"{name}:", answer_lead="It:"),
        words=(LabelWord(label="negative", word="bad"), LabelWord(label="positive", word="good")),
        bias=(0.0, 0.0),
    )


def trial(slot: int, logp: Array, gold: NDArray[np.int64]) -> TrialRecord:
    return TrialRecord(
        slot=slot,
        by="start",
        point={},
        loss=float(information_loss(logp, gold).mean()),
        pruned=False,
        logp=logp,
        look_losses=(),
        cost=Cost(),
        saved_tokens=0,
        prompt_tokens=0.0,
        frozen=cast(FrozenTrial, None),
    )


@pytest.fixture(scope="module")
def gold(task: Task) -> NDArray[np.int64]:
    return np.array(task.gold(task.splits.dev))


def noisy(gold: NDArray[np.int64], noise: Array) -> Array:
    return log_odds((2 * gold - 1) * 1.0 + noise)


def test_a_member_is_chosen_for_what_it_adds(task: Task, gold: NDArray[np.int64]) -> None:
    """The second best errs where the best does; the third errs elsewhere, so it joins first."""
    rng = np.random.default_rng(0)
    shared, own = rng.normal(size=(2, len(gold))) * 1.5
    best = noisy(gold, shared)
    copy = noisy(gold, shared + rng.normal(size=len(gold)) * 0.05)
    other = noisy(gold, own * 1.4)
    pool = [(trial(n, logp, gold), prompt(f"p{n}")) for n, logp in enumerate((best, copy, other))]
    assert [t.slot for t, _ in pick_members(pool, task, 2)] == [0, 2]
    assert [t.slot for t, _ in pick_members(pool, task, 3)] == [0, 2, 1]
    assert [t.slot for t, _ in pick_members(pool, task, 9)] == [0, 2, 1]
    assert pick_members(pool, task, 1) == pool[:1]
    assert pick_members([], task, 3) == []


def finalist(task: Task, number: int, seed: int) -> Finalist:
    rng = np.random.default_rng(seed)
    dev_gold, confirm_gold = (
        np.array(task.gold(split)) for split in (task.splits.dev, task.splits.confirm)
    )
    dev = noisy(dev_gold, rng.normal(size=len(dev_gold)) + number)
    confirm = noisy(confirm_gold, rng.normal(size=len(confirm_gold)) + number)
    bias = calibrate(dev, dev_gold)[1]
    return Finalist(
        trial=number,
        prompt=prompt(f"p{number}").model_copy(update={"bias": (0.25 * number, -0.25 * number)}),
        calibration="fitted",
        dev=score_of(apply_bias(np.maximum(dev, LOWEST), bias), dev_gold),
        confirm=score_of(apply_bias(np.maximum(confirm, LOWEST), bias), confirm_gold),
        dev_said=bare(dev),
        confirm_said=bare(confirm),
        dev_logp=apply_bias(dev, bias),
        confirm_logp=apply_bias(confirm, bias),
    )


def mean_of(logps: list[Array], biases: list[Array]) -> Array:
    """The definition, one example and one label at a time."""
    n, k = logps[0].shape
    out = np.zeros((n, k))
    for i in range(n):
        for logp, bias in zip(logps, biases, strict=True):
            scores = logp[i] + bias
            out[i] += (scores - np.log(np.exp(scores).sum())) / len(logps)
        out[i] -= np.log(np.exp(out[i]).sum())
    return out


def test_the_scores_are_those_of_all_together(task: Task) -> None:
    members = [finalist(task, n, seed) for n, seed in ((1, 3), (2, 4), (3, 5))]
    ensemble = build_ensemble(members, task)
    assert ensemble.members == tuple(member.prompt for member in members[1:])
    assert ensemble.finalist.prompt == members[0].prompt
    dev_gold = np.array(task.gold(task.splits.dev))
    settled = [calibrate(member.dev_said.logp, dev_gold)[1] for member in members]
    dev = mean_of([member.dev_said.logp for member in members], settled)
    assert ensemble.finalist.dev.n_correct == int((dev.argmax(axis=1) == dev_gold).sum())
    final = [np.array(member.prompt.bias) for member in members]
    confirm = mean_of([member.confirm_said.logp for member in members], final)
    assert ensemble.recorded == pytest.approx(confirm)
    told = mean_of([member.confirm_said.logp for member in members], settled)
    assert ensemble.finalist.confirm_logp == pytest.approx(told)
    assert ensemble.finalist.confirm.n == len(task.splits.confirm)


def test_one_member_is_itself(task: Task) -> None:
    one = finalist(task, 1, 3)
    ensemble = build_ensemble([one], task)
    assert (ensemble.finalist, ensemble.members) == (one, ())
    assert build_ensemble([replace(one, trial=9)], task).finalist.trial == 9
