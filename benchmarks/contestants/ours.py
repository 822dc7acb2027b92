"""Burnish: `choose` over the whole round, without the answer cache."""

from collections.abc import Sequence
from typing import Any

from protocol import Answer, serve  # type: ignore[import-not-found]

from modules.lm import load_model
from modules.prompts import Prompt, answers, render


def prepare(job: dict[str, Any]) -> Answer:
    """Load the model by its name."""
    model = load_model(job["model"], dtype=job["dtype"])
    prompt = Prompt.model_validate_json(job["prompt"])

    def answer(numbers: Sequence[int]) -> list[str]:
        rendered = [render(prompt, job["texts"][n]) for n in numbers]
        scores = model.choose(rendered, answers(prompt)).log_probabilities()
        return [job["labels"][at] for at in scores.argmax(axis=1)]

    return answer


serve(prepare)
