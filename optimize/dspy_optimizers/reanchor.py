"""ReAnchor: factors on the labels' probabilities, fitted on train, over our own engine.

ReAnchor asks a decision for evidence, a distribution over its options, and answers every candidate
setting from a cache. Our engine measures that distribution with every answer, so the adapter hands
it on, from one measurement an example.
"""

import copy
from typing import Any

import dspy
from dspy.experimental import ReAnchor

from modules.files import canonical_json
from modules.lm.engine import PROBABILITIES
from modules.programs import PromptAdapter
from modules.prompts import Prompt
from optimize.dspy_optimizers.setting import Setting


class EvidenceAdapter(PromptAdapter):
    """The adapter, which gives evidence where it is asked for, and asks nothing twice.

    A signature whose label field takes evidence reads as the task's own: the same prompt, the same
    measurement. Answers are remembered, so no temperature may be set on the task's model.
    """

    def __init__(self, prompt: Prompt, signature: type[dspy.Signature]) -> None:
        super().__init__(prompt, signature)
        self._signature = signature
        self._field = next(iter(signature.output_fields))
        self._answers: dict[str, list[dict[str, Any]]] = {}

    def __call__(
        self,
        lm: Any,
        lm_kwargs: dict[str, Any],
        signature: type[dspy.Signature],
        demos: list[Any],
        inputs: dict[str, Any],
    ) -> list[dict[str, Any]]:
        """Answer, from memory where the same was asked before."""
        annotation = signature.output_fields[self._field].annotation
        plain = self._signature.with_instructions(signature.instructions)
        key = canonical_json([plain.instructions, [dict(demo) for demo in demos], inputs])
        if key not in self._answers:
            self._answers[key] = super().__call__(lm, lm_kwargs, plain, demos, inputs)
        answers = copy.deepcopy(self._answers[key])
        if PROBABILITIES not in getattr(annotation, "model_fields", {}):
            return answers
        return [self._evidence(answer) for answer in answers]

    def _evidence(self, answer: dict[str, Any]) -> dict[str, Any]:
        probabilities = answer[PROBABILITIES][self._field]
        evidence = {"probabilities": probabilities, "confidence": max(probabilities.values())}
        return {self._field: evidence}


def reanchor(setting: Setting) -> dspy.Module:
    """Fit the factors on train. It keeps the program as it is unless a fold check favours them.

    No valset: ReAnchor would only report a score on it, and dev is scored in the end anyway.
    """
    optimizer = ReAnchor(setting.metric, num_threads=1, require_cache=False)
    return optimizer.compile(setting.student, trainset=setting.train)
