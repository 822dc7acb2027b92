"""Loading: a name becomes a `LocalModel` on this machine's best device."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig, PreTrainedModel
from transformers.utils import logging as transformers_logging

from modules.errors import UserError
from modules.files import cache_dir
from modules.lm.answers import Answers
from modules.lm.codec import Codec, token_ids
from modules.lm.forward import Forward
from modules.lm.ledger import Ledger
from modules.lm.model import LocalModel, ModelIdentity
from modules.lm.placement import pick_dtype, place, processor, steady_kernels
from modules.lm.store import AnswerStore
from modules.lm.weights import Weights, find_weights

_CPU_BATCH_TOKENS = 2_048
_GPU_BATCH_TOKENS = 32_768


def load_model(
    name: str,
    *,
    revision: str | None = None,
    dtype: str | None = None,
    ledger: Ledger | None = None,
    cache: bool = False,
) -> LocalModel:
    """Load a model by short name, hub id or folder.

    Args:
        name: see `modules.lm.weights.find_weights`.
        revision: hub only.
        dtype: "bfloat16", "float32" or "float64"; None takes what the machine computes fastest.
        ledger: where its work is counted; None makes a new one without a budget.
        cache: read answers that were computed before from the cache folder, and keep new ones
            there. It changes no answer.

    Raises:
        UserError: whatever a user can do about it: unknown, absent, too large, broken.
    """
    weights = find_weights(name, revision)
    return load_weights(weights, pick_dtype(dtype), ledger, cache=cache)


def load_weights(
    weights: Weights, dtype: torch.dtype, ledger: Ledger | None = None, *, cache: bool = False
) -> LocalModel:
    """Load weights that are on this machine."""
    steady_kernels()
    device_map = place(weights.folder, dtype)
    with _quiet():
        try:
            tokenizer = AutoTokenizer.from_pretrained(weights.folder)
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                weights.folder,
                dtype=dtype,
                device_map=device_map,
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise UserError(f"cannot load the model in {weights.folder}: {error}") from error
    model, report = loaded
    if report["missing_keys"]:  # transformers would go on with random values in their place
        absent = ", ".join(sorted(report["missing_keys"])[:3])
        raise UserError(f"the weights in {weights.folder} lack {absent}")
    on_cpu = set(device_map.values()) == {"cpu"}
    forward = Forward(model, _CPU_BATCH_TOKENS if on_cpu else _GPU_BATCH_TOKENS)
    identity = ModelIdentity(
        name=weights.name,
        source=weights.source,
        revision=weights.revision,
        digest=weights.digest,
        dtype=str(dtype).removeprefix("torch."),
        processor=processor(forward.device),
    )
    answers = None
    if cache:
        store = AnswerStore(cache_dir("answers") / "answers.sqlite3")
        way = "packed" if forward.packs else "padded"
        answers = Answers(store, weights.digest, dtype, identity.processor, way)
    return LocalModel(forward, Codec(tokenizer, _end_ids(model)), identity, ledger, answers)


def _end_ids(model: PreTrainedModel) -> list[int]:
    """The tokens that end an answer by the model's own account; chat models list several."""
    config = model.generation_config
    assert isinstance(config, GenerationConfig)
    return token_ids(config.eos_token_id)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers' bars for weights that load in a second out of the way."""
    level = transformers_logging.get_verbosity()
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    transformers_logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        transformers_logging.enable_progress_bar()  # type: ignore[no-untyped-call]
        transformers_logging.set_verbosity(level)
