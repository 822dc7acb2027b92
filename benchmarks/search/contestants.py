"""The contestants: one cell is searched, frozen and scored on the test split."""

import dataclasses
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.search.journal import Result, read_results, same_prompt
from benchmarks.search.promptolution_install import is_installed
from benchmarks.search.protocol import CONTROLS, OURS, PROMPTOLUTION, Cell, budget_tokens
from modules.lm import BudgetExceeded, Ledger, LocalModel
from modules.programs.naive import naive_prompt
from modules.prompts import (
    OWN_OPTIMIZER,
    Prompt,
    answers,
    apply_bias,
    calibrated,
    combine,
    evidence_words,
    render,
)
from modules.tasks.example import Example, Task
from optimize.config import Budget, SearchConfig
from optimize.dspy_optimizers import run_dspy_optimizer
from optimize.race.said import ask, together
from optimize.race.scoring import calibrate, settle
from optimize.search import run_search
from optimize.space.evidence import likely_answers
from optimize.space.space import build_space
from optimize.watcher import Watcher

ENSEMBLE_OF = 5
"""Prompts of "optuna-ensemble"."""


Score = Callable[[], Result]
"""Scores on the test split what a search has found."""


class Ending(Watcher):
    """Keeps why an optimizer did not come to its own end."""

    def __init__(self) -> None:
        self.ended_by = ""

    def stopped_early(self, reason: str) -> None:
        """Keep the reason."""
        self.ended_by = reason


def absent(optimizers: Sequence[str]) -> dict[str, str]:
    """Give the optimizers that cannot take part here, and why."""
    reasons: dict[str, str] = {}
    if not is_installed():
        why = "promptolution is not installed (see benchmarks/README.md)"
        reasons |= {name: why for name in optimizers if name in PROMPTOLUTION}
    return reasons


def run_cell(cell: Cell, task: Task, model: LocalModel, folder: Path) -> Result:
    """Search, freeze and score one cell; what goes wrong is recorded, not raised.

    Args:
        cell: which one.
        task: the cell's task, split with the cell's seed.
        model: the cell's model, without an answer cache; its ledger is replaced.
        folder: that of the journal, where the search may keep its files; what an earlier try left
            there is removed. A prompt that the journal has scored is not scored again.
    """
    test = task.splits.test.unseal()
    result = _unscored(cell, task, model, len(test))
    start = time.perf_counter()
    try:
        searched, score = _search(result, task, model, _emptied(folder, cell), test)
        twin = same_prompt(read_results(folder), searched)
        return _scored(score) if twin is None else _scored_as(twin, searched)
    except (Exception, BudgetExceeded) as error:  # noqa: BLE001  a peer may raise anything
        seconds = time.perf_counter() - start
        account = model.ledger.account
        return dataclasses.replace(
            result,
            error=f"{type(error).__name__}: {error}"[:500],
            seconds=round(seconds, 3),
            forward_tokens=account.forward_tokens,
            calls=account.n_prompts,
        )


def search_cell(cell: Cell, task: Task, model: LocalModel, folder: Path) -> Result:
    """Search and freeze one cell as `run_cell` does, without the test split; errors are raised."""
    result = _unscored(cell, task, model, 0)
    searched, _ = _search(result, task, model, _emptied(folder, cell), ())
    return searched


def _unscored(cell: Cell, task: Task, model: LocalModel, n_test: int) -> Result:
    return Result(
        cell=cell,
        budget_tokens=budget_tokens(cell.task, cell.budget),
        n_test=n_test,
        test_hash=task.splits.test.digest,
        dtype=model.identity.dtype,
    )


def _emptied(folder: Path, cell: Cell) -> Path:
    """Give the folder that a cell's search keeps its files in, with nothing in it."""
    home = folder / "cells" / cell.key
    shutil.rmtree(home, ignore_errors=True)
    return home


def _search(
    result: Result, task: Task, model: LocalModel, home: Path, test: Sequence[Example]
) -> tuple[Result, Score]:
    """Search and freeze one cell, and give what scores it on `test`."""
    run = {"naive": _naive, **dict.fromkeys(PROMPTOLUTION, _promptolution)}.get(
        result.cell.optimizer, _frozen
    )
    return run(result, task, model, home, test)


def choose_labels(
    model: LocalModel, prompts: Sequence[Prompt], texts: Sequence[str]
) -> NDArray[np.int64]:
    """Give the most probable label of each text, [n]; ties go to the first.

    Several prompts are an ensemble.
    """
    parts = []
    for prompt in prompts:
        rendered = [render(prompt, text) for text in texts]
        scored = model.choose(rendered, answers(prompt), words=evidence_words(prompt))
        parts.append(calibrated(prompt, scored.log_probabilities(), scored.word_logits))
    return np.asarray(combine(parts).argmax(axis=1), dtype=np.int64)


def _frozen(
    result: Result, task: Task, model: LocalModel, home: Path, test: Sequence[Example]
) -> tuple[Result, Score]:
    """Run an optimizer that freezes an artifact: our own search, or one of DSPy's."""
    cell = result.cell
    own = cell.optimizer in (*OURS, *CONTROLS)
    config = SearchConfig(
        budget=Budget(tokens=result.budget_tokens),
        seed=cell.seed,
        out=home / "artifacts",
        runs=home / "runs",
        command=f"python -m benchmarks.search run  # {cell.key}",
        optimizer=OWN_OPTIMIZER if own else cell.optimizer,
        ensemble=ENSEMBLE_OF if cell.optimizer == "optuna-ensemble" else 1,
        sampler="random" if cell.optimizer == "optuna-random" else "tpe",
    )
    watcher = Ending()
    model.ledger = Ledger()
    start = time.perf_counter()
    artifact, _ = (run_search if own else run_dspy_optimizer)(task, model, config, watcher)
    seconds = time.perf_counter() - start
    prompts = artifact.prompts
    searched = dataclasses.replace(
        result,
        dev=artifact.scores["dev"].accuracy,
        confirm=artifact.scores["confirm"].accuracy,
        forward_tokens=artifact.search.spent["forward_tokens"],
        calls=artifact.search.spent["n_prompts"],
        seconds=round(seconds, 3),
        prompt_tokens=sum(model.count_tokens(render(prompt, "")) for prompt in prompts),
        prompt={"prompts": [prompt.model_dump(mode="json") for prompt in prompts]},
        notes={
            "n_trials": artifact.search.n_trials,
            "n_pruned": artifact.search.n_pruned,
            "n_finalists": artifact.search.n_finalists,
            "ended_by": watcher.ended_by,
        },
    )

    def score() -> Result:
        if not own:
            return _scored_plain(searched, task, model, prompts[0], test)
        model.ledger = Ledger()
        said = choose_labels(model, prompts, [example.inputs[task.input_field] for example in test])
        right = said == np.array(task.gold(test))
        return dataclasses.replace(searched, correct=_bits(right.tolist()))

    return searched, score


def _naive(
    result: Result, task: Task, model: LocalModel, home: Path, test: Sequence[Example]
) -> tuple[Result, Score]:
    """Take the naive prompt as it is."""
    prompt = naive_prompt(task, is_chat=model.has_chat_template)
    searched = dataclasses.replace(
        result,
        prompt_tokens=model.count_tokens(render(prompt, "")),
        prompt={"prompts": [prompt.model_dump(mode="json")]},
    )
    return searched, lambda: _scored_plain(searched, task, model, prompt, test)


def _scored_plain(
    searched: Result, task: Task, model: LocalModel, prompt: Prompt, test: Sequence[Example]
) -> Result:
    """Score a prompt that was found without calibration: as it is, with our bias, with evidence.

    Ours are settled on dev and confirm, as at the end of our own search; the budget does not pay
    for these answers, most of which the search has had.
    """
    model.ledger = Ledger()
    splits = (task.splits.dev, task.splits.confirm, test)
    words = likely_answers(model, build_space(task, searched.cell.seed, has_chat=False))
    said = [ask(model, task, prompt, split, words) for split in splits]
    gold = [np.array(task.gold(split)) for split in splits]
    plain = [calibrated(prompt, one.logp, one.words).argmax(axis=1) for one in said]
    right = [a == b for a, b in zip(plain, gold, strict=True)]
    both, labels = together(*said[:2]), np.concatenate(gold[:2])
    name, bias = calibrate(both.logp, labels)
    biased = apply_bias(said[2].logp, bias).argmax(axis=1) == gold[2]
    weighed = settle(both, labels).of(said[2]).argmax(axis=1) == gold[2]
    return dataclasses.replace(
        searched,
        dev=float(right[0].mean()),
        confirm=float(right[1].mean()),
        correct=_bits(right[2].tolist()),
        biased=_bits(biased.tolist()),
        weighed=_bits(weighed.tolist()),
        notes=searched.notes | {"calibration": name},
    )


def _promptolution(
    result: Result, task: Task, model: LocalModel, home: Path, test: Sequence[Example]
) -> tuple[Result, Score]:
    """Run one of promptolution's optimizers; its prompt is scored as promptolution predicts."""
    from benchmarks.search.promptolution_search import Rival

    rival = Rival(result.cell.optimizer, task, model, result.cell.seed)
    start = time.perf_counter()
    found = rival.search(result.budget_tokens)
    seconds = time.perf_counter() - start
    account = model.ledger.account
    searched = dataclasses.replace(
        result,
        forward_tokens=account.forward_tokens,
        calls=account.n_prompts,
        seconds=round(seconds, 3),
        prompt_tokens=rival.n_prompt_tokens(found.prompt),
        prompt={"text": found.prompt},
        notes={"n_steps": found.n_steps, "ended_by": found.ended_by},
    )

    def score() -> Result:
        model.ledger = Ledger()
        on_test = rival.predict(found.prompt, test)
        dev = rival.predict(found.prompt, task.splits.dev)
        confirm = rival.predict(found.prompt, task.splits.confirm)
        return dataclasses.replace(
            searched,
            correct=_bits(on_test.correct),
            guided=_bits(on_test.guided),
            dev=dev.accuracy,
            confirm=confirm.accuracy,
            notes=searched.notes
            | {
                "n_defaulted": on_test.n_defaulted,
                "guided_dev": sum(dev.guided) / len(dev.guided),
                "guided_confirm": sum(confirm.guided) / len(confirm.guided),
            },
        )

    return searched, score


def _scored(score: Score) -> Result:
    """Score what a search has found, and time it."""
    start = time.perf_counter()
    scored = score()
    return dataclasses.replace(scored, test_seconds=round(time.perf_counter() - start, 3))


def _scored_as(twin: Result, searched: Result) -> Result:
    """Take the scores of a cell that froze the same prompt."""
    return dataclasses.replace(
        searched,
        correct=twin.correct,
        guided=twin.guided,
        biased=twin.biased,
        weighed=twin.weighed,
        dev=twin.dev,
        confirm=twin.confirm,
        test_seconds=twin.test_seconds,
        notes=twin.notes | searched.notes | {"scored_as": twin.cell.key},
    )


def _bits(correct: Sequence[bool]) -> str:
    return "".join("1" if right else "0" for right in correct)
