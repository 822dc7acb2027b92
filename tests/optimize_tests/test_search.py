"""The search from end to end: same bytes whatever happens on the way, budget, splits kept apart.

Two invariants of design.md stand here: the same seed gives the same bytes, and a search that was
killed at any moment freezes what an uninterrupted one would have.
"""

import errno
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.errors import UserError
from modules.lm import Choices, Ledger, LocalModel, Looks, PromptTooLong
from modules.lm.forward import Row
from modules.prompts import Artifact, Prompt, load_artifact
from modules.prompts.render import Rendered
from modules.tasks import SplitSizes
from modules.tasks.example import Example, SealedSplit, Splits, Task
from optimize.config import Budget, SearchConfig
from optimize.finish.finalists import N_FINALISTS, Finalist
from optimize.finish.reserve import (
    Reserve,
    enough,
    n_paid,
    n_wanted,
    scoring_tokens,
    set_aside,
)
from optimize.race.record import Cost, TrialRecord
from optimize.race.said import Said, ask, together
from optimize.race.scoring import cross_fitted, losses_of
from optimize.search import run_search
from optimize.space.evidence import openings
from optimize.space.space import Space, build_space
from optimize.study.claims import Claims
from optimize.study.study import Search
from optimize.watcher import Watcher
from tests import tables, tiny

BUDGET = 24_000
LARGER = 32_000

Choose = Callable[..., Choices]


class Notes(Watcher):
    """A watcher that keeps what it is told."""

    def __init__(self) -> None:
        self.trials: list[TrialRecord] = []
        self.spent: list[int] = []
        self.finalists: list[Finalist] = []
        self.left_out: list[tuple[int, str]] = []
        self.at_trial_end: Callable[[], None] = lambda: None

    def began(self, search: Search, space: Space, budget: Budget) -> None:
        self.before = search.spent().tokens

    def trial_ended(self, trial: TrialRecord, space: Space, spent: Cost) -> None:
        self.trials.append(trial)
        self.spent.append(spent.tokens)
        self.at_trial_end()

    def study_ended(self, trials: Sequence[TrialRecord], space: Space, spent: Cost) -> None:
        self.total = spent

    def finalist_ended(self, finalist: Finalist) -> None:
        self.finalists.append(finalist)

    def finalist_left_out(self, trial: TrialRecord, reason: str) -> None:
        self.left_out.append((trial.slot, reason))


class Killed(BaseException):
    """Stands for a signal."""


@pytest.fixture(scope="module", autouse=True)
def _sampler_soon() -> Iterator[None]:
    """Let the sampler learn after four trials, so that it is at work in a small budget."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("optimize.propose.samplers.STARTUP_TRIALS", 4)
        yield


def search(
    task: Task,
    model: LocalModel,
    folder: Path,
    notes: Notes | None = None,
    *,
    budget: int = BUDGET,
    seed: int = 0,
    evidence: bool = True,
) -> tuple[Artifact, bytes]:
    config = SearchConfig(
        budget=Budget(tokens=budget),
        seed=seed,
        out=folder / "out",
        runs=folder / "runs",
        command="x",
        evidence=evidence,
    )
    artifact, path = run_search(task, model, config, notes or Notes())
    return artifact, path.read_bytes()


def journal_of(folder: Path) -> Path:
    (path,) = folder.glob("runs/*/*.journal")
    return path


@pytest.fixture(scope="module")
def plain_folder(
    task: Task, model: LocalModel, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Notes]:
    """An uninterrupted search."""
    folder, notes = tmp_path_factory.mktemp("plain"), Notes()
    search(task, model, folder, notes)
    return folder, notes


@pytest.fixture(scope="module")
def plain(plain_folder: tuple[Path, Notes]) -> bytes:
    (path,) = plain_folder[0].glob("out/*/*/*.json")
    return path.read_bytes()


def test_the_search_tells_apart_what_it_should(plain_folder: tuple[Path, Notes]) -> None:
    """The other tests mean something only if trials end in every way."""
    trials = plain_folder[1].trials
    assert len(trials) >= 10
    assert any(trial.pruned for trial in trials)
    assert sum(not trial.pruned for trial in trials) > N_FINALISTS


def test_fresh_runs_give_equal_bytes(
    task: Task, model: LocalModel, tmp_path: Path, plain: bytes
) -> None:
    assert search(task, model, tmp_path)[1] == plain


def test_a_finished_search_runs_no_trial_again(
    task: Task, model: LocalModel, plain_folder: tuple[Path, Notes], plain: bytes
) -> None:
    notes = Notes()
    assert search(task, model, plain_folder[0], notes)[1] == plain
    assert notes.trials == []


def test_another_seed_gives_another_study(
    task: Task, model: LocalModel, tmp_path: Path, plain_folder: tuple[Path, Notes]
) -> None:
    notes = Notes()
    artifact, _ = search(task, model, tmp_path, notes, seed=-1)
    first = plain_folder[1].trials
    assert artifact.search.seed == -1
    assert [t.point for t in notes.trials[:3]] == [t.point for t in first[:3]]
    assert [t.point for t in notes.trials[4:8]] != [t.point for t in first[4:8]]


@pytest.mark.parametrize("after", [0, 1, 2, 7, 15])
def test_a_killed_search_goes_on_to_the_same_bytes(
    task: Task,
    model: LocalModel,
    tmp_path: Path,
    plain: bytes,
    monkeypatch: pytest.MonkeyPatch,
    after: int,
) -> None:
    calls = 0
    choose = model.choose

    def dying(*arguments: Any, **more: Any) -> Choices:
        nonlocal calls
        calls += 1
        if calls > after:
            raise Killed
        return choose(*arguments, **more)

    with monkeypatch.context() as patch:
        patch.setattr(model, "choose", dying)
        with pytest.raises(Killed):
            search(task, model, tmp_path)
    assert not (tmp_path / "out").exists()
    assert search(task, model, tmp_path)[1] == plain


def test_a_search_killed_among_the_finalists_goes_on_to_the_same_bytes(
    task: Task, model: LocalModel, tmp_path: Path, plain: bytes
) -> None:
    class Dying(Notes):
        def finalist_ended(self, finalist: Finalist) -> None:
            raise Killed

    with pytest.raises(Killed):
        search(task, model, tmp_path, Dying())
    notes = Notes()
    assert search(task, model, tmp_path, notes)[1] == plain
    assert notes.trials == []


@pytest.mark.parametrize("torn", [0, 7], ids=["whole-lines", "half-a-line"])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.4, 0.99])
def test_a_journal_cut_anywhere_goes_on_to_the_same_bytes(
    task: Task,
    model: LocalModel,
    tmp_path: Path,
    plain_folder: tuple[Path, Notes],
    plain: bytes,
    share: float,
    torn: int,
) -> None:
    """What a killed process leaves is a beginning of its journal, perhaps with half a line."""
    whole = journal_of(plain_folder[0])
    lines = whole.read_bytes().splitlines(keepends=True)
    n = int(share * len(lines))
    path = tmp_path / whole.relative_to(plain_folder[0])
    path.parent.mkdir(parents=True)
    path.write_bytes(b"".join(lines[:n]) + lines[n][:torn])
    assert search(task, model, tmp_path)[1] == plain


@pytest.mark.parametrize(
    "content",
    [b"hello\nworld\n", b"\x00\xff\xfe\n" * 3, b"{}\n{}\n", b"[1]\n", b"3\nnull\n"],
    ids=["text", "binary", "objects", "list", "scalars"],
)
def test_a_broken_journal_is_refused(
    task: Task,
    model: LocalModel,
    tmp_path: Path,
    plain_folder: tuple[Path, Notes],
    content: bytes,
) -> None:
    path = tmp_path / journal_of(plain_folder[0]).relative_to(plain_folder[0])
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    with pytest.raises(UserError, match="is not a study journal that can be read"):
        search(task, model, tmp_path)
    assert path.read_bytes() == content


@pytest.mark.parametrize("order", [(BUDGET, LARGER), (LARGER, BUDGET)], ids=["up", "down"])
def test_budgets_share_a_journal_and_not_their_results(
    task: Task, model: LocalModel, tmp_path: Path, plain: bytes, order: tuple[int, int]
) -> None:
    """The second search takes the first one's trials over, and freezes what a fresh one would."""
    search(task, model, tmp_path, budget=order[0])
    artifact, second = search(task, model, tmp_path, budget=order[1])
    if order[1] == BUDGET:
        assert second == plain
    else:
        fresh = tmp_path / "fresh"
        assert second == search(task, model, fresh, budget=order[1])[1]
        assert artifact.search.n_trials > load_bytes(plain, tmp_path).search.n_trials


def load_bytes(content: bytes, folder: Path) -> Artifact:
    path = folder / "plain.json"
    path.write_bytes(content)
    return load_artifact(path)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_spent_is_what_was_computed_and_within_the_budget(
    task: Task, model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Counted where the passes are run; the last trial, which the budget ends, does not count."""
    tokens = prompts = 0
    marks = [(0, 0)]
    seen: set[tuple[Ledger, tuple[int, ...]]] = set()
    forward_score, choose, look = model._forward.score, model.choose, model.look

    def counting(shared: Sequence[int], rows: Sequence[Row]) -> Any:
        nonlocal tokens
        new = (model.ledger, tuple(shared)) not in seen  # a shared part counts once on a ledger
        seen.add((model.ledger, tuple(shared)))
        tokens += new * len(shared) + sum(len(row.ids) for row in rows)
        return forward_score(tuple(shared), rows)

    def asked(rendered: Sequence[Rendered], *rest: Any, **more: Any) -> Choices:
        nonlocal prompts
        scored = choose(rendered, *rest, **more)
        prompts += len(rendered)
        return scored

    def looked(rendered: Sequence[Rendered], *rest: Any) -> Looks:
        nonlocal prompts
        prompts += len(rendered)
        return look(rendered, *rest)

    notes = Notes()
    notes.at_trial_end = lambda: marks.append((tokens, prompts))
    monkeypatch.setattr(model._forward, "score", counting)
    monkeypatch.setattr(model, "choose", asked)
    monkeypatch.setattr(model, "look", looked)
    artifact, _ = search(task, model, tmp_path, notes, seed=seed)
    n_confirm = len(task.splits.confirm) * len(notes.finalists)
    assert artifact.search.spent["n_prompts"] == marks[-1][1] + n_confirm
    of_finalists = artifact.search.spent["forward_tokens"] - marks[-1][0]
    # beyond the last trial's end lie the trial that was given up and the finalists
    assert 0 < of_finalists <= tokens - marks[-1][0]
    assert artifact.search.spent["forward_tokens"] <= artifact.search.budget_tokens == BUDGET
    assert all(before < after for before, after in pairwise(marks))


def test_finalists_stop_at_the_budget(
    task: Task, model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With hardly anything set aside some finalists must go, and the budget still holds."""
    space = build_space(task, 0, has_chat=False)
    one = scoring_tokens(model, task, space, task.splits.confirm)
    hardly = Reserve(n=1, tokens=one, calls=0, wanted=N_FINALISTS)
    monkeypatch.setattr("optimize.search.set_aside", lambda *_: hardly)
    notes = Notes()
    with monkeypatch.context() as patch:  # what trials leave over is chance, and may be enough
        patch.setattr("optimize.search.last_ledger", lambda *_: Ledger(one, None))
        artifact, _ = search(task, model, tmp_path, notes)
    assert 1 <= len(notes.finalists) < N_FINALISTS
    assert len(notes.finalists) + len(notes.left_out) == N_FINALISTS
    assert {reason for _, reason in notes.left_out} == {"the budget has too little left for it"}
    assert artifact.search.n_finalists == len(notes.finalists)
    assert artifact.search.spent["forward_tokens"] <= BUDGET
    nothing = Reserve(n=1, tokens=0, calls=0, wanted=N_FINALISTS)
    monkeypatch.setattr("optimize.search.set_aside", lambda *_: nothing)
    words = sum(map(model.count_tokens, openings(space)))
    tight = notes.spent[0] - notes.before + words + 10  # enough for the first trial alone
    with pytest.raises(UserError, match="no finalist could be scored on confirm: each of the"):
        search(task, model, tmp_path / "tight", budget=tight)


def test_half_a_budget_is_set_aside_at_most_and_one_finalist_at_least(
    task: Task, model: LocalModel
) -> None:
    space = build_space(task, 0, has_chat=False)
    one = scoring_tokens(model, task, space, task.splits.confirm)
    n_confirm = len(task.splits.confirm)

    def kept(tokens: int, calls: int | None = None) -> tuple[int, int, int]:
        found = set_aside(model, task, space, Budget(tokens=tokens, calls=calls), 3, 3)
        assert found.wanted == 3
        return found.n, found.tokens, found.calls

    assert kept(100 * one) == (3, 3 * one, 3 * n_confirm)
    assert kept(6 * one) == (3, 3 * one, 3 * n_confirm)
    assert kept(6 * one - 1) == (2, 2 * one, 2 * n_confirm)
    assert kept(4 * one - 1) == kept(1) == (1, one, n_confirm)
    assert kept(6 * one, 4 * n_confirm) == (2, 2 * one, 2 * n_confirm)
    assert kept(6 * one, 1) == (1, one, n_confirm)


@pytest.mark.parametrize(("n_tenths", "wanted"), [(1, 3), (3, 3), (4, 4), (5, 5), (9, 5)])
def test_a_tenth_of_a_large_budget_pays_for_more_finalists(
    task: Task, model: LocalModel, n_tenths: int, wanted: int
) -> None:
    space = build_space(task, 0, has_chat=False)
    one = scoring_tokens(model, task, space, task.splits.confirm)
    found = set_aside(model, task, space, Budget(tokens=10 * n_tenths * one), 3, 5)
    assert found == Reserve(
        n=wanted, tokens=wanted * one, calls=wanted * len(task.splits.confirm), wanted=wanted
    )
    few = Budget(tokens=10 * n_tenths * one, calls=6 * len(task.splits.confirm))
    assert set_aside(model, task, space, few, 3, 5).n == 3  # half of the calls


def test_a_small_budget_meets_confirm_with_fewer_finalists(
    task: Task, model: LocalModel, tmp_path: Path
) -> None:
    """One trial and one finalist are enough, and the rest of the budget is not left lying."""
    space = build_space(task, 0, has_chat=False)
    one = scoring_tokens(model, task, space, task.splits.confirm)
    trial = scoring_tokens(model, task, space, task.splits.dev)
    notes = Notes()
    artifact, _ = search(task, model, tmp_path, notes, budget=trial + one)
    assert artifact.search.n_trials >= 1
    assert 1 <= artifact.search.n_finalists < N_FINALISTS
    assert artifact.search.spent["forward_tokens"] <= trial + one


@pytest.mark.parametrize("error", [BrokenPipeError(), OSError(errno.ENOSPC, "full")])
def test_what_fails_in_the_watcher_is_not_the_study(
    task: Task, model: LocalModel, tmp_path: Path, error: OSError
) -> None:
    notes = Notes()

    def fails() -> None:
        raise error

    notes.at_trial_end = fails
    with pytest.raises(type(error)) as found:
        search(task, model, tmp_path, notes)
    assert found.value is error


def test_a_study_that_cannot_be_written_is_told_in_a_sentence(
    task: Task, model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notes = Notes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    notes.at_trial_end = lambda: monkeypatch.setattr(Claims, "take", full)
    with pytest.raises(UserError, match=r"the study cannot be written any more \(.*No space left"):
        search(task, model, tmp_path, notes)
    assert len(notes.trials) == 1


def test_a_budget_below_one_trial_is_refused(task: Task, model: LocalModel, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the budget of 1,000 forward tokens is too small"):
        search(task, model, tmp_path, budget=1_000)
    assert not (tmp_path / "out").exists()
    # the advice that the message gives is enough
    with pytest.raises(UserError, match="too small") as refused:
        search(task, model, tmp_path, budget=1)
    advised = int(str(refused.value).rpartition(" ")[2].replace(",", ""))
    assert search(task, model, tmp_path, budget=advised)[0].search.n_trials >= 1


@given(
    first=st.integers(1, 10**6),
    each=st.integers(1, 10**6),
    least=st.integers(1, 16),
    more=st.integers(0, 4),
)
def test_the_budget_that_is_advised_pays_for_a_trial(
    first: int, each: int, least: int, more: int
) -> None:
    """Beside the survey, a 20th, the evidence, a 12th, and what it sets aside itself."""
    budget = enough(first, each, least, least + more)
    kept = n_paid(budget, each, n_wanted(budget, each, least, least + more))
    assert budget - budget // 20 - budget // 12 - kept * each >= first


def test_the_winner_is_the_finalist_with_the_smallest_loss_on_both_splits(
    task: Task, plain_folder: tuple[Path, Notes], plain: bytes, tmp_path: Path
) -> None:
    notes = plain_folder[1]
    artifact = load_bytes(plain, tmp_path)
    assert len(notes.finalists) == artifact.search.n_finalists == N_FINALISTS
    gold = np.array([*task.gold(task.splits.dev), *task.gold(task.splits.confirm)])
    losses = [
        float(losses_of(cross_fitted(together(one.dev_said, one.confirm_said), gold), gold).mean())
        for one in notes.finalists
    ]
    assert len(set(losses)) > 1
    winner = notes.finalists[losses.index(min(losses))]
    assert artifact.prompt == winner.prompt
    assert artifact.scores == {"dev": winner.dev, "confirm": winner.confirm}
    assert artifact.scores["confirm"].n == len(task.splits.confirm)
    assert artifact.scores["dev"].n == len(task.splits.dev)


def test_dev_is_told_of_weights_that_have_not_seen_it(
    task: Task, plain_folder: tuple[Path, Notes]
) -> None:
    gold = np.array(task.gold(task.splits.dev))
    weighing = [one for one in plain_folder[1].finalists if one.calibration == "evidence"]
    assert weighing
    for one in weighing:
        q = cross_fitted(one.dev_said, gold)
        assert one.dev.n_correct == int((q.argmax(axis=1) == gold).sum())
        assert one.prompt.evidence is not None


def test_without_evidence_label_words_alone_are_read(
    task: Task, model: LocalModel, tmp_path: Path, plain: bytes
) -> None:
    notes = Notes()
    artifact, raw = search(task, model, tmp_path, notes, evidence=False)
    assert b'"evidence"' not in raw
    assert b'"evidence": true' in plain
    assert {one.calibration for one in notes.finalists} <= {"none", "batch", "fitted"}
    assert all(one.dev_said.words.shape[1] == 0 for one in notes.finalists)
    assert artifact.prompt.evidence is None


class _Sealed(SealedSplit):
    def unseal(self) -> tuple[Example, ...]:
        raise AssertionError("the search opened the test split")


def test_confirm_comes_last_and_test_never(
    task: Task, model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plain: bytes
) -> None:
    asked: list[str] = []
    choose = model.choose

    def spying(rendered: Sequence[Rendered], *rest: Any, **more: Any) -> Choices:
        asked.append("\0".join(turn.text for prompt in rendered for turn in prompt.turns))
        return choose(rendered, *rest, **more)

    def texts(examples: Sequence[Example]) -> list[str]:
        return [example.inputs[task.input_field] for example in examples]

    sealed = _Sealed(digest=task.splits.test.digest, n=task.splits.test.n, _examples=())
    monkeypatch.setattr(model, "choose", spying)
    notes = Notes()
    blind = replace(task, splits=replace(task.splits, test=sealed))
    assert search(blind, model, tmp_path, notes)[1] == plain
    n_last = 2 * len(notes.finalists)  # each is asked for confirm, and again for dev
    searched, confirmed = asked[:-n_last], asked[-n_last::2]
    assert not any(text in call for call in searched for text in texts(task.splits.confirm))
    assert all(text in call for call in confirmed for text in texts(task.splits.confirm))
    assert not any(text in call for call in asked for text in texts(task.splits.test.unseal()))
    first = "".join(asked[:4])  # a trial's blocks
    assert all(text in first for text in texts(task.splits.dev))


def longer(task: Task, split: str) -> Task:
    """Give the task with one example of a split that fits into no context."""
    splits: Splits = task.splits
    first, *others = getattr(splits, split)
    long = Example(inputs={task.input_field: "bad " * (tiny.CONTEXT + 100)}, label=first.label)
    return replace(task, splits=replace(splits, **{split: (long, *others)}))


def test_a_dev_text_that_fits_nowhere_is_refused(
    task: Task, model: LocalModel, tmp_path: Path
) -> None:
    """Such trials cost nothing, so no budget would ever end them."""
    with pytest.raises(UserError, match=r"no prompt fits into the context of .* every dev example"):
        search(longer(task, "dev"), model, tmp_path)


def test_a_confirm_text_that_fits_nowhere_is_refused(
    task: Task, model: LocalModel, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match="no finalist could be scored on confirm"):
        search(longer(task, "confirm"), model, tmp_path, budget=12_000)


@pytest.mark.parametrize("ensemble", [1, 2])
def test_the_next_best_takes_the_place_of_one_that_is_too_long_with_confirm(
    task: Task,
    model: LocalModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ensemble: int,
) -> None:
    """A long confirm text overflows with the demos of the three best, and fits with the others."""
    config = SearchConfig(
        budget=Budget(tokens=BUDGET),
        seed=0,
        out=tmp_path / "out",
        runs=tmp_path / "runs",
        command="x",
        ensemble=ensemble,
    )
    before, after = Notes(), Notes()
    run_search(task, model, config, before)
    too_long = {one.trial for one in before.finalists}
    prompts = {one.prompt.demos for one in before.finalists}

    def asked(model: LocalModel, task: Task, prompt: Prompt, examples: Any, words: Any) -> Said:
        if examples == task.splits.confirm and prompt.demos in prompts:
            raise PromptTooLong("too long")
        return ask(model, task, prompt, examples, words)

    monkeypatch.setattr("optimize.finish.finalists.ask", asked)
    artifact, _ = run_search(task, model, config, after)

    assert {slot for slot, _ in after.left_out} >= too_long
    assert after.finalists
    assert not too_long & {one.trial for one in after.finalists}
    assert artifact.prompt.demos not in prompts


def test_a_train_text_of_any_length_does_no_harm(
    task: Task, model: LocalModel, tmp_path: Path
) -> None:
    first, *others = task.splits.train
    long = Example(inputs={task.input_field: "bad" * 40_000}, label=first.label)
    train = (long, *others)
    artifact, _ = search(
        replace(task, splits=replace(task.splits, train=train)), model, tmp_path, budget=9_000
    )
    assert all(len(demo.text) < 1_000 for demo in artifact.prompt.demos)


def test_other_meanings_are_another_study(task: Task, model: LocalModel, tmp_path: Path) -> None:
    """They stand in the instruction, so a journal of other meanings is about other prompts."""
    search(task, model, tmp_path, budget=9_000)
    first = journal_of(tmp_path)
    labels = tuple(replace(label, meaning=f"m {label.name}") for label in task.labels)
    search(replace(task, labels=labels), model, tmp_path, budget=9_000)
    assert len(list(first.parent.glob("*.journal"))) == 2


def test_labels_equal_but_for_case_are_refused(model: LocalModel, tmp_path: Path) -> None:
    sizes = SplitSizes(train=8, dev=8, confirm=8, test=8)
    alike = tables.file_task(tmp_path, ("Yes", "yes", "no"), sizes=sizes)
    with pytest.raises(UserError, match=r"differ in more than case and spaces, .*'Yes' and 'yes'"):
        search(alike, model, tmp_path)
