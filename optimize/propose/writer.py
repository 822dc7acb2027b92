"""The writer: any `dspy.LM` may propose instructions; the search then judges them like any other.

Very small models write near copies or nonsense, so a writer is a choice and no default. It is shown
the task and a few train examples; what repeats, is empty, or is too long is dropped.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress

import dspy
from dspy.utils.exceptions import AdapterParseError

from modules.errors import UserError
from modules.lm import BudgetExceeded, LocalModel, load_model
from modules.programs import PromptAdapter, dspy_lm
from modules.programs.naive import naive_prompt
from modules.tasks.example import Task

N_WRITTEN = 6
SELF = "self"

_N_SHOWN = 6
_MAX_SHOWN_CHARS = 300
_MAX_CHARS = 400
_MIN_CHARS = 10
_TEMPERATURE = 0.9
_MAX_TOKENS = 120
_ASPECTS = (
    "Be short and direct.",
    "Say what to look at.",
    "Say what each label means.",
    "Warn of the common mistake.",
    "Speak to an expert of the field.",
    "Describe the step-by-step judgement in one sentence.",
)


class WriteInstruction(dspy.Signature):  # type: ignore[misc]
    """Write one instruction, of one or two sentences, that tells a reader how to label a text."""

    task: str = dspy.InputField(desc="what the reader has to do")
    labels: str = dspy.InputField(desc="the labels, with their meanings")
    examples: str = dspy.InputField(desc="labelled texts")
    advice: str = dspy.InputField(desc="what the instruction should be like")
    instruction: str = dspy.OutputField(desc="the instruction, nothing else")


def open_writer(name: str, model: LocalModel, seed: int) -> dspy.LM:
    """Give the LM that a name stands for.

    Args:
        name: "self" or the own model's name (the task's own model), `PROVIDER/NAME@URL` (a server
            with an OpenAI-compatible interface, as "openai/qwen3@http://localhost:8000/v1"; its key
            is read from the environment variable OPENAI_API_KEY), or a local model's short name,
            hub id or folder.
        model: the task's own model.
        seed: of a local writer's draws.

    Raises:
        UserError: a local model that cannot be had, or a server's name without its model.
    """
    if name == SELF:
        return dspy_lm(model, seed)
    served, at, url = name.rpartition("@")
    if at and url.startswith(("http://", "https://")):
        if "/" not in served or served.endswith("/"):
            raise UserError(
                f"a writer on a server is PROVIDER/NAME@URL, as openai/qwen3@{url}; got {name!r}"
            )
        key = os.environ.get("OPENAI_API_KEY", "none")
        return dspy.LM(model=served, api_base=url, api_key=key, cache=False)
    if name == model.identity.name:
        return dspy_lm(model, seed)
    return dspy_lm(load_model(name), seed)


def write_instructions(writer: dspy.LM, task: Task, model: LocalModel) -> tuple[str, ...]:
    """Ask the writer for instructions; different ones come back, at most `N_WRITTEN`.

    The task's own model is charged through its ledger, any other writer is not.

    What was written before the ledger refused is given.

    Raises:
        UserError: the writer cannot be reached, or refuses.
    """
    engine = getattr(writer, "engine", None)
    local = isinstance(getattr(engine, "model", None), LocalModel)
    has_chat = engine.model.has_chat_template if engine is not None and local else True
    prompt = naive_prompt(task, is_chat=has_chat)
    adapter = PromptAdapter(prompt, task.signature) if local else dspy.ChatAdapter()
    settings = {"temperature": _TEMPERATURE, "max_tokens": _MAX_TOKENS}
    found: list[str] = []
    with dspy.context(lm=writer.copy(**settings), adapter=adapter), suppress(BudgetExceeded):
        for advice in _ASPECTS:
            found += _written(task, advice)
    return tuple(dict.fromkeys(found))[:N_WRITTEN]


def _written(task: Task, advice: str) -> Iterator[str]:
    try:
        answer = dspy.Predict(WriteInstruction)(
            task=task.signature.instructions,
            labels="; ".join(
                f"{x.name}: {x.meaning}" if x.meaning else x.name for x in task.labels
            ),
            examples="\n".join(_shown(task)),
            advice=advice,
        )
    except AdapterParseError:
        return
    except Exception as error:
        first = str(error).strip().partition("\n")[0]
        raise UserError(f"the writer did not answer: {first[:300]}") from error
    text = " ".join(str(answer.instruction).split())
    if _MIN_CHARS <= len(text) <= _MAX_CHARS:
        yield text


def _shown(task: Task) -> Sequence[str]:
    shown = []
    for example in task.splits.train[:_N_SHOWN]:
        text = " ".join(example.inputs[task.input_field].split())[:_MAX_SHOWN_CHARS]
        shown.append(f"{text} -> {example.label}")
    return shown
