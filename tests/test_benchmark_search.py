"""The matrix of optimizers: the order of its cells, its journal, and the numbers of its report."""

import dataclasses
import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from benchmarks.search import contestants, protocol
from benchmarks.search.curves import panels
from benchmarks.search.journal import (
    RESULTS_FILE,
    Result,
    add_result,
    add_test,
    read_results,
    read_tests,
    same_prompt,
)
from benchmarks.search.promptolution_install import is_installed
from benchmarks.search.protocol import Cell, cells
from benchmarks.search.report import analyse, as_json, markdown
from benchmarks.search.running import check_journal, expected_seconds, run_matrix
from benchmarks.search.scores import Clusters
from benchmarks.search.times import measure, reached
from modules.errors import UserError
from modules.files import make_folder
from modules.lm import BudgetExceeded, Ledger, LocalModel, Sampling
from modules.locked import open_locked
from modules.programs.naive import naive_prompt
from modules.tasks import SplitSizes
from modules.tasks.example import Task
from optimize.config import SearchConfig
from optimize.race.said import ask, together
from optimize.race.scoring import calibrate, settle
from optimize.space.evidence import likely_answers
from optimize.space.space import build_space
from optimize.watcher import Watcher
from tests import tables

pytestmark = pytest.mark.filterwarnings("ignore:Mean of empty slice:RuntimeWarning:promptolution")

needs_promptolution = pytest.mark.skipif(
    not is_installed(), reason="promptolution is not installed (see benchmarks/README.md)"
)


def cell(**changes: object) -> Cell:
    """A cell, changed where need be."""
    plain = {"task": "t", "model": "m", "seed": 0, "optimizer": "optuna", "budget": "large"}
    return Cell(**(plain | changes))


def result(correct: str, *, guided: str = "", **changes: object) -> Result:
    """A finished cell with these answers; the other changes are the cell's, or the costs."""
    costs = {
        name: changes.pop(name)
        for name in (
            "forward_tokens",
            "seconds",
            "test_seconds",
            "dev",
            "confirm",
            "error",
            "notes",
        )
        if name in changes
    }
    where = cell(**changes)
    return Result(
        cell=where,
        budget_tokens=protocol.budget_tokens(where.task, where.budget),
        n_test=len(correct),
        test_hash=f"test-{where.task}-{where.seed}",
        correct=correct,
        guided=guided,
        **costs,
    )


def test_cells_come_group_by_group_and_seed_by_seed() -> None:
    found = cells(
        tasks=["a", "b"],
        models=["m", "n"],
        seeds=[0, 1],
        budgets=["small", "large"],
        optimizers=["x", "y"],
    )

    groups = [(one.seed, one.task, one.model) for one in found]
    assert groups == sorted(groups)
    assert [(one.budget, one.optimizer) for one in found[:4]] == [
        ("small", "x"),
        ("small", "y"),
        ("large", "x"),
        ("large", "y"),
    ]
    assert len({one.key for one in found}) == len(found) == 32


def test_budgets_grow_with_the_texts() -> None:
    assert protocol.budget_tokens("snippets", "small") == 40_000
    assert protocol.budget_tokens("snippets", "large") == 200_000
    assert protocol.budget_tokens("snippets", "1/20") == 10_000
    assert protocol.budget_tokens("imdb", "small") == 200_000


def test_the_smallest_budget_takes_fewer_labelled_examples_and_the_same_test_split() -> None:
    few, all_ = (
        protocol.task_spec("snippets", n_test=500, data_folder=None, budget=budget).sizes
        for budget in ("1/50", "small")
    )

    assert protocol.budget_tokens("snippets", "1/50") == 4_000
    assert (few.train, few.dev, few.confirm, few.test) == (60, 70, 30, 500)
    assert (all_.train, all_.dev, all_.confirm, all_.test) == (60, 90, 50, 500)


def test_a_result_comes_back_from_the_journal(tmp_path: Path) -> None:
    one = result("0110", guided="1111", dev=0.5, forward_tokens=7)

    add_result(tmp_path, one)

    assert read_results(tmp_path) == [one]


def test_a_torn_line_is_passed_over_and_cut_off(tmp_path: Path) -> None:
    first, second = result("01"), result("10", seed=1)
    add_result(tmp_path, first)
    with (tmp_path / RESULTS_FILE).open("ab") as file:
        file.write(b'{"schema_version":1,"cell":{"ta')

    assert read_results(tmp_path) == [first]
    add_result(tmp_path, second)
    assert read_results(tmp_path) == [first, second]


def test_the_last_of_equal_cells_counts(tmp_path: Path) -> None:
    add_result(tmp_path, result("01"))
    add_result(tmp_path, result("11"))

    assert [one.correct for one in read_results(tmp_path)] == ["11"]


def test_a_newer_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / RESULTS_FILE).write_text('{"schema_version":99}\n')

    with pytest.raises(UserError, match="newer than 1"):
        read_results(tmp_path)


def test_a_test_split_is_kept_once(tmp_path: Path) -> None:
    add_test(tmp_path, "hash", ["a", "b"])
    add_test(tmp_path, "hash", ["a", "b"])

    assert read_tests(tmp_path) == {"hash": ["a", "b"]}


def test_another_test_size_is_refused(tmp_path: Path) -> None:
    add_result(tmp_path, result("0110"))

    check_journal(tmp_path, 4)
    with pytest.raises(UserError, match="--n-test is 3"):
        check_journal(tmp_path, 3)


def counting(seen: list[str], seconds: float = 1.0) -> Callable[[Cell], Result]:
    """What runs a cell in no time, and notes its key."""

    def run(one: Cell) -> Result:
        seen.append(one.key)
        return result("1", seconds=seconds, **one.to_json())

    return run


def test_a_resumed_run_skips_what_is_finished(tmp_path: Path) -> None:
    wanted = [cell(seed=seed) for seed in range(3)]
    add_result(tmp_path, result("1", **wanted[1].to_json()))
    seen: list[str] = []

    assert run_matrix(wanted, tmp_path, 60, counting(seen)) == 0
    assert seen == [wanted[0].key, wanted[2].key]
    assert run_matrix(wanted, tmp_path, 60, counting(seen)) == 0
    assert len(seen) == 2


def test_a_cell_of_another_process_is_passed_over(tmp_path: Path) -> None:
    """Whether that one is still at it, or has finished it since this process began."""
    wanted = [cell(seed=seed) for seed in range(3)]
    seen: list[str] = []
    run = counting(seen)

    def in_company(one: Cell) -> Result:
        add_result(tmp_path, result("1", **wanted[2].to_json()))
        return run(one)

    make_folder((tmp_path / "claims" / wanted[0].key).parent)
    with open_locked(tmp_path / "claims" / wanted[0].key):
        assert run_matrix(wanted, tmp_path, 60, in_company) == 1
    assert seen == [wanted[1].key]
    assert run_matrix(wanted, tmp_path, 60, run) == 0
    assert seen == [wanted[1].key, wanted[0].key]


def test_a_folder_that_cannot_be_written_is_an_error_and_no_company(tmp_path: Path) -> None:
    (tmp_path / "claims").write_text("in the way")
    with pytest.raises(UserError, match="cannot write to the folder"):
        run_matrix([cell()], tmp_path, 60, counting([]))


def test_errors_are_run_again_when_asked_for(tmp_path: Path) -> None:
    wanted = [cell(seed=seed) for seed in range(2)]
    add_result(tmp_path, result("", error="ValueError: no", **wanted[0].to_json()))
    seen: list[str] = []

    assert run_matrix(wanted, tmp_path, 60, counting(seen)) == 0
    assert run_matrix(wanted, tmp_path, 60, counting(seen), retry=True) == 0
    assert seen == [wanted[1].key, wanted[0].key]
    assert all(one.ok for one in read_results(tmp_path))


def test_no_cell_is_started_that_would_pass_the_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    now = 0.0

    def run(one: Cell) -> Result:
        nonlocal now
        now += 40
        return result("1", seconds=40.0, **one.to_json())

    wanted = [cell(seed=seed) for seed in range(5)]
    assert run_matrix(wanted, tmp_path, 1.5, run, clock=lambda: now) == 3
    assert "about 40 s would pass the time" in capsys.readouterr().out


def test_the_forecast_takes_the_same_optimizer_and_scales_with_the_budget() -> None:
    finished = [
        result("1", budget="small", seconds=30.0, test_seconds=5.0),
        result("1", budget="small", optimizer="capo", seconds=300.0, test_seconds=5.0),
    ]

    assert expected_seconds(cell(), finished) == pytest.approx(155)
    assert expected_seconds(cell(optimizer="mipro", budget="small"), finished) == 305
    assert expected_seconds(cell(task="other"), finished) == 0


def hand_made() -> list[Result]:
    """Two seeds of 10 examples: ours 18 of 20, capo 12 (16 by choose), labeled 10, mipro failed."""
    return [
        result("1111111110", dev=1.0, confirm=0.9, forward_tokens=100, seconds=10.0),
        result("1111111110", seed=1, dev=0.9, confirm=1.0, forward_tokens=100, seconds=10.0),
        result("1111111100", seed=0, budget="small", forward_tokens=20, seconds=3.0),
        result("1111111100", seed=1, budget="small", forward_tokens=20, seconds=3.0),
        result(
            "1111110000", guided="1111111100", optimizer="capo", forward_tokens=80, seconds=30.0
        ),
        result(
            *("1111110000",),
            guided="1111111100",
            optimizer="capo",
            seed=1,
            forward_tokens=120,
            seconds=30.0,
        ),
        result("1111100000", optimizer="labeled"),
        result("1111100000", optimizer="labeled", seed=1),
        result("", optimizer="mipro", error="ValueError: no"),
    ]


def test_lines_of_a_hand_made_journal() -> None:
    found = analyse(hand_made(), {}, "optuna")
    lines = {line.contestant: line for line in found.lines if line.group.budget == "large"}

    assert [*lines] == ["optuna", "capo+choose", "capo", "labeled"]
    ours = lines["optuna"]
    assert (ours.accuracy, ours.n, ours.seeds) == (0.9, 20, (0, 1))
    assert ours.low < 0.9 < ours.high
    assert ours.dev == pytest.approx(0.95)
    assert ours.confirm == pytest.approx(0.95)
    assert lines["capo"].forward_tokens == 100


def test_the_best_peer_is_the_one_that_ours_leads_by_least() -> None:
    found = analyse(hand_made(), {}, "optuna")
    (verdict,) = found.verdicts
    (best,) = verdict.best

    assert (verdict.budget, best.peer) == ("large", "capo+choose")
    assert (best.n_only_ours, best.n_only_peer) == (2, 0)
    assert best.p == 0.5  # two of two discordant answers: 2 * (1/2)^2
    assert verdict.adjusted == (0.5,)
    assert (verdict.n_ahead, verdict.n_surely_ahead) == (1, 0)
    assert verdict.lead == pytest.approx(0.1)
    labeled = next(one for one in found.comparisons if one.peer == "labeled")
    assert labeled.p == pytest.approx(2 * 0.5**8)


def test_holm_is_over_the_pairs_of_a_budget() -> None:
    other = [
        result("1111111111", task="u"),
        result("0000000000", task="u", optimizer="labeled"),
    ]
    (verdict,) = analyse(hand_made() + other, {}, "optuna").verdicts

    assert dict(zip([one.group.task for one in verdict.best], verdict.adjusted, strict=True)) == {
        "t": 0.5,
        "u": pytest.approx(2 * 2 * 0.5**10),
    }
    assert verdict.n_surely_ahead == 1


def test_the_smallest_budget_that_reaches_the_best_peer() -> None:
    (found,) = analyse(hand_made(), {}, "optuna").efficiencies

    assert (found.peer, found.peer_budget) == ("capo+choose", "large")
    assert (found.budget, found.target, found.accuracy) == ("small", 0.8, 0.8)
    assert found.share_tokens == pytest.approx(40 / 200)
    assert found.share_seconds == pytest.approx(0.1)


def test_a_peer_of_a_smaller_budget_is_reached_with_less() -> None:
    """A peer's 7 of 10 at 40 tokens: ours has 6 with 4 tokens, 7 with 10, 9 with 40."""
    found = [
        result("1111111110", budget="small", forward_tokens=40, seconds=8.0),
        result("1111110000", budget="1/20", forward_tokens=4, seconds=1.0),
        result("1111111000", budget="1/10", forward_tokens=10, seconds=2.0),
        result("0001111111", budget="small", optimizer="capo", forward_tokens=40, seconds=20.0),
    ]

    analysis = analyse(found, {}, "optuna")
    (reached,) = analysis.efficiencies

    assert (reached.peer_budget, reached.budget, reached.accuracy) == ("small", "1/10", 0.7)
    assert (reached.share_tokens, reached.share_seconds) == (0.25, 0.1)
    row = "| t | m | small | `capo` | 70.0 % | 1/10 | 70.0 % | 25 % | 10 % |"
    assert row in markdown(analysis, "optuna")


def test_seeds_that_only_one_has_are_not_compared() -> None:
    found = [result("11"), result("11", seed=1), result("10", optimizer="labeled")]
    (one,) = analyse(found, {}, "optuna").comparisons

    assert (one.seeds, one.n, one.ours, one.theirs) == ((0,), 2, 1.0, 0.5)


def test_clusters_resample_a_text_with_all_its_answers() -> None:
    """The same 40 texts in two seeds are as sure as one seed, 80 texts surer."""
    answers = np.array([1.0, 0.0] * 20)
    ids = [f"text {n}" for n in range(40)]
    one = Clusters({0: ids}, n_resamples=4_000).draws({0: answers})
    same = Clusters({0: ids, 1: ids}, n_resamples=4_000).draws({0: answers, 1: answers})
    apart = Clusters({0: ids, 1: [i + "!" for i in ids]}, n_resamples=4_000)

    assert np.array_equal(one, same)
    assert one.std() == pytest.approx(math.sqrt(0.25 / 40), rel=0.1)
    both = apart.draws({0: answers, 1: answers})
    assert both.std() == pytest.approx(math.sqrt(0.25 / 80), rel=0.1)


def test_the_report_says_what_was_found() -> None:
    found = analyse(hand_made(), {}, "optuna")
    text = markdown(found, "optuna")
    value = as_json(found, "optuna")

    assert "| t | m | 2 | 90.0 % | `capo+choose` | 80.0 % | +10.0 [" in text
    assert "Ahead of the best peer in 1 of 1 pairs" in text
    assert "t/m/seed-0/large/mipro: ValueError: no" in text
    assert "silent defaults" not in text
    assert value["errors"] == {"t/m/seed-0/large/mipro": "ValueError: no"}
    assert value["verdicts"][0]["n_ahead"] == 1


def test_a_pair_that_not_every_peer_has_is_named() -> None:
    whole = [result("10", task="u", optimizer=name) for name in protocol.PEERS]
    found = analyse([*hand_made(), result("11", task="u"), *whole], {}, "optuna")
    text = markdown(found, "optuna")
    missing = [name for name in protocol.PEERS if name not in ("capo", "labeled")]

    assert found.verdicts[0].missing == (tuple(missing), ())
    assert "Ahead of the best peer in 2 of 2 pairs" in text
    assert f"in 1 of them. Missing: t with m: {', '.join(missing)}.\n" in text
    assert "every peer" not in markdown(
        analyse([result("11", task="u"), *whole], {}, "optuna"), "optuna"
    )


def test_controls_are_compared_with_and_are_no_peers() -> None:
    """`labeled` is right in 2 of 4, with our calibration in 3; the naive prompt in 4."""
    found = analyse(
        [
            result("1110"),
            dataclasses.replace(result("1100", optimizer="labeled", dev=0.5), biased="1110"),
            result("1111", optimizer="naive"),
        ],
        {},
        "optuna",
    )
    text = markdown(found, "optuna")

    (verdict,) = found.verdicts
    assert [(one.peer, one.theirs) for one in verdict.best] == [("labeled", 0.5)]
    assert {one.peer: one.theirs for one in found.comparisons} == {
        "labeled": 0.5,
        "labeled+bias": 0.75,
        "naive": 1.0,
    }
    lines = {line.contestant: line for line in found.lines}
    assert (lines["labeled"].dev, lines["labeled+bias"].dev) == (0.5, None)
    peers, controls = text.split("Against each peer")[1].split("Against each control")
    assert "| `labeled` | 1 | 1 | +25.0 | +25.0 |" in peers
    assert "naive" not in peers
    assert "| `naive` | 1 | 0 | -25.0 | -25.0 |" in controls
    assert "| `labeled+bias` | 1 | 0 | +0.0 | +0.0 |" in controls


def test_the_curves_show_peers_and_no_controls(tmp_path: Path) -> None:
    for one in (
        result("1110"),
        result("1100", budget="1/50"),
        dataclasses.replace(result("1000", optimizer="labeled"), biased="1111"),
        result("1111", optimizer="naive"),
    ):
        add_result(tmp_path, one)

    (panel,) = panels(tmp_path, "optuna")
    assert [(line.group.budget, line.accuracy) for line in panel.ours] == [
        ("1/50", 0.5),
        ("large", 0.75),
    ]
    assert [(line.contestant, line.accuracy) for line in panel.peers] == [("labeled", 0.25)]


def test_what_reaches_the_best_peer_is_timed_in_turn() -> None:
    """At 1/20 ours has what the peer has at the small budget; 2 and 3 s against 20 and 30 s."""
    found = [
        result("1000", budget="1/50"),
        result("1100", budget="1/20"),
        result("1111", budget="small"),
        result("1100", optimizer="mipro", budget="small"),
        result("1111", task="u", budget="small"),
        result("1111", task="u", optimizer="mipro", budget="small"),
    ]
    asked: list[tuple[str, str]] = []
    seconds = iter([9.0, 2.0, 20.0, 3.0, 30.0])

    def search(cell: Cell) -> Result:
        asked.append((cell.optimizer, cell.budget))
        return dataclasses.replace(result("1"), cell=cell, seconds=next(seconds))

    (one,) = reached(found, "optuna", tasks=["t"], models=["m"])
    pair = measure(one, "optuna", seed=0, rounds=2, search=search)

    assert asked == [("optuna", "1/20")] + 2 * [("optuna", "1/20"), ("mipro", "small")]
    assert pair["seconds"]["ours"] == {"median": 2.5, "min": 2.0, "max": 3.0}
    assert pair["share_seconds"] == 0.1


def test_nothing_is_timed_where_nothing_is_reached() -> None:
    found = [
        result("1000", budget="small"),
        result("1100", optimizer="mipro", budget="small"),
    ]

    with pytest.raises(UserError, match="reaches a peer"):
        reached(found, "optuna", tasks=["t"], models=["m"])


def test_controls_alone_are_no_verdict() -> None:
    assert analyse([result("10"), result("11", optimizer="naive")], {}, "optuna").verdicts == []


def test_the_report_counts_silent_defaults() -> None:
    found = [
        result("1100", optimizer="capo", seed=seed, notes={"n_defaulted": seed + 1, "n_steps": 2})
        for seed in range(2)
    ]

    text = markdown(analyse(found, {}, "optuna"), "optuna")

    assert "| t | m | large | `capo` | 2, 2 | 37.5 % |" in text


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    """A task of a few short texts."""
    sizes = SplitSizes(train=12, dev=20, confirm=10, test=10)
    return tables.file_task(tmp_path_factory.mktemp("task"), sizes=sizes)


@pytest.fixture(params=[False, True], ids=["base", "chat"])
def model(request: pytest.FixtureRequest, tmp_path: Path) -> LocalModel:
    """A tiny model without and with a chat template."""
    return tables.tiny_model(tables.model_folder(tmp_path / "model", chat=request.param))


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


def test_promptolution_is_left_out_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contestants, "is_installed", lambda: False)

    missing = contestants.absent(protocol.OPTIMIZERS)

    assert tuple(missing) == protocol.PROMPTOLUTION
    assert missing["capo"] == "promptolution is not installed (see benchmarks/README.md)"


@needs_promptolution
def test_the_language_model_answers_and_charges(task: Task, model: LocalModel) -> None:
    from benchmarks.search.promptolution_lm import InProcessLLM

    texts = [example.inputs[task.input_field] for example in task.splits.dev[:3]]
    llm = InProcessLLM(
        model, Sampling(max_tokens=4), 0, inputs=texts, opening="Output:", stops=("\nInput:",)
    )
    prompts = [f"Say it.\n\nIn one word.\n{text}" for text in texts]

    said = llm.get_response(prompts)

    assert said == llm.get_response(prompts)
    assert model.ledger.account.n_prompts == 6
    rendered = llm.rendered(prompts[0], "system")
    assert rendered.turns[-1].text[rendered.n_shared_chars :].rstrip("\n") == texts[0]
    assert rendered.is_chat == model.has_chat_template
    scored = np.exp(llm.choose(prompts, "system", task.label_names))
    assert scored.sum(axis=1) == pytest.approx(np.ones(3))


@needs_promptolution
def test_the_language_model_stops_at_the_budget(task: Task, model: LocalModel) -> None:
    from benchmarks.search.promptolution_lm import InProcessLLM

    model.ledger = Ledger(5)
    with pytest.raises(BudgetExceeded, match="5 forward tokens"):
        InProcessLLM(model, Sampling(max_tokens=4), 0).get_response(["a text of many tokens"])


@needs_promptolution
def test_a_prompt_that_is_too_long_has_no_answer(task: Task, model: LocalModel) -> None:
    from benchmarks.search.promptolution_lm import InProcessLLM

    llm = InProcessLLM(model, Sampling(max_tokens=4), 0)

    assert llm.get_response(["bad " * (model.context + 1)]) == [""]


@needs_promptolution
@pytest.mark.parametrize(
    ("scores", "best"),
    [([], "a"), ([0.1, 0.9, 0.9], "b"), ([float("nan"), 0.2, 0.1], "b"), ([float("nan")] * 3, "a")],
    ids=["none", "tie", "unscored", "all-unscored"],
)
def test_the_best_prompt_so_far_is_kept(scores: list[float], best: str) -> None:
    from benchmarks.search.promptolution_search import best_prompt

    asked = SimpleNamespace(eval_cache={})
    assert best_prompt(SimpleNamespace(prompts=["a", "b", "c"], scores=scores, task=asked)) == best


@needs_promptolution
def test_before_the_first_scores_single_answers_tell() -> None:
    """Two of two have the lower end 0.34, five of eight 0.31, eight of ten 0.49 (Wilson)."""
    from benchmarks.search.promptolution_search import best_prompt

    right = {"a": [1.0] * 2, "b": [1.0] * 8 + [0.0] * 2, "c": [1.0] * 5 + [0.0] * 3}
    cache = {(p, f"x{n}", "y"): one for p, all_of in right.items() for n, one in enumerate(all_of)}
    optimizer = SimpleNamespace(
        prompts=["a", "c"], scores=[], task=SimpleNamespace(eval_cache=cache)
    )

    assert best_prompt(optimizer) == "b"


@needs_promptolution
@pytest.mark.parametrize("name", protocol.PROMPTOLUTION)
def test_promptolution_searches_to_the_end_of_the_budget(
    name: str, task: Task, model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from benchmarks.search import promptolution_search

    monkeypatch.setattr(promptolution_search, "ANSWER_TOKENS", 2)
    monkeypatch.setattr(promptolution_search, "META_TOKENS", 4)
    monkeypatch.setattr(protocol, "LARGE_TOKENS", 12_000)

    found = contestants.run_cell(cell(optimizer=name, budget="large"), task, model, tmp_path)
    again = contestants.run_cell(cell(optimizer=name, budget="large"), task, model, tmp_path)

    assert found.error == ""
    assert len(found.correct) == len(found.guided) == len(task.splits.test.unseal())
    assert 0 < found.forward_tokens <= 12_000
    assert found.notes["ended_by"] == ""
    assert (again.prompt, again.correct) == (found.prompt, found.correct)
