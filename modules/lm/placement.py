"""Placement: the dtype and the devices that a model gets on this machine, before it is loaded."""

from pathlib import Path

import torch
from accelerate import infer_auto_device_map, init_empty_weights
from accelerate.utils import get_max_memory
from transformers import AutoConfig, AutoModelForCausalLM

from modules.errors import UserError

DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32, "float64": torch.float64}


def pick_dtype(name: str | None = None) -> torch.dtype:
    """Give the named dtype, or bfloat16 where the processor computes in it, else float32."""
    if name is not None:
        if name not in DTYPES:
            raise UserError(f"unknown dtype {name!r}: give one of {', '.join(DTYPES)}")
        return DTYPES[name]
    if torch.cuda.is_available():
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    has = torch.cpu.get_capabilities()
    return torch.bfloat16 if has.get("avx512_bf16") or has.get("amx_bf16") else torch.float32


def place(folder: Path, dtype: torch.dtype) -> dict[str, int | str]:
    """Give the device of every module, as `from_pretrained(device_map=...)` takes it.

    accelerate fills the GPUs first, then main memory, from the shapes alone.

    Raises:
        UserError: the folder has no readable configuration, or the weights do not fit in memory.
    """
    try:
        config = AutoConfig.from_pretrained(folder)
    except (ValueError, OSError) as error:
        raise UserError(f"{folder} has no configuration that can be read: {error}") from error
    with init_empty_weights():
        model = AutoModelForCausalLM.from_config(config, dtype=dtype)  # type: ignore[no-untyped-call]
    model.tie_weights()
    blocks = model._no_split_modules
    placed = infer_auto_device_map(
        model,
        max_memory=get_max_memory(),
        no_split_module_classes=list(blocks) if blocks else None,
        dtype=dtype,
    )
    if "disk" in placed.values():
        raise UserError(
            f"the weights in {folder.name} do not fit into the memory that is free "
            f"({model.num_parameters() * dtype.itemsize / 2**30:.1f} GiB in {dtype})"
        )
    devices = set(placed.values())
    return {"": devices.pop()} if len(devices) == 1 else dict(placed)
