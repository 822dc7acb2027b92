"""GGUF files: read and de-quantised by transformers, written once as a safetensors folder."""

from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel

from modules.errors import UserError

_QUANTISATION_MARKS = ("hf_quantizer", "quantization_method", "is_quantized")


def convert_gguf(gguf: Path, folder: Path) -> None:
    """Convert a GGUF file to a Hugging Face folder with float32 safetensors weights.

    Takes 20 to 80 seconds for the default models; transformers shows the progress bar. float32
    keeps every de-quantised value exactly, whatever dtype the model runs in later.

    Raises:
        UserError: the file is not a GGUF file that transformers can read.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
        model = AutoModelForCausalLM.from_pretrained(
            gguf.parent, gguf_file=gguf.name, dtype=torch.float32
        )
    except (ValueError, KeyError, OSError) as error:
        raise UserError(f"{gguf.name} is not a GGUF model that can be read: {error}") from error
    _clear_quantisation(model)
    folder.mkdir(parents=True)
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)


def _clear_quantisation(model: PreTrainedModel) -> None:
    """Drop the marks that make save_pretrained refuse: transformers 5.23 leaves them on."""
    for mark in _QUANTISATION_MARKS:
        if mark in vars(model):
            delattr(model, mark)
    if "quantization_config" in vars(model.config):
        del model.config.quantization_config
