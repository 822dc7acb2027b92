"""Placement: the dtype and the devices that a model gets on this machine, before it is loaded."""

import os
import platform
from pathlib import Path

import torch
from accelerate import infer_auto_device_map, init_empty_weights
from accelerate.utils import get_max_memory
from transformers import AutoConfig, AutoModelForCausalLM

from modules.errors import UserError

DTYPES = {"bfloat16": torch.bfloat16, "float32": torch.float32, "float64": torch.float64}

_TOLD = ("avx512_vnni", "avx512_bf16", "amx_bf16", "sve_bf16")  # beyond what the capability says
_KERNELS, _STEADY = "ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16"


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


def steady_kernels() -> None:
    """Keep oneDNN from AMX tiles, unless the user has said how far it may go.

    With tiles the bits of a row in bfloat16 depend on how many rows stand beside it, and one prompt
    gets other answers alone than in a batch (by up to 0.2 in log-probability on an Intel Xeon with
    AMX). oneDNN reads the variable when it first computes in this process.
    """
    if torch.cpu.get_capabilities().get("amx_bf16"):
        os.environ.setdefault(_KERNELS, _STEADY)


def processor(device: torch.device) -> str:
    """Name what a device's kernels are chosen by: the same name, the same bits.

    A GPU's model, or a CPU's architecture, vendor and instruction sets.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    has = torch.cpu.get_capabilities()
    unused = {"amx_bf16"} if os.environ.get(_KERNELS) == _STEADY else set()
    extras = [name for name in _TOLD if has.get(name) and name not in unused]
    vendor = [line.partition(":")[2].strip() for line in _cpuinfo() if line.startswith("vendor_id")]
    words = [platform.machine(), *vendor[:1], torch.backends.cpu.get_cpu_capability(), *extras]
    return " ".join(words)


def _cpuinfo() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.is_file() else []


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
