"""Proposals: where points come from, and that they depend on nothing but what is known."""

import random
from typing import Any

import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState, create_trial

from modules.lm import LocalModel
from modules.programs.instructions import OFF, SWITCHES
from modules.prompts import what_is_read
from modules.tasks.example import Task
from optimize.propose.moves import crossing, deletion, neighbour
from optimize.propose.proposal import Proposal
from optimize.propose.proposer import Proposer
from optimize.propose.samplers import SAMPLERS, directions, mixed_seed, sample
from optimize.race.record import BY, LOGP, LOSS, SLOT, TrialRecord, read_record
from optimize.space.space import Space, build_space

DIMENSIONS: dict[str, list[Any]] = {
    "layout": ["a", "b"],
    "words": ["x"],
    "n_demos": [0, 2, 4],
    "demo_set": list(range(5)),
    "part_task": [OFF, "classify"],
    "part_form": [OFF, "one-word"],
}
ONE = {"layout": "a", "words": "x", "n_demos": 0, "demo_set": 0, "part_task": "classify"}
ONE |= {"part_form": OFF}
OTHER = {"layout": "b", "words": "x", "n_demos": 4, "demo_set": 3, "part_task": OFF}
OTHER |= {"part_form": "one-word"}


@pytest.fixture(scope="module")
def space(task: Task) -> Space:
    return build_space(task, 0, has_chat=False)


def record(space: Space, slot: int, proposal: Proposal, n_values: int) -> TrialRecord:
    """A finished trial; the loss is less where there are more demos."""
    point = proposal.point
    loss = 1.0 - 0.01 * point["n_demos"] + 0.001 * slot
    trial = create_trial(
        state=TrialState.COMPLETE,
        values=[loss, float(point["n_demos"])][:n_values],
        params=point,
        distributions={
            name: CategoricalDistribution(list(values)) for name, values in space.dimensions.items()
        },
        user_attrs={SLOT: slot, BY: "start", LOSS: loss, LOGP: "[]"},
        system_attrs=proposal.marks,
    )
    return read_record(trial)


def history(proposer: Proposer, n: int) -> list[TrialRecord]:
    """So many trials as the proposer proposes them."""
    n_values = len(directions(proposer.sampler))
    trials: list[TrialRecord] = []
    while len(trials) < n:
        number = len(trials) // proposer.generation_size
        for slot, proposal in proposer.generation(trials, number).items():
            trials.append(record(proposer.space, slot, proposal, n_values))
    return trials[:n]


def test_a_neighbour_differs_in_one_or_two_dimensions() -> None:
    seen = set()
    for seed in range(200):
        point = neighbour([ONE], DIMENSIONS, lambda p: p != ONE, random.Random(seed))
        assert point is not None
        changed = [name for name in ONE if point[name] != ONE[name]]
        assert 1 <= len(changed) <= 2
        seen |= set(changed)
    assert seen == set(ONE) - {"words"}  # a single value cannot move


def test_a_crossing_keeps_what_belongs_together() -> None:
    for seed in range(100):
        point = crossing([ONE, OTHER], lambda p: p not in (ONE, OTHER), random.Random(seed))
        assert point is not None
        assert (point["n_demos"], point["demo_set"]) in {(0, 0), (4, 3)}
        assert all(point[name] in (ONE[name], OTHER[name]) for name in ONE)
    assert crossing([ONE], lambda p: True, random.Random(0)) is None
    assert crossing([ONE, ONE], lambda p: p != ONE, random.Random(0)) is None


def test_a_deletion_leaves_one_part_out() -> None:
    both = {**ONE, "part_form": "one-word"}
    found = [deletion([both], OFF, lambda p: True, random.Random(seed)) for seed in range(20)]
    expected = [{**both, "part_task": OFF}, {**both, "part_form": OFF}]
    assert all(point in expected for point in found)
    assert all(point in found for point in expected)
    assert deletion([both], OFF, lambda p: False, random.Random(0)) is None
    bare = {**ONE, "part_task": OFF}
    assert deletion([bare], OFF, lambda p: True, random.Random(0)) is None


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_sampler_depends_on_trials_seed_and_slot_alone(space: Space, name: str) -> None:
    proposer = Proposer(space, 0, name, 4)
    trials = [trial.frozen for trial in history(proposer, 14)]
    one = sample(name, space.dimensions, trials, 0, 14)
    assert sample(name, space.dimensions, trials, 0, 14) == one
    if name != "gp":  # which takes the one best point of its model
        others = [sample(name, space.dimensions, trials, seed, 14)[0] for seed in (1, -1)]
        assert one[0] not in others
    assert all(one[0][key] in values for key, values in space.dimensions.items())


def test_nsga2_breeds_from_its_own_marks(space: Space) -> None:
    """Without the marks on the trials it would draw at random for ever."""
    proposer = Proposer(space, 0, "nsga2", 4)
    trials = [trial.frozen for trial in history(proposer, 24)]
    bred, marks = sample("nsga2", space.dimensions, trials, 0, 24)
    assert any("generation" in key and value > 0 for key, value in marks.items())
    random_point, _ = sample("nsga2", space.dimensions, [], 0, 24)
    assert bred != random_point


def test_seeds_of_any_sign_and_slots_differ() -> None:
    keys = [(seed, slot) for seed in (-(10**30), -1, 0, 1, 2**70) for slot in range(4)]
    mixed = [mixed_seed(*key) for key in keys]
    assert len(set(mixed)) == len(keys)
    assert all(0 <= seed < 2**32 for seed in mixed)


def test_generations_follow_from_what_is_known(space: Space) -> None:
    for size in (1, 2, 5):
        proposer = Proposer(space, 3, "tpe", size)
        trials = history(proposer, 20)
        again = Proposer(space, 3, "tpe", size).generation(trials[: 15 // size * size], 15 // size)
        first = 15 // size * size
        assert list(again) == list(range(first, first + size))
        assert again[first].point == trials[first].point


def test_no_prompt_is_proposed_twice(space: Space) -> None:
    trials = history(Proposer(space, 0, "tpe", 4), 40)
    identities = [space.prompt(trial.point).identity() for trial in trials]
    assert len(set(identities)) == len(identities)
    assert len({what_is_read(space.prompt(trial.point)) for trial in trials}) == len(trials)


def test_everybody_gets_a_turn(space: Space) -> None:
    proposer = Proposer(space, 0, "tpe", 4)
    trials = history(proposer, 24)
    later = [
        proposal.by
        for number in (4, 5, 6)
        for proposal in proposer.generation(trials[: number * 4], number).values()
    ]
    assert {"tpe", "crossed", "near"} <= set(later)
    pure = Proposer(space, 0, "random", 4).generation(trials[:16], 4)
    assert {proposal.by for proposal in pure.values()} == {"random"}


def test_written_instructions_stand_in_place_of_the_composed_task(task: Task) -> None:
    space = build_space(task, 0, has_chat=False, written={"written-1": "Decide with care."})
    point = {**space.starting_points()[0], "part_role": "judge", "part_form": "one-word"}
    composed = [part.role for part in space.prompt(point).instruction]
    written = space.prompt({**point, "written": "written-1"}).instruction
    assert [part.role for part in written] == composed == ["role", "task", "form"]
    assert written[1].text == "Decide with care."
    assert any(p["written"] == "written-1" for p in space.starting_points())
    off = {f"part_{role}": OFF for role in SWITCHES}
    assert space.prompt({**point, **off}).instruction == ()


def test_the_space_of_a_model_without_chat_has_no_system_turn(
    model: LocalModel, space: Space
) -> None:
    assert not model.has_chat_template
    assert "system" not in space.dimensions["place"]
