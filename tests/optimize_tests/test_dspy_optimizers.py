"""DSPy's optimizers as choices of the search: same seed same bytes, budget kept, the best is kept.

The model is tiny and its text is noise; what is asked of it here is arithmetic.
"""

import contextlib
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import dspy
import numpy as np
import pytest
from dspy.lm15 import Message, Request, Response, TextPart, Usage

from modules.errors import UserError
from modules.lm import Ledger, LocalModel
from modules.programs import PromptAdapter
from modules.programs.naive import naive_prompt
from modules.prompts import Artifact, answers, load_artifact, render
from modules.tasks import SplitSizes, dspy_metric
from modules.tasks.example import Task
from optimize.config import Budget, SearchConfig
from optimize.dspy_optimizers import OPTIMIZERS, Optimizer, run_dspy_optimizer
from optimize.dspy_optimizers.few_shot import seeded_studies
from optimize.dspy_optimizers.found import Found, log_bias
from optimize.dspy_optimizers.price import choose_tokens
from optimize.dspy_optimizers.quiet import quiet
from optimize.dspy_optimizers.setting import Setting
from optimize.dspy_optimizers.sizes import copro_size, gepa_calls, mipro_size, simba_size
from optimize.dspy_optimizers.tracker import Tracker
from optimize.finish.finalists import Finalist
from optimize.watcher import Watcher
from tests import tables, tiny

BUDGET = 20_000
SILENT = ("labeled", "knn")
"""Those that ask the model nothing while they compile."""
SEARCHING = tuple(name for name in OPTIMIZERS if name not in (*SILENT, "bootstrap"))
"""Those that score programs."""


class Notes(Watcher):
    """A watcher that keeps what it is told."""

    def __init__(self) -> None:
        self.programs: list[tuple[int, float, int]] = []
        self.stops: list[str] = []
        self.finalists: list[Finalist] = []

    def program_ended(self, number: int, score: float, spent_tokens: int) -> None:
        self.programs.append((number, score, spent_tokens))

    def stopped_early(self, reason: str) -> None:
        self.stops.append(reason)

    def finalist_ended(self, finalist: Finalist) -> None:
        self.finalists.append(finalist)


class Writer:
    """A remote writer: whatever it is asked, it says the same, and counts."""

    supported_params: frozenset[str] = frozenset()
    supports_response_schema = False

    def __init__(self, text: str) -> None:
        self.text = text
        self.n_asked = 0

    def __deepcopy__(self, memo: dict[int, Any]) -> "Writer":
        return self

    def complete(self, request: Request) -> Response:
        self.n_asked += 1
        return Response(
            id=None,
            model=request.model,
            message=Message.assistant([TextPart(self.text)]),
            finish_reason="stop",
            usage=Usage(input_tokens=1, output_tokens=1),
        )

    def stream(self, request: Request) -> Iterator[Any]:
        raise NotImplementedError

    def close(self) -> None:
        pass


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    sizes = SplitSizes(train=10, dev=12, confirm=8, test=8)
    return tables.file_task(tmp_path_factory.mktemp("table"), sizes=sizes)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> LocalModel:
    """A tiny base model whose context holds what proposers are shown."""
    tokenizer = tiny.byte_level_tokenizer(None, adds_bos=True)
    llama = tiny.tiny_llama(len(tokenizer), seed=3)
    llama.config.max_position_embeddings = 8192
    folder = tmp_path_factory.mktemp("wide") / "base"
    return tables.tiny_model(tiny.save(folder, llama, tokenizer))


def search(
    task: Task,
    model: LocalModel,
    folder: Path,
    optimizer: str,
    notes: Notes | None = None,
    *,
    budget: int = BUDGET,
    calls: int | None = None,
    seed: int = 0,
    writer: dspy.LM | None = None,
) -> tuple[Artifact, bytes]:
    config = SearchConfig(
        budget=Budget(tokens=budget, calls=calls),
        seed=seed,
        out=folder / "out",
        runs=folder / "runs",
        command="x",
        optimizer=optimizer,
    )
    artifact, path = run_dspy_optimizer(task, model, config, notes or Notes(), writer)
    assert path.name == f"seed-{seed}.{optimizer}.json"
    assert load_artifact(path) == artifact
    return artifact, path.read_bytes()


@pytest.fixture(scope="module")
def runs(
    task: Task, model: LocalModel, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, tuple[Artifact, bytes, Notes]]:
    """One run of every optimizer."""
    found = {}
    for name in OPTIMIZERS:
        notes = Notes()
        found[name] = (*search(task, model, tmp_path_factory.mktemp("out"), name, notes), notes)
    return found


Runs = dict[str, tuple[Artifact, bytes, Notes]]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_record_says_what_was_done(runs: Runs, task: Task, name: str) -> None:
    artifact, _, notes = runs[name]
    record = artifact.search
    assert (record.optimizer, record.seed, record.budget_tokens) == (name, 0, BUDGET)
    assert record.spent["forward_tokens"] <= BUDGET
    assert record.n_pruned == 0
    assert record.n_finalists == len(notes.finalists) == (3 if name in SEARCHING else 1)
    right = [12 * f.dev.accuracy + 8 * f.confirm.accuracy for f in notes.finalists]
    assert artifact.prompt == notes.finalists[int(np.argmax(np.round(right)))].prompt
    assert [number for number, _, _ in notes.programs] == list(range(len(notes.programs)))
    assert record.n_trials >= max(1, len(notes.programs))
    assert all("failed" not in reason for reason in notes.stops)
    test_texts = {example.inputs["text"] for example in task.splits.dev + task.splits.confirm}
    assert test_texts.isdisjoint(demo.text for demo in artifact.prompt.demos)


@pytest.mark.parametrize("name", SEARCHING)
def test_programs_are_scored(runs: Runs, name: str) -> None:
    """An optimizer that fails in silence, as DSPy's do, has nothing but the first, or zeros."""
    _, _, notes = runs[name]
    assert any(score > 0 for _, score, _ in notes.programs[1:])


@pytest.mark.parametrize("name", ["copro", "mipro", "gepa", "infer-rules"])
def test_writers_write(runs: Runs, name: str) -> None:
    assert runs[name][0].search.spent["sampled_tokens"] > 0


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_same_seed_gives_the_same_bytes(
    runs: Runs, task: Task, model: LocalModel, tmp_path: Path, name: str
) -> None:
    assert search(task, model, tmp_path, name)[1] == runs[name][1]


@pytest.mark.parametrize("name", ["labeled", "bootstrap", "copro", "mipro", "simba"])
def test_another_seed_is_another_run(
    runs: Runs, task: Task, model: LocalModel, tmp_path: Path, name: str
) -> None:
    artifact, _ = search(task, model, tmp_path, name, seed=1)
    other = runs[name][0]
    assert (artifact.prompt, artifact.search.spent) != (other.prompt, other.search.spent)


@pytest.mark.parametrize("name", SEARCHING)
def test_a_stop_in_the_middle_keeps_the_best(
    runs: Runs,
    task: Task,
    model: LocalModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    """The ledger refuses halfway, which no forecast saw: the best program so far is frozen."""
    _, _, told = runs[name]
    middle = (len(told.programs) - 1) // 2
    enough = told.programs[middle][2] + (-1 if name == "reanchor" else 1)
    spent: list[int] = []

    class Stingy(Ledger):
        def __init__(self, **budgets: Any) -> None:
            super().__init__(**budgets | {"budget_tokens": enough})

        def go_on(self, *budgets: int | None) -> None:
            spent.append(self.account.forward_tokens)
            super().go_on(*budgets)

    monkeypatch.setattr("optimize.dspy_optimizers.run.Ledger", Stingy)
    notes = Notes()
    artifact, _ = search(task, model, tmp_path, name, notes)
    assert notes.stops == [f"{enough} forward tokens are spent"]
    assert spent[0] <= enough
    if name == "reanchor":  # no factor is fitted before all of train is read
        assert artifact.prompt == naive_prompt(task, is_chat=False)
        return
    assert notes.programs == told.programs[: middle + 1]
    best = max(score for _, score, _ in notes.programs)
    split = task.splits.train if OPTIMIZERS[name].scored == "train" else task.splits.dev
    first = notes.finalists[0].prompt
    rows = [render(first, example.inputs["text"]) for example in split]
    model.ledger = Ledger()
    said = model.choose(rows, answers(first)).log_probabilities().argmax(axis=1)
    assert float(np.mean(said == task.gold(split))) == pytest.approx(best)


@pytest.mark.parametrize("name", ["bootstrap", "mipro"])
def test_a_stop_before_anything_was_scored_keeps_the_program_as_it_was(
    task: Task, model: LocalModel, tmp_path: Path, name: str
) -> None:
    notes = Notes()
    n_last = len(task.splits.dev) + len(task.splits.confirm)
    artifact, _ = search(task, model, tmp_path, name, notes, calls=n_last + 1)
    assert artifact.prompt == naive_prompt(task, is_chat=False)
    assert notes.stops == ["1 calls are spent"]
    assert artifact.search.n_trials == 1


def test_a_found_program_reads_as_it_was_run(task: Task, model: LocalModel) -> None:
    naive = naive_prompt(task, is_chat=False)
    adapter = PromptAdapter(naive, task.signature)
    found = Found(instructions="Say which.", demos=(("one", "negative"), ("two", "positive")))
    signature = task.signature.with_instructions(found.instructions)
    demos = [dspy.Example(text=text, label=label) for text, label in found.demos]
    (message,) = adapter.format(signature, demos, {"text": "three"})
    frozen = found.prompt(naive, task.signature.instructions)
    assert message["content"] == render(frozen, "three").turns[0].text
    plain = Found(instructions=task.signature.instructions)
    assert plain.prompt(naive, task.signature.instructions) == naive


def test_weights_become_a_bias() -> None:
    """p w / sum(p w) is the softmax of log p + log w."""
    p, w = np.array([0.7, 0.2, 0.1]), (0.5, 2.0, 8.0)
    shifted = np.exp(np.log(p) + np.array(log_bias(w)))
    assert np.allclose(shifted / shifted.sum(), p * w / (p * w).sum())
    assert abs(sum(log_bias(w))) < 1e-12


def test_reanchor_anchors(task: Task, model: LocalModel, tmp_path: Path) -> None:
    """Where every train label is the one that the model never says, a weight must say it."""
    naive = naive_prompt(task, is_chat=False)
    rows = [render(naive, e.inputs["text"]) for e in task.splits.train]
    model.ledger = Ledger()
    said = model.choose(rows, answers(naive)).log_probabilities().argmax(axis=1)
    rare = task.label_names[int(said.mean() < 0.5)]
    train = tuple(replace(e, label=rare) for e in task.splits.train)
    artifact, _ = search(
        replace(task, splits=replace(task.splits, train=train)), model, tmp_path, "reanchor"
    )
    bias = dict(zip(task.label_names, artifact.prompt.bias, strict=True))
    assert bias[rare] > 0
    n_last = len(task.splits.dev) + len(task.splits.confirm)
    last = artifact.search.n_finalists * n_last
    assert artifact.search.spent["n_prompts"] == len(train) + last  # each train example once


@pytest.mark.parametrize("name", ["copro", "mipro", "gepa"])
def test_a_writer_is_what_writes(
    task: Task, model: LocalModel, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that takes no guides is asked, and read, in DSPy's own form."""
    fields = ("proposed_instruction", "new_instruction", "proposed_prefix_for_output_field")
    told = (f"[[ ## {field} ## ]]\nWeigh every word." for field in fields)
    engine = Writer("\n\n".join(told))
    lm = dspy.LM(model="writer/x", engine=engine, cache=False, num_retries=0)
    seen: set[str] = set()
    start = Tracker.on_module_start

    def spied(self: Tracker, call_id: str, instance: Any, inputs: dict[str, Any]) -> None:
        seen.add(getattr(getattr(instance, "signature", None), "instructions", ""))
        start(self, call_id, instance, inputs)

    monkeypatch.setattr(Tracker, "on_module_start", spied)
    search(task, model, tmp_path, name, writer=lm, budget=10_000)
    assert engine.n_asked > 0
    assert any("Weigh every word." in instructions for instructions in seen)


def test_a_broken_writer_is_one_clear_line(task: Task, model: LocalModel, tmp_path: Path) -> None:
    lm = dspy.LM(model="writer/x", engine=Writer(""), cache=False, num_retries=0)
    with pytest.raises(UserError, match=r"^copro: the optimizer failed \(AdapterPa.*; nothing was"):
        search(task, model, tmp_path, "copro", writer=lm)


def _invented(monkeypatch: pytest.MonkeyPatch, compile_one: Callable[[Setting], Any]) -> None:
    optimizer = Optimizer(compile=compile_one, help="")
    monkeypatch.setattr("optimize.dspy_optimizers.run.get_optimizer", lambda name: optimizer)


@pytest.mark.parametrize("text", ["ab " * 9_000, "a" * 100_001], ids=["context", "prompt"])
def test_a_program_that_cannot_be_frozen_gives_way(
    task: Task, model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    _invented(monkeypatch, lambda _: dspy.Predict(task.signature.with_instructions(text)))
    artifact, _ = search(task, model, tmp_path, "copro", budget=100_000)
    assert artifact.prompt == naive_prompt(task, is_chat=False)


def test_what_an_optimizer_found_before_it_failed_is_kept(
    task: Task, model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(setting: Setting) -> Any:
        program = dspy.Predict(task.signature.with_instructions("Weigh every word."))
        for example in setting.dev:
            program(**example.inputs())
        raise ValueError("first line\nsecond line")

    _invented(monkeypatch, fails)
    notes = Notes()
    artifact, _ = search(task, model, tmp_path, "copro", notes)
    assert notes.stops == ["the optimizer failed (ValueError: first line)"]
    assert artifact.prompt.instruction_text == "Weigh every word."


def test_what_does_not_fit_is_one_clear_line(task: Task, model: LocalModel, tmp_path: Path) -> None:
    long = replace(task.splits.dev[0], inputs={"text": "ab " * 9_000})
    splits = replace(task.splits, dev=(long, *task.splits.dev[1:]))
    with pytest.raises(UserError, match="no prompt fits into the context"):
        search(replace(task, splits=splits), model, tmp_path, "labeled")


def test_train_examples_that_are_too_long_are_no_demos(
    task: Task, model: LocalModel, tmp_path: Path
) -> None:
    """Four demos share the context; two of these would fit beside each other, four do not."""
    long = [replace(e, inputs={"text": "ab " * 1_500}) for e in task.splits.train[:1]]
    splits = replace(task.splits, train=(*long, *task.splits.train[1:5]))
    artifact, _ = search(replace(task, splits=splits), model, tmp_path, "labeled")
    assert sorted(demo.text for demo in artifact.prompt.demos) == sorted(
        e.inputs["text"] for e in task.splits.train[1:5]
    )
    splits = replace(task.splits, train=tuple(long))
    with pytest.raises(UserError, match="no train example of file-table is short enough"):
        search(replace(task, splits=splits), model, tmp_path, "labeled")


@pytest.mark.parametrize(("n_words", "n_demos"), [(100, 10), (400, 8), (700, 4)])
def test_longer_demos_are_fewer(
    task: Task, model: LocalModel, tmp_path: Path, n_words: int, n_demos: int
) -> None:
    """A word has two or three tokens, of 8,192 in all: 16, 8 or 4 demos share what is free."""
    train = tuple(
        replace(e, inputs={"text": f"{n} " + "ab " * n_words})
        for n, e in enumerate(task.splits.train)
    )
    longer = replace(task, splits=replace(task.splits, train=train))
    artifact, _ = search(longer, model, tmp_path, "labeled", budget=100_000)
    assert len(artifact.prompt.demos) == n_demos


@pytest.mark.parametrize("name", ["bootstrap-rs", "mipro", "gepa"])
def test_answering_ahead_changes_no_byte_and_runs_fewer_batches(
    runs: Runs,
    task: Task,
    model: LocalModel,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    n_batches = 0
    score = model._forward.score

    def counted(*args: Any) -> Any:
        nonlocal n_batches
        n_batches += bool(args[1])
        return score(*args)

    monkeypatch.setattr(model._forward, "score", counted)
    assert search(task, model, tmp_path / "ahead", name)[1] == runs[name][1]
    ahead, n_batches = n_batches, 0
    monkeypatch.setattr(
        "optimize.dspy_optimizers.compiling.answered_ahead", lambda *_: contextlib.nullcontext()
    )
    assert search(task, model, tmp_path / "one by one", name)[1] == runs[name][1]
    assert 2 * ahead < n_batches


def test_a_question_that_was_asked_before_is_free(
    task: Task, model: LocalModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asks(times: int) -> int:
        def compile_one(setting: Setting) -> Any:
            for _ in range(times):
                for example in setting.dev:
                    setting.student(**example.inputs())
            return setting.student

        _invented(monkeypatch, compile_one)
        artifact, _ = search(task, model, tmp_path / str(times), "copro")
        return artifact.search.spent["forward_tokens"]

    assert asks(1) == asks(3)


def test_budgets_too_small_are_refused(task: Task, model: LocalModel, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"budget of 900 forward tokens is too small: [\d,]+ are"):
        search(task, model, tmp_path, "labeled", budget=900)
    with pytest.raises(UserError, match="budget of 19 calls is too small: 20 are set aside"):
        search(task, model, tmp_path, "labeled", calls=19)


def test_an_unknown_optimizer_is_refused(task: Task, model: LocalModel, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"must be one of labeled, .*; got 'adam'"):
        search(task, model, tmp_path, "adam")


def test_prices_are_what_is_charged(task: Task, model: LocalModel) -> None:
    """Also where one label begins as another does, which makes the tree of answers fork."""
    naive = naive_prompt(task, is_chat=False)
    words = [
        entry.model_copy(update={"word": w})
        for entry, w in zip(naive.words, ("good", "good!"), strict=True)
    ]
    texts = [example.inputs["text"] for example in task.splits.dev]
    for prompt in (naive, naive.model_copy(update={"words": tuple(words)})):
        rendered = [render(prompt, text) for text in texts]
        for apart in (False, True):
            model.ledger = Ledger()
            model.choose(rendered, answers(prompt), apart=apart)
            charged = model.ledger.account.forward_tokens
            shared = len(model.codec.encode(rendered[0]).shared) if apart else 0
            assert charged == choose_tokens(model, prompt, texts, apart=apart) + shared


def _tracker(task: Task, told: Any) -> tuple[Tracker, Sequence[Any]]:
    scored = [dspy.Example(text=f"t{n}", label="negative").with_inputs("text") for n in range(4)]
    return Tracker(task, scored, dspy_metric("label"), told), scored


def _answer(
    tracker: Tracker, task: Task, program: str, text: str, label: str | BaseException
) -> None:
    predictor = dspy.Predict(task.signature.with_instructions(program))
    tracker.on_module_start("1", predictor, {"kwargs": {"text": text}})
    if isinstance(label, BaseException):
        tracker.on_module_end("1", None, label)
    else:
        tracker.on_module_end("1", dspy.Prediction(label=label))


def test_the_tracker_ranks_whole_programs_first(task: Task) -> None:
    told: list[tuple[int, float]] = []
    tracker, _ = _tracker(task, lambda *args: told.append(args))
    for n in range(4):
        _answer(tracker, task, "quarter", f"t{n}", "negative" if n == 0 else "positive")
    for n in range(3):
        _answer(tracker, task, "all of three", f"t{n}", "negative")
    _answer(tracker, task, "one of one", "t0", "negative")
    _answer(tracker, task, "elsewhere", "another text", "negative")
    for n in range(4):
        _answer(tracker, task, "half", f"t{n}", "negative" if n < 2 else ValueError("no"))
    _answer(tracker, task, "refused", "t0", KeyboardInterrupt())
    assert [p.instructions for p in tracker.ranked()] == ["half", "quarter", "all of three"]
    assert told == [(0, 0.25), (1, 0.5)]
    assert [p.instructions for p in tracker.whole()] == ["half", "quarter"]
    assert tracker.n_programs == 4
    _answer(tracker, task, "quarter", "t1", "negative")  # the last answer counts, once
    _answer(tracker, task, "quarter", "t2", "negative")
    assert tracker.ranked()[0].instructions == "quarter"
    assert [p.instructions for p in tracker.whole()] == ["quarter", "half"]
    assert len(told) == 2


def test_quiet_is_quiet_and_aloud_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    with quiet() as aloud:
        sys.stdout.write("unheard ")
        with aloud():
            sys.stdout.write("heard ")
        sys.stdout.write("unheard ")
    sys.stdout.write("after")
    assert capsys.readouterr().out.split() == ["heard", "after"]


def test_studies_without_a_sampler_are_seeded() -> None:
    import optuna

    def drawn(seed: int) -> list[float]:
        with seeded_studies(seed):
            study = optuna.create_study()
        study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)
        return [trial.params["x"] for trial in study.trials]

    create = optuna.create_study
    assert drawn(0) == drawn(0) != drawn(1)
    assert optuna.create_study is create


@pytest.mark.parametrize("n_calls", [1, 100, 1_000, 10_000, 100_000])
def test_sizes_cost_what_the_budget_pays_or_the_least(n_calls: int) -> None:
    n_dev, n_train = 50, 40
    breadth, depth = copro_size(n_calls, n_dev)
    assert breadth * depth * n_dev <= max(n_calls, 2 * n_dev)
    candidates, trials, minibatch = mipro_size(n_calls, n_dev, n_train)
    whole = 1 + math.ceil(trials / 5)
    assert n_train + minibatch * trials + n_dev * whole <= max(n_calls, n_train + 4 * 35 + 100)
    assert (minibatch, 3 <= candidates <= 16) == (35, True)
    assert n_dev < gepa_calls(n_calls, n_dev, 3) <= max(n_calls, n_dev + 6)
    batch, c, steps = simba_size(n_calls, n_train)
    later = 2 * batch * c / 3 + (c + 1) * (batch + 1)
    cost = batch + (c + 1) * (batch + 1) + (steps - 1) * later + (c + 1) * (n_train - batch)
    assert cost <= max(n_calls + steps, 8 + 3 * 9 + 3 * 32)
    assert batch <= n_train
    assert steps >= 1
