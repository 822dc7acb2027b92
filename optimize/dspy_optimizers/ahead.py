"""Answering ahead: what `dspy.Evaluate` is about to ask one by one is run in one batch before.

On one thread DSPy asks prompt by prompt, so that the same seed gives the same run. A batch takes a
third to a half of the time. It changes no answer and no charge: its results wait in the model's
answers until they are asked for, and only then are they paid for.
"""

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import dspy
from pydantic import ValidationError

from modules.lm import Ledger, LocalModel, PromptTooLong
from modules.prompts import Prompt, answers, render
from modules.tasks.example import Task
from optimize.dspy_optimizers.found import found_in, is_task_program


@contextlib.contextmanager
def answered_ahead(model: LocalModel, task: Task, naive: Prompt) -> Iterator[None]:
    """Run the examples of every `dspy.Evaluate` inside in one batch before it begins.

    Args:
        model: it must keep its answers, see `LocalModel.remembering`.
        task: whose programs are evaluated; others are left alone.
        naive: the prompt that programs run through.
    """
    evaluate = dspy.Evaluate.__call__

    def ahead(self: dspy.Evaluate, program: Any, *args: Any, **kwargs: Any) -> Any:
        examples = kwargs.get("devset") or self.devset
        for predictor in program.predictors():
            if is_task_program(predictor, task):
                _answer(model, task, naive, predictor, [e[task.input_field] for e in examples])
        return evaluate(self, program, *args, **kwargs)

    with patch.object(dspy.Evaluate, "__call__", ahead):
        yield


def _answer(model: LocalModel, task: Task, naive: Prompt, predictor: Any, texts: list[str]) -> None:
    """Run a program's answers, unless the budget would not pay for all of them."""
    ledger = model.ledger
    try:
        prompt = found_in(predictor, task).prompt(naive, task.signature.instructions)
        rendered = [render(prompt, text) for text in texts]
        if model.cost(rendered, answers(prompt), with_shared=False) > ledger.tokens_left:
            return
        model.ledger = apart = Ledger()
        model.choose(rendered, answers(prompt))
        ledger.note_ahead(apart.account.forward_tokens - apart.account.reused_tokens)
    except (ValidationError, PromptTooLong):
        return  # the optimizer is told of it when it asks
    finally:
        model.ledger = ledger
