"""llama-cpp-python on an export for llama.cpp: what its command line would do, for many inputs.

Reads a job from standard input and prints, for each input, the text that it wrote and the tokens
that it read, as JSON.
"""

import json
import os
import sys

from llama_cpp import Llama, LlamaGrammar


def main() -> None:
    """Answer every text of the job: greedy, under the grammar, with the biases."""
    talk = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what the library prints is not an answer
    job = json.load(sys.stdin)
    n = job["threads"]
    model = Llama(job["gguf"], n_ctx=2048, n_threads=n, n_threads_batch=n, verbose=False)
    grammar = LlamaGrammar.from_string(job["grammar"], verbose=False)
    biases = {int(token): bias for token, bias in job["biases"].items()}
    written, read = [], []
    for text in job["texts"]:
        prompt = job["prompt"].replace(job["placeholder"], text)
        tokens = model.tokenize(prompt.encode(), add_bos=bool(job["begin"]), special=True)
        done = model.create_completion(
            tokens,
            max_tokens=job["n_predict"],
            temperature=0.0,
            repeat_penalty=1.0,
            grammar=grammar,
            logit_bias=biases,
        )
        written.append(done["choices"][0]["text"])
        read.append(tokens)
    print(json.dumps({"written": written, "read": read}), file=talk, flush=True)


main()
