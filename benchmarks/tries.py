"""Other ways to run the same layers: which of them are faster, and do their labels stay the same?

    python -m benchmarks.tries --model smollm2-135m

Each way is loaded anew, changed, warmed up and then asked in turn for the same prompts; the figures
are medians over the rounds. Equal labels are those of the shipped way on all prompts.
"""

import argparse
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.common import interleaved, machine, save_result, spread
from benchmarks.speed import prompt_of
from modules.command import recorded
from modules.lm import LocalModel, load_model
from modules.prompts import answers, render
from modules.tasks import TaskSpec, load_task

ROUNDS = 5
N_PROMPTS = 100

Change = Callable[[nn.Module], None]


class OneDnnLinear(nn.Module):
    """A linear layer whose weight lies in oneDNN's own order."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.in_features, self.out_features = layer.in_features, layer.out_features
        self.bias = layer.bias
        self._packed = torch.ops.mkldnn._reorder_linear_weight(layer.weight.detach(), 2048)

    def forward(self, x: Tensor) -> Tensor:
        """Multiply."""
        y = torch.ops.mkldnn._linear_pointwise(x, self._packed, self.bias, "none", [], "")
        assert isinstance(y, Tensor)
        return y


def shipped(layers: nn.Module) -> None:
    """Leave the layers as they are."""


def onednn(layers: nn.Module) -> None:
    """Pack the weights for oneDNN; float32 products go to MKL otherwise."""
    for module in list(layers.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, nn.Linear):
                setattr(module, name, OneDnnLinear(child))


def int8(layers: nn.Module) -> None:
    """Quantise weights to 8 bits and activations as they come (PyTorch's dynamic quantisation)."""
    quantize: Any = torch.ao.quantization.quantize_dynamic
    quantize(layers, {nn.Linear}, dtype=torch.qint8, inplace=True)


def compiled(layers: nn.Module) -> None:
    """Compile what stands between the attentions: the MLPs and the norms."""
    for module in list(layers.modules()):
        name = type(module).__name__
        if name.endswith(("MLP", "RMSNorm")):
            module.forward = torch.compile(module.forward, dynamic=True)


WAYS: dict[str, Change] = {
    "shipped": shipped,
    "oneDNN-packed weights": onednn,
    "int8, dynamic": int8,
    "torch.compile of MLPs and norms": compiled,
}


def main() -> None:
    """Run the ways in turn and write the dated result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--dtype")
    options = parser.parse_args()
    task, _ = load_task(TaskSpec(name="snippets"), 0)
    prompt = prompt_of(task, 4)
    rendered = [render(prompt, e.inputs[task.input_field]) for e in task.splits.dev[:N_PROMPTS]]
    models: dict[str, LocalModel] = {}
    for name, change in WAYS.items():
        models[name] = load_model(options.model, dtype=options.dtype)
        network: Any = models[name]._forward.model
        change(network.base_model.layers)

    def asked(model: LocalModel) -> Any:
        model._forward.forget()
        return model.choose(rendered, answers(prompt)).log_probabilities()

    def rate(model: LocalModel) -> float:
        start = time.perf_counter()
        asked(model)
        return len(rendered) / (time.perf_counter() - start)

    said = {name: asked(model) for name, model in models.items()}  # the warm-up, too
    rates = interleaved(
        ROUNDS,
        {name: lambda model=model: rate(model) for name, model in models.items()},  # type: ignore[misc]
    )
    base = said["shipped"]
    result = {
        "command": recorded("python", "-m", "benchmarks.tries", *sys.argv[1:]),
        "machine": machine(),
        "model": options.model,
        "dtype": models["shipped"].identity.dtype,
        "rounds": ROUNDS,
        "n": len(rendered),
        "ways": {
            name: {
                "times_as_fast": spread(
                    [a / b for a, b in zip(rates[name], rates["shipped"], strict=True)], 2
                ),
                "examples_per_s": spread(rates[name], 1),
                "same_label": int((said[name].argmax(1) == base.argmax(1)).sum()),
                "largest_difference": float(np.abs(said[name] - base).max()),
            }
            for name in WAYS
        },
    }
    print(result["ways"])
    print(save_result(f"tries-{options.model}", result))


if __name__ == "__main__":
    main()
