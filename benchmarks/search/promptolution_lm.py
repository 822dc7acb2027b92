"""promptolution's language model over ours: the same weights, ledger and seeds, in process.

promptolution is no dependency of Burnish; benchmarks/README.md says how to install it. Importing
this module without it raises ImportError.
"""

import importlib
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.search.promptolution_install import PACKAGE
from modules.lm import GenerateRequest, LocalModel, Sampling
from modules.prompts import Rendered, Turn


def part(name: str) -> Any:
    """Import one of promptolution's modules."""
    return importlib.import_module(f"{PACKAGE}.{name}")


BaseLLM: Any = part("llms.base_llm").BaseLLM


class Tokens:
    """The tokenizer that promptolution counts prompt lengths with."""

    def __init__(self, model: LocalModel) -> None:
        self._model = model

    def encode(self, text: str) -> list[int]:
        """Give the ids of a text, without special tokens."""
        return list(self._model.codec.plain(text))


class InProcessLLM(BaseLLM):  # type: ignore[misc]
    """A promptolution LLM that answers with a `LocalModel`.

    A model with a chat template gets promptolution's system prompt and the prompt as a user turn,
    as promptolution's own local model does. One without gets plain text: the prompt, and in a new
    line what opens the answer. A prompt that ends with a known input declares where that input
    begins, so the instruction and the demos before it are run, and charged, once a batch.
    A prompt that is too long for the model's context is answered with "".

    Args:
        model: the model; what it computes is charged to its ledger.
        sampling: temperature, and the most tokens of an answer.
        seed: with the number of the call it seeds every answer's stream.
        inputs: the task's texts.
        opening: what opens an answer in plain text, "" for nothing.
        stops: what ends an answer, besides the model's own end.
    """

    def __init__(
        self,
        model: LocalModel,
        sampling: Sampling,
        seed: int,
        *,
        inputs: Collection[str] = (),
        opening: str = "",
        stops: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        self.model = model
        self.tokenizer = Tokens(model)
        self.n_calls = 0
        self._sampling = sampling
        self._seed: object = seed
        self._inputs = frozenset(inputs)
        self._opening = opening
        self._stops = stops

    def set_generation_seed(self, seed: int) -> None:
        """Take the seed that the optimizer draws for its next request."""
        self._seed = int(seed)

    def rendered(self, prompt: str, system: str) -> Rendered:
        """Give a prompt as the model reads it."""
        turns: tuple[Turn, ...]
        if self.model.has_chat_template:
            turns = (Turn(role="system", text=system), Turn(role="user", text=prompt))
            lead = ""
        else:
            turns = (Turn(role="text", text=f"{prompt}\n" if self._opening else prompt),)
            lead = self._opening
        return Rendered(
            turns=turns,
            n_shared_chars=self._input_start(prompt),
            lead=lead,
            answer_start="",
            stops=self._stops,
        )

    def choose(
        self, prompts: Sequence[str], system: str, classes: Sequence[str]
    ) -> NDArray[np.float64]:
        """Score the classes after each prompt: log-probabilities, [n, k].

        In plain text a class follows its opening as in the demos: in a new line where the prompt
        has demos, else behind a space.
        """
        rendered = [self.rendered(prompt, system) for prompt in prompts]
        start = ""
        if not self.model.has_chat_template:
            start = "\n" if all(f"{self._opening}\n" in prompt for prompt in prompts) else " "
        choices = self.model.choose(rendered, [start + name for name in classes])
        return choices.log_probabilities()

    def _get_response(self, prompts: list[str], system_prompts: list[str]) -> list[str]:
        pairs = zip(prompts, system_prompts, strict=True)
        rendered = [self.rendered(prompt, system) for prompt, system in pairs]
        n_new = self._sampling.max_tokens
        fitting = [n for n, one in enumerate(rendered) if self.model.fits(one, n_new=n_new)]
        self.n_calls += 1
        requests = [
            GenerateRequest(
                prompt=rendered[n],
                sampling=self._sampling,
                key=(PACKAGE, self._seed, self.n_calls, n),
            )
            for n in fitting
        ]
        answers = [""] * len(prompts)
        for n, completion in zip(fitting, self.model.generate(requests), strict=True):
            answers[n] = completion.text
        return answers

    def _input_start(self, prompt: str) -> int:
        """Give where the task's input begins in a prompt; 0 where it ends with none."""
        at = prompt.find("\n") + 1
        while at > 0:
            if prompt[at:] in self._inputs:
                return at
            at = prompt.find("\n", at) + 1
        return 0
