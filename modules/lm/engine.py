"""The DSPy engine: requests become `choose` and `generate` on a local model.

One attempt per call, as DSPy's engine contract asks: caching, retries, fan-out and history are
DSPy's. A guided request is filled in slot by slot; the measured probabilities go into the response.
"""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Any

import dspy
import numpy as np
from dspy.lm15 import (
    Config,
    ContextLengthError,
    DataPart,
    Message,
    Request,
    Response,
    TextPart,
    UnsupportedFeatureError,
    Usage,
    response_to_events,
)

from modules.files import canonical_json, sha256_text
from modules.lm.choices import Choices
from modules.lm.gather import Gatherer
from modules.lm.guide import Guide, Slot, guide_of
from modules.lm.model import GenerateRequest, LocalModel, PromptTooLong
from modules.lm.sampling import Sampling, draw_index, stream
from modules.prompts.calibration import Array, apply_bias
from modules.prompts.evidence import weighed
from modules.prompts.render import Rendered, Role, Turn

PROBABILITIES = "probabilities"

_DEFAULT_MAX_TOKENS = 128
_REFUSED = ("frequency_penalty", "presence_penalty", "logprobs", "reasoning", "tool_choice")


@dataclass(kw_only=True)
class _Answer:
    """A response while it is filled in."""

    written: str
    values: dict[str, Any]
    probabilities: dict[str, dict[str, float]]
    n_input: int = 0
    n_output: int = 0
    truncated: bool = False


class LocalEngine:
    """Answers DSPy requests with a local model.

    A draw's random stream comes from (seed, request, how often this very request came before), so
    `n`, rollouts and threads get different samples and a second run gets the same ones. Requests of
    several threads are answered in batches, which changes no answer.
    """

    supported_params = frozenset(
        {"response_format", "metadata", "seed", "temperature", "max_tokens"}
    )
    supports_response_schema = True
    takes_guides = True

    def __init__(self, model: LocalModel, seed: int = 0) -> None:
        self.model = model
        self.seed = seed
        self._calls = Gatherer(model)
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    def __deepcopy__(self, memo: dict[int, Any]) -> "LocalEngine":
        return self  # optimizers copy programs all the time; the weights stay where they are

    def complete(self, request: Request) -> Response:
        """Answer one request.

        Raises:
            ContextLengthError: the prompt does not fit.
            UnsupportedFeatureError: the request asks for what is not honoured.
            BudgetExceeded: a BaseException, so that no optimizer takes it for a wrong answer.
        """
        _refuse(request)
        guide = guide_of(request.config.extensions or {}, request.config.response_format)
        rendered = guide.rendered(_turns(request))
        key = self._key(request)
        try:
            if guide.slots:
                return self._fill(request, guide, rendered, key)
            return self._write(request, rendered, key)
        except PromptTooLong as error:
            raise ContextLengthError(str(error)) from error

    def stream(self, request: Request) -> Iterator[Any]:
        """Answer one request as a stream of events; the whole answer comes in one piece."""
        response = self.complete(request)
        part = response.message.parts[0]
        if isinstance(part, DataPart):
            text = TextPart(canonical_json(part.value))
            response = replace(response, message=Message.assistant([text]))
        yield from response_to_events(response)

    def close(self) -> None:
        """Nothing to release: the model is borrowed."""

    def _key(self, request: Request) -> tuple[object, ...]:
        config = request.config
        digest = sha256_text(repr((request.system, request.messages, config)))
        with self._lock:
            occurrence = self._seen[digest]
            self._seen[digest] += 1
        seed = self.seed if config.seed is None else config.seed
        return ("engine", seed, digest, occurrence)

    def _write(self, request: Request, rendered: Rendered, key: tuple[object, ...]) -> Response:
        sampling = _sampling(request.config)
        stops = rendered.stops + tuple(request.config.stop)
        rendered = replace(rendered, stops=stops)
        asked = GenerateRequest(prompt=rendered, sampling=sampling, key=key)
        done = self._calls.generate(asked)
        return Response(
            id=None,
            model=request.model,
            message=Message.assistant([TextPart(done.text)]),
            finish_reason=done.finish,
            usage=Usage(input_tokens=done.n_input_tokens, output_tokens=done.n_output_tokens),
        )

    def _fill(
        self, request: Request, guide: Guide, rendered: Rendered, key: tuple[object, ...]
    ) -> Response:
        answer = _Answer(written=rendered.lead, values={}, probabilities={})
        for slot in guide.slots:
            answer.written += slot.lead
            asked = replace(rendered, lead=answer.written, stops=(slot.stop,))
            if slot.choices is None:
                self._fill_text(answer, slot, asked, request.config, (*key, slot.field))
            else:
                self._fill_choice(answer, slot, asked, request.config, (*key, slot.field))
        value = dict(answer.values)
        if answer.probabilities:
            value[PROBABILITIES] = answer.probabilities
        part = DataPart(
            value,
            probabilities=answer.probabilities or None,
            method="candidate_sequence_likelihood" if answer.probabilities else None,
        )
        return Response(
            id=None,
            model=request.model,
            message=Message.assistant([part]),
            finish_reason="length" if answer.truncated else "stop",
            usage=Usage(input_tokens=answer.n_input, output_tokens=answer.n_output),
        )

    def _fill_choice(
        self, answer: _Answer, slot: Slot, asked: Rendered, config: Config, key: tuple[object, ...]
    ) -> None:
        assert slot.choices is not None
        values, texts = list(slot.choices), [asked.answer_start + t for t in slot.choices.values()]
        if len(values) == 1:
            p, at = np.ones(1), 0
        else:
            temperature = config.temperature or 0.0
            words = () if slot.evidence is None else slot.evidence.words
            further = tuple(asked.answer_start + word for word in words)
            scored = self._calls.choose(asked, tuple(texts), further)
            answer.n_input = answer.n_input or scored.n_input_tokens[0]
            p = np.exp(_calibrated(slot, scored, 1.0)[0])
            at = int(p.argmax())
            if temperature > 0:
                hot = _calibrated(slot, scored, temperature)[0]
                at = draw_index(np.exp(hot), float(stream(*key).random()))
        text = slot.choices[values[at]]
        answer.values[slot.field] = json.loads(text) if slot.is_json else values[at]
        answer.probabilities[slot.field] = dict(zip(values, p.tolist(), strict=True))
        answer.written += texts[at]
        answer.n_output += 1

    def _fill_text(
        self, answer: _Answer, slot: Slot, asked: Rendered, config: Config, key: tuple[object, ...]
    ) -> None:
        request = GenerateRequest(prompt=asked, sampling=_sampling(config), key=key)
        done = self._calls.generate(request)
        answer.values[slot.field] = done.text
        answer.written += asked.answer_start + done.text
        answer.n_input = answer.n_input or done.n_input_tokens
        answer.n_output += done.n_output_tokens
        answer.truncated |= done.finish == "length"


class AsyncLocalEngine:
    """The same engine for DSPy's awaited calls: the work goes to a thread."""

    def __init__(self, engine: LocalEngine) -> None:
        self.engine = engine

    def __deepcopy__(self, memo: dict[int, Any]) -> "AsyncLocalEngine":
        return self

    async def complete(self, request: Request) -> Response:
        """Answer one request; raises as `LocalEngine.complete` does."""
        return await asyncio.to_thread(self.engine.complete, request)

    async def stream(self, request: Request) -> AsyncIterator[Any]:
        """Answer one request as a stream of events, all at the end."""
        for event in await asyncio.to_thread(lambda: list(self.engine.stream(request))):
            yield event

    async def aclose(self) -> None:
        """Nothing to release: the model is borrowed."""


def dspy_lm(model: LocalModel, seed: int = 0, **settings: Any) -> dspy.LM:
    """Give the `dspy.LM` of a local model.

    DSPy's cache key holds the model string alone, so the string carries the weights' digest, the
    dtype and the seed; caching is off unless asked for.
    """
    identity = model.identity
    mark = sha256_text(canonical_json([identity.digest, identity.dtype, seed]))[:12]
    settings = {"cache": False, "num_retries": 0, **settings}
    engine = LocalEngine(model, seed)
    return dspy.LM(
        model=f"burnish/{identity.name}@{mark}",
        engine=engine,
        async_engine=AsyncLocalEngine(engine),
        **settings,
    )


def _calibrated(slot: Slot, scored: Choices, temperature: float) -> Array:
    """Give the log-probabilities of a slot's choices, [1, k], as the slot says."""
    logp = scored.log_probabilities(temperature)
    if slot.evidence is not None:
        return weighed(slot.evidence, logp, scored.word_logits, temperature)
    bias = np.zeros(logp.shape[1]) if slot.bias is None else np.array(slot.bias)
    return apply_bias(logp, bias, temperature)


def _refuse(request: Request) -> None:
    if request.tools:
        raise UnsupportedFeatureError("a local model takes no tools", feature="tools")
    for name in _REFUSED:
        if getattr(request.config, name) is not None:
            raise UnsupportedFeatureError(f"{name} is not honoured", feature=f"config.{name}")


def _turns(request: Request) -> tuple[Turn, ...]:
    turns = [] if request.system is None else [Turn(role="system", text=_text(request.system))]
    for message in request.messages:
        role: Role = "assistant" if message.role == "assistant" else "user"
        turns.append(Turn(role=role, text=message.text or ""))
    return tuple(turns)


def _text(system: Any) -> str:
    return system if isinstance(system, str) else "\n".join(part.text for part in system)


def _sampling(config: Config) -> Sampling:
    return Sampling(
        temperature=config.temperature or 0.0,
        max_tokens=config.max_tokens or _DEFAULT_MAX_TOKENS,
        top_p=1.0 if config.top_p is None else config.top_p,
        top_k=config.top_k or 0,
    )
