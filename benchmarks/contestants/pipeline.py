"""transformers' text-generation pipeline in batches: greedy, a few tokens, the label word found."""

from collections.abc import Sequence
from typing import Any

import torch
import transformers
from protocol import Answer, serve  # type: ignore[import-not-found]

BATCH = 16


def prepare(job: dict[str, Any]) -> Answer:
    """Load the same weights in the same dtype."""
    tokenizer = transformers.AutoTokenizer.from_pretrained(job["folder"], padding_side="left")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    pipe = transformers.pipeline(
        "text-generation",
        model=job["folder"],
        tokenizer=tokenizer,
        dtype=getattr(torch, job["dtype"]),
    )
    words = [choice.strip() for choice in job["choices"]]
    longest = max(len(tokenizer(c, add_special_tokens=False)["input_ids"]) for c in job["choices"])

    def answer(numbers: Sequence[int]) -> list[str]:
        texts = [job["prompts"][n] for n in numbers]
        done = pipe(
            texts,
            batch_size=BATCH,
            max_new_tokens=longest,
            do_sample=False,
            return_full_text=False,
        )
        written = [one[0]["generated_text"].strip() for one in done]
        return [
            next((a for w, a in zip(words, job["labels"], strict=True) if text.startswith(w)), "")
            for text in written
        ]

    return answer


serve(prepare)
