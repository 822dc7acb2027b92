"""The adapter of a run: our prompts for all that our engine answers, DSPy's for a remote writer."""

from typing import Any

import dspy

from modules.programs import PromptAdapter
from modules.prompts import Prompt


class RunAdapter(PromptAdapter):
    """Renders through the prompt, but asks a writer that takes no guides in DSPy's own chat form.

    Without a guide nothing but a form that is spelled out keeps the fields of an answer apart. A
    second call after an answer that does not parse is never made.
    """

    def __init__(self, prompt: Prompt, signature: type[dspy.Signature]) -> None:
        super().__init__(prompt, signature)
        self._chat = dspy.ChatAdapter(use_json_adapter_fallback=False)

    def __call__(
        self,
        lm: Any,
        lm_kwargs: dict[str, Any],
        signature: type[dspy.Signature],
        demos: list[Any],
        inputs: dict[str, Any],
    ) -> list[dict[str, Any]]:
        """Answer one call."""
        guided = getattr(getattr(lm, "engine", None), "takes_guides", False)
        if guided or self._is_ours(signature):
            return super().__call__(lm, lm_kwargs, signature, demos, inputs)
        answers: list[dict[str, Any]] = self._chat(lm, lm_kwargs, signature, demos, inputs)
        return answers
