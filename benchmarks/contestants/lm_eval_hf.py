"""lm-eval's Hugging Face model: the log-likelihood of each label word after the same text."""

from collections.abc import Sequence
from typing import Any

from lm_eval.api.instance import Instance
from lm_eval.models.huggingface import HFLM
from protocol import Answer, serve  # type: ignore[import-not-found]

BATCH = 16


def prepare(job: dict[str, Any]) -> Answer:
    """Load the same weights in the same dtype."""
    model = HFLM(pretrained=job["folder"], dtype=job["dtype"], device="cpu", batch_size=BATCH)

    def answer(numbers: Sequence[int]) -> list[str]:
        requests = [
            Instance(
                request_type="loglikelihood",
                doc={},
                arguments=(job["prompts"][n], choice),
                idx=idx,
            )
            for n in numbers
            for idx, choice in enumerate(job["choices"])
        ]
        scores = [score for score, _ in model.loglikelihood(requests, disable_tqdm=True)]
        k = len(job["choices"])
        rows = [scores[at : at + k] for at in range(0, len(scores), k)]
        return [job["labels"][row.index(max(row))] for row in rows]

    return answer


serve(prepare)
