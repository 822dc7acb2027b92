"""The classifier: a frozen prompt and its model, called with texts.

It reads a text as the search read its examples (`modules.tasks.clean.clean_text`), so what the
evaluation measured is what a caller gets. Files and command lines are `burnish.predict`'s business.
"""

import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, overload

from burnish.asking import ask
from burnish.labels import probabilities
from modules.lm import GenerateRequest, LocalModel, PromptTooLong, Sampling, load_recorded
from modules.prompts import Artifact, load_artifact, parse_answer, render
from modules.tasks.clean import clean_text

Outcome = Literal["ok", "invalid", "lm_error", "no_text"]
Progress = Callable[[int], None]

_BATCH = 4_096  # every rendered prompt holds the whole shared text: a million at once do not fit


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the model says of one text.

    `label` is None unless `outcome` is "ok". The other outcomes: "invalid" (a generated text that
    names no label, or several), "lm_error" (the text does not fit into the model's context) and
    "no_text" (nothing but white space). `confidence` is the probability of the label, and
    `probabilities` that of every label, in the prompt's order; NaN and empty where nothing was
    chosen from, as in generated text.
    """

    label: str | None
    confidence: float
    probabilities: Mapping[str, float]
    outcome: Outcome


class Classifier:
    """A frozen prompt, or an ensemble, on a model.

    What a text gets does not depend on the texts beside it.
    """

    def __init__(self, artifact: Artifact, model: LocalModel) -> None:
        self.artifact = artifact
        self.model = model

    @overload
    def __call__(self, texts: str) -> Answer: ...  # type: ignore[overload-overlap]  # str is iterable

    @overload
    def __call__(self, texts: Iterable[str], progress: Progress | None = None) -> list[Answer]: ...

    def __call__(
        self, texts: str | Iterable[str], progress: Progress | None = None
    ) -> Answer | list[Answer]:
        """Label texts with the most probable label; ties go to the first one.

        Args:
            texts: one text, or any number of them.
            progress: called with the number of texts just finished, as the model gets on; not for
                texts that it never sees.

        Returns:
            One answer for one text, else a list with one answer a text, in order.

        Raises:
            TypeError: something else than a string, with its place.
            UserError: there is no memory for a single prompt.
        """
        if isinstance(texts, str):
            return self._label([texts], None)[0]
        given = _checked(texts)
        found: list[Answer] = []
        for at in range(0, len(given), _BATCH):
            found += self._label(given[at : at + _BATCH], progress)
        return found

    def _label(self, texts: Sequence[str], progress: Progress | None) -> list[Answer]:
        cleaned = [clean_text(text) for text in texts]
        found = iter(self._ask([text for text in cleaned if text], progress))
        return [next(found) if text else _without("no_text") for text in cleaned]

    def _ask(self, texts: Sequence[str], progress: Progress | None) -> list[Answer]:
        """Ask the model; where a text is too long, halve until it stands alone."""
        if not texts:
            return []
        chooses = self.artifact.prompt.decoding == "choose"
        try:
            return (self._choose if chooses else self._generate)(texts, progress)
        except PromptTooLong:  # raised before anything is run
            if len(texts) == 1:
                return [_without("lm_error")]
        middle = len(texts) // 2
        return self._ask(texts[:middle], progress) + self._ask(texts[middle:], progress)

    def _choose(self, texts: Sequence[str], progress: Progress | None) -> list[Answer]:
        found = ask(self.model, self.artifact.prompts, texts, progress)
        return [self._most_probable(row) for row in found.tolist()]

    def _most_probable(self, log_probabilities: Sequence[float]) -> Answer:
        p = probabilities(self.artifact.prompts, log_probabilities)
        label = max(p, key=p.__getitem__)  # the first of equals
        return Answer(label=label, confidence=p[label], probabilities=p, outcome="ok")

    def _generate(self, texts: Sequence[str], progress: Progress | None) -> list[Answer]:
        prompt = self.artifact.prompt
        requests = [
            GenerateRequest(prompt=render(prompt, text), sampling=Sampling()) for text in texts
        ]
        written = [done.text for done in self.model.generate(requests, progress)]
        labels = [parse_answer(prompt, text) for text in written]
        return [_without("invalid") if label is None else _said(label) for label in labels]


def load(path: str | os.PathLike[str], dtype: str | None = None, cache: bool = False) -> Classifier:
    """Load an artifact and the model that it was frozen for.

    Args:
        path: the artifact's file.
        dtype: "bfloat16", "float32" or "float64"; None takes the one that it was frozen in.
        cache: keep what is computed on disk, and read it from there the next time. It changes no
            answer.

    Raises:
        UserError: the artifact is broken, or its model is not here or has other weights.
    """
    artifact = load_artifact(Path(path))
    return Classifier(artifact, load_recorded(artifact.model, dtype, cache=cache))


def _checked(texts: Iterable[str]) -> list[str]:
    given = list(texts)
    for place, text in enumerate(given):
        if not isinstance(text, str):
            raise TypeError(
                f"a classifier takes texts as strings; texts[{place}] is {type(text).__name__}"
            )
    return given


def _said(label: str) -> Answer:
    return Answer(label=label, confidence=math.nan, probabilities={}, outcome="ok")


def _without(outcome: Outcome) -> Answer:
    return Answer(label=None, confidence=math.nan, probabilities={}, outcome=outcome)
