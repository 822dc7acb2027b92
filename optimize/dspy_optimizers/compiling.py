"""Compiling: one optimizer runs under the ledger, and the best of what it ran is kept."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import dspy

from modules.lm import BudgetExceeded, LocalModel
from modules.programs import dspy_lm
from modules.tasks import dspy_metric
from modules.tasks.example import Example, Task
from optimize.dspy_optimizers.ahead import answered_ahead
from optimize.dspy_optimizers.found import Found, found_in
from optimize.dspy_optimizers.plan import Plan
from optimize.dspy_optimizers.quiet import quiet
from optimize.dspy_optimizers.registry import Optimizer
from optimize.dspy_optimizers.setting import (
    OTHER_WRITER_TOKENS,
    WRITER_TEMPERATURE,
    WRITER_TOKENS,
    Setting,
)
from optimize.dspy_optimizers.tracker import Told, Tracker

FAILED = "the optimizer failed"
"""How the reason of a run begins that ended in an error of DSPy's."""

_NO_ERROR_STOPS = 10**9


@dataclass(frozen=True, kw_only=True)
class Compiled:
    """What an optimizer left behind.

    `programs` may be frozen, the best first; the last is the program as it was before. The first
    `n_contenders` of them are the optimizer's own choice and what answered every example that ranks
    programs. `n_programs` counts the different ones that were run. `stopped` says why the optimizer
    did not come to its end, and is None where it did.
    """

    programs: tuple[Found, ...]
    n_contenders: int
    n_programs: int
    stopped: str | None


def compile_program(
    optimizer: Optimizer,
    task: Task,
    model: LocalModel,
    plan: Plan,
    *,
    seed: int,
    writer: dspy.LM | None,
    told: Told,
) -> Compiled:
    """Run an optimizer until it ends, the model's ledger refuses, or it fails.

    Args:
        optimizer: which one.
        task: gives the dev split, the signature and the metric.
        model: the task's model; its ledger is charged.
        plan: the prompt that programs run through, the train examples that may become demos, and
            the sizes.
        seed: any integer; the optimizers get it modulo 2^32, which is what their libraries take.
        writer: proposes instructions, and teaches where it is not the task's own model; None takes
            that one, at a higher temperature.
        told: called with number and score of every program that was scored whole.
    """
    lm = dspy_lm(model, seed, max_tokens=WRITER_TOKENS)
    teacher = None if _is_own(writer, model) else writer
    setting = _setting(optimizer, task, plan, seed=seed, lm=lm, teacher=teacher)
    student = found_in(setting.student, task)
    with quiet() as aloud:

        def said(number: int, score: float) -> None:
            with aloud():
                told(number, score)

        scored = setting.dev if optimizer.scored == "dev" else setting.train
        tracker = Tracker(task, scored, setting.metric, said)
        with (
            answered_ahead(model, task, plan.naive),
            dspy.context(
                lm=lm,
                adapter=setting.adapter,
                callbacks=[tracker],
                num_threads=1,
                max_errors=_NO_ERROR_STOPS,
                disable_history=True,
            ),
        ):
            best, stopped = _run(lambda: optimizer.compile(setting))
    first = [] if best is None else [found_in(best, task)]
    contenders = dict.fromkeys([*first, *tracker.whole()])
    return Compiled(
        programs=tuple(contenders | dict.fromkeys([*tracker.ranked(), student])),
        n_contenders=len(contenders),
        n_programs=max(1, tracker.n_programs),
        stopped=stopped,
    )


def _setting(
    optimizer: Optimizer,
    task: Task,
    plan: Plan,
    *,
    seed: int,
    lm: dspy.LM,
    teacher: dspy.LM | None,
) -> Setting:
    """Give what an optimizer's own function gets to work with."""
    train = _examples(task, plan.demos)
    random.Random(f"{seed}:train").shuffle(train)  # an int would lose its sign
    return Setting(
        task=task,
        student=dspy.Predict(task.signature),
        adapter=optimizer.adapter(plan.naive, task.signature),
        train=train,
        dev=_examples(task, task.splits.dev),
        metric=dspy_metric(task.output_field),
        seed=seed % 2**32,
        n_demos=plan.n_demos,
        n_bootstrapped=plan.n_bootstrapped,
        n_calls=plan.n_calls,
        writer=_writing(lm if teacher is None else teacher),
        teacher=teacher,
    )


def _run(compile_one: Callable[[], Any]) -> tuple[Any | None, str | None]:
    """Give the compiled program, or None and the reason why there is none."""
    try:
        return compile_one(), None
    except BudgetExceeded as end:
        return None, str(end)
    except Exception as error:  # noqa: BLE001  DSPy's code on a model's free text: anything may come
        first = str(error).strip().partition("\n")[0]
        return None, f"{FAILED} ({type(error).__name__}: {first})"


def _is_own(writer: dspy.LM | None, model: LocalModel) -> bool:
    return writer is None or getattr(getattr(writer, "engine", None), "model", None) is model


def _writing(lm: dspy.LM) -> dspy.LM:
    """Give an LM for free text: drawn, and bounded, where it does not say so itself."""
    usual = {"temperature": WRITER_TEMPERATURE, "max_tokens": OTHER_WRITER_TOKENS}
    return lm.copy(**{key: v for key, v in usual.items() if lm.kwargs.get(key) is None})


def _examples(task: Task, examples: Sequence[Example]) -> list[Any]:
    return [
        dspy.Example(**dict(example.inputs), **{task.output_field: example.label}).with_inputs(
            task.input_field
        )
        for example in examples
    ]
