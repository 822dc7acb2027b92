"""The local language model: exact choices and sampled text from weights in this process.

Example:

    model = load_model("smollm2-135m")
    rendered = [render(prompt, text) for text in texts]
    choices = model.choose(rendered, answers(prompt))
    choices.log_probabilities()                       # float64 [n_prompts, n_labels]
    asked = [GenerateRequest(prompt=r, sampling=Sampling(temperature=0.8)) for r in rendered]
    model.generate(asked)
"""

from modules.lm.choices import Choices
from modules.lm.generation import Completion
from modules.lm.known import DEFAULT_MODELS, KNOWN_MODELS
from modules.lm.ledger import Account, BudgetExceeded, Ledger
from modules.lm.load import load_model
from modules.lm.looks import Looks
from modules.lm.model import (
    GenerateRequest,
    LocalModel,
    ModelIdentity,
    PromptTooLong,
)
from modules.lm.recorded import load_as_named, load_recorded
from modules.lm.sampling import Sampling, draw_index, stream

__all__ = [
    "DEFAULT_MODELS",
    "KNOWN_MODELS",
    "Account",
    "BudgetExceeded",
    "Choices",
    "Completion",
    "GenerateRequest",
    "Ledger",
    "LocalModel",
    "Looks",
    "ModelIdentity",
    "PromptTooLong",
    "Sampling",
    "draw_index",
    "load_as_named",
    "load_model",
    "load_recorded",
    "stream",
]
