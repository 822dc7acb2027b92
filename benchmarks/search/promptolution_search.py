"""promptolution's optimizers on our tasks: CAPO, EvoPromptGA and OPRO, with their defaults.

The task model and the meta model are the same local model. The optimizer sees dev and confirm as
its task, 30 examples at a time (the library's number): CAPO in blocks, the others in samples, for
all of them would leave a small budget without a step. CAPO takes its few-shot examples from train.
It runs until the ledger refuses, and its best prompt so far is kept. Predictions are greedy, read
by promptolution's `FirstOccurrencePredictor`: its default for a text without a label is the first
class, and so it is here.
"""

import logging
import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.search.promptolution_install import PACKAGE
from benchmarks.search.promptolution_lm import InProcessLLM, part
from modules.errors import UserError
from modules.lm import BudgetExceeded, Ledger, LocalModel, Sampling
from modules.tasks.example import Example, Task
from modules.wilson import wilson

ANSWER_TOKENS = 16
META_TOKENS = 128
META_TEMPERATURE = 0.7
"""OPRO asks the same question eight times a step: without a temperature it gets one answer."""

OPENING = "Output:"
"""What opens an answer for a model without a chat template, as in CAPO's few-shot examples."""

_MANY_STEPS = 1_000_000  # the budget ends the search, never the number of steps


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """A prompt's answers on n examples: right or not, and how many defaulted to the first class.

    `guided` is right or not under our `choose` of the same prompt.
    """

    correct: list[bool]
    guided: list[bool]
    n_defaulted: int

    @property
    def accuracy(self) -> float:
        """The share that is right."""
        return sum(self.correct) / len(self.correct)


@dataclass(frozen=True, kw_only=True)
class Found:
    """The best prompt, the steps that were finished, and what ended the search ("" the budget)."""

    prompt: str
    n_steps: int
    ended_by: str


def initial_prompts(task: Task) -> list[str]:
    """Give the eight instructions that every optimizer starts from: the task's own, and others."""
    noun, aspect = task.noun, task.output_field.replace("_", " ")
    labels = " or ".join(task.label_names)
    return [
        task.signature.instructions,
        f"Classify the {noun} as {labels}.",
        f"Decide whether the following {noun} is {labels}. Answer with one word.",
        f"Read the {noun} below and say which label fits it best: {labels}.",
        f"What is the {aspect} of this {noun}? Answer {labels}.",
        f"You are an expert annotator. Label the {noun} as {labels}. Write the label first.",
        f"Given a {noun}, output its {aspect} ({labels}), without any explanation.",
        f"Assign the {noun} to exactly one class: {labels}. Answer with the class name only.",
    ]


def task_description(task: Task) -> str:
    """Give what the meta model is told about the task."""
    meanings = "; ".join(f"{label.name}: {label.meaning}" for label in task.labels)
    return (
        f"The dataset contains {task.noun}s, each with its {task.output_field}. The task is to "
        f"give the {task.output_field} of a {task.noun} ({meanings})."
    )


class Rival:
    """One search with one of promptolution's optimizers.

    Args:
        name: "capo", "evoprompt" or "opro".
        task: the task; its labels are single lower-case words.
        model: task model and meta model; its ledger is replaced.
        seed: of everything random.

    Raises:
        UserError: a label that the predictor could not find.
    """

    def __init__(self, name: str, task: Task, model: LocalModel, seed: int) -> None:
        self.name, self.task, self.model, self.seed = name, task, model, seed
        self.classes = list(task.label_names)
        if any(not (c.isalnum() and c.islower()) for c in self.classes):
            raise UserError(f"promptolution's predictor cannot find the labels {self.classes}")
        splits = task.splits
        asked = (*splits.train, *splits.dev, *splits.confirm)
        texts = [example.inputs[task.input_field] for example in asked]
        self._predictor = self._new_predictor(texts)

    def search(self, budget_tokens: int) -> Found:
        """Search until the forward tokens are spent; the ledger then says what was."""
        random.seed(self.seed)
        np.random.seed(self.seed % 2**32)
        self.model.ledger = Ledger(budget_tokens)
        optimizer = self._optimizer()
        steps, errors = _Steps(), _Errors()
        optimizer.callbacks.append(steps)
        logger = logging.getLogger(PACKAGE)
        logger.addHandler(errors)
        try:
            optimizer.optimize(_MANY_STEPS)
        except BudgetExceeded:
            pass
        finally:
            logger.removeHandler(errors)
        return Found(prompt=best_prompt(optimizer), n_steps=steps.n, ended_by=errors.first)

    def predict(self, prompt: str, examples: Sequence[Example]) -> Predicted:
        """Answer examples with a prompt, in both ways."""
        texts = [example.inputs[self.task.input_field] for example in examples]
        gold = [example.label for example in examples]
        predictor = self._new_predictor(texts)
        said, written = predictor.predict([prompt] * len(texts), texts)
        system = part("utils.templates").DEFAULT_SYS_PROMPT
        whole = [f"{prompt}\n{text}" for text in texts]
        chosen = predictor.llm.choose(whole, system, self.classes).argmax(axis=1)
        return Predicted(
            correct=[a == b for a, b in zip(said, gold, strict=True)],
            guided=[self.classes[n] == b for n, b in zip(chosen, gold, strict=True)],
            n_defaulted=sum(
                not names_class(whole.removeprefix(text), self.classes)
                for whole, text in zip(written, texts, strict=True)
            ),
        )

    def n_prompt_tokens(self, prompt: str) -> int:
        """Give the tokens of a prompt around an empty input."""
        system = part("utils.templates").DEFAULT_SYS_PROMPT
        return self.model.count_tokens(self._predictor.llm.rendered(f"{prompt}\n", system))

    def _new_predictor(self, texts: Sequence[str]) -> Any:
        llm = InProcessLLM(
            self.model,
            Sampling(temperature=0.0, max_tokens=ANSWER_TOKENS),
            self.seed,
            inputs=texts,
            opening=OPENING,
            stops=("\nInput:",),  # where a base model begins another example
        )
        first = part("predictors.first_occurrence_predictor").FirstOccurrencePredictor
        return first(llm, self.classes)

    def _optimizer(self) -> Any:
        meta = InProcessLLM(
            self.model,
            Sampling(temperature=META_TEMPERATURE, max_tokens=META_TOKENS),
            self.seed,
            stops=("</prompt>",),
        )
        splits, options = self.task.splits, {}
        task = part("tasks.classification_tasks").ClassificationTask(
            self._frame((*splits.dev, *splits.confirm)),
            task_description=task_description(self.task),
            eval_strategy="sequential_block" if self.name == "capo" else "subsample",
            seed=self.seed,
        )
        if self.name == "capo":
            options = {"df_few_shots": self._frame(splits.train)}
        home, kind = {
            "capo": ("capo", "CAPO"),
            "evoprompt": ("evoprompt_ga", "EvoPromptGA"),
            "opro": ("opro", "OPRO"),
        }[self.name]
        return getattr(part(f"optimizers.{home}"), kind)(
            predictor=self._predictor,
            task=task,
            meta_llm=meta,
            initial_prompts=initial_prompts(self.task),
            **options,
        )

    def _frame(self, examples: Sequence[Example]) -> pd.DataFrame:
        rows = [(e.inputs[self.task.input_field], e.label) for e in examples]
        return pd.DataFrame(rows, columns=["x", "y"])


def best_prompt(optimizer: Any) -> str:
    """Give the prompt with the best score so far; the first one where none was scored yet.

    Before an optimizer has scores of its own, the single answers in its task's cache are what
    tells: by the lower end of their interval, as prompts have answered different numbers.
    """
    prompts, scores = optimizer.prompts, np.asarray(optimizer.scores, dtype=np.float64)
    if len(scores) == len(prompts) and not np.isnan(scores).all():
        return str(prompts[int(np.nanargmax(scores))])
    answered: dict[str, list[float]] = {}
    for (prompt, _, _), right in optimizer.task.eval_cache.items():
        answered.setdefault(prompt, []).append(float(right))
    if not answered:
        return str(prompts[0])
    return max(answered, key=lambda one: wilson(round(sum(answered[one])), len(answered[one])).low)


def names_class(text: str, classes: Sequence[str]) -> bool:
    """Say whether the predictor finds a class in a text, or falls back on the first one."""
    words = ("".join(filter(str.isalnum, word)).lower() for word in text.split())
    return any(word in classes for word in words)


class _Steps:
    """A promptolution callback that counts finished steps."""

    def __init__(self) -> None:
        self.n = 0

    def on_step_end(self, optimizer: Any) -> bool:
        """Count, and go on."""
        self.n += 1
        return True

    def on_train_end(self, optimizer: Any) -> bool:
        """Nothing is left to do."""
        return True


class _Errors(logging.Handler):
    """Keeps the first error that an optimizer logged and swallowed."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.first = ""

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the exception."""
        error = record.exc_info[1] if record.exc_info else None
        self.first = self.first or f"{type(error).__name__}: {error}"
