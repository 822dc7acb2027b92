"""A plain loop: dspy.Predict with the stock adapter over one transformers `generate` a call."""

from collections.abc import Sequence
from typing import Any

import dspy
import torch
from dspy.lm15 import Message, Request, Response, TextPart, Usage
from protocol import Answer, serve  # type: ignore[import-not-found]
from transformers import AutoModelForCausalLM, AutoTokenizer

MAX_TOKENS = 32


class PlainEngine:
    """The smallest engine that works: chat template, greedy `generate`, decode."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        self.model, self.tokenizer = model, tokenizer

    def __deepcopy__(self, memo: object) -> "PlainEngine":
        return self

    def complete(self, request: Request) -> Response:
        """Answer one request."""
        turns = [{"role": "system", "content": request.system}] if request.system else []
        turns += [{"role": m.role, "content": m.text} for m in request.messages]
        if self.tokenizer.chat_template:
            text = self.tokenizer.apply_chat_template(
                turns, tokenize=False, add_generation_prompt=True
            )
        else:
            text = "\n\n".join(turn["content"] for turn in turns) + "\n\n"
        given = self.tokenizer(text, return_tensors="pt", add_special_tokens=False)
        with torch.inference_mode():
            out = self.model.generate(**given, max_new_tokens=MAX_TOKENS, do_sample=False)
        written = out[0, given["input_ids"].shape[1] :]
        return Response(
            id=None,
            model=request.model,
            message=Message.assistant(
                [TextPart(self.tokenizer.decode(written, skip_special_tokens=True))]
            ),
            finish_reason="stop",
            usage=Usage(input_tokens=given["input_ids"].shape[1], output_tokens=len(written)),
        )


def prepare(job: dict[str, Any]) -> Answer:
    """Load the same weights, and bind the same four demos."""
    tokenizer = AutoTokenizer.from_pretrained(job["folder"])
    model = AutoModelForCausalLM.from_pretrained(job["folder"], dtype=getattr(torch, job["dtype"]))
    lm = dspy.LM(model="plain/loop", engine=PlainEngine(model, tokenizer), cache=False)
    dspy.configure(lm=lm, adapter=dspy.ChatAdapter(use_json_adapter_fallback=False))
    labels = ", ".join(repr(label) for label in job["labels"])
    program = dspy.Predict(dspy.Signature(f"text -> label: Literal[{labels}]", job["instructions"]))
    program.demos = [dspy.Example(text=text, label=label) for text, label in job["demos"]]

    def answer(numbers: Sequence[int]) -> list[str]:
        found = []
        for n in numbers:
            try:
                found.append(str(program(text=job["texts"][n]).label))
            except dspy.utils.exceptions.AdapterParseError:
                found.append("")
        return found

    return answer


serve(prepare)
