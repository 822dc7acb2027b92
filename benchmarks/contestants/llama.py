"""llama-cpp-python on the same GGUF file: greedy, constrained to the label words by a grammar.

It keeps the last prompt's keys and values, so the part that a prompt shares with the one before it
is not run again. It computes with the file's quantised weights, we with the same ones unpacked.
"""

from collections.abc import Sequence
from typing import Any

from llama_cpp import Llama, LlamaGrammar
from protocol import Answer, serve  # type: ignore[import-not-found]


def prepare(job: dict[str, Any]) -> Answer:
    """Load the GGUF file."""
    model = Llama(job["gguf"], n_ctx=2048, n_batch=512, n_threads=job["threads"], verbose=False)
    ways = " | ".join(f'"{choice}"' for choice in job["choices"])
    grammar = LlamaGrammar.from_string(f"root ::= {ways}", verbose=False)
    names = {c.strip(): label for c, label in zip(job["choices"], job["labels"], strict=True)}

    def answer(numbers: Sequence[int]) -> list[str]:
        found = []
        for n in numbers:
            done = model.create_completion(
                job["prompts"][n], max_tokens=4, temperature=0.0, grammar=grammar
            )
            found.append(names.get(done["choices"][0]["text"].strip(), ""))
        return found

    return answer


serve(prepare)
