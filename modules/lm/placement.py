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

_TOLD = ("avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_bf16", "sve_bf16")
"""What chooses kernels beyond what the capability says."""
_KERNELS, _STEADY = "ONEDNN_MAX_CPU_ISA", "AVX512_CORE_BF16"
_BEYOND = {"avx512_fp16", "amx_bf16"}
"""What oneDNN leaves unused where it may go to `_STEADY` alone."""
_SUMS, _STRICT = "MKL_CBWR", {"AVX512": "AVX512,STRICT", "AVX2": "AVX2,STRICT"}


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
    """Choose kernels whose bits depend on a row alone, unless the user has chosen others.

    Both libraries read their variable when they first compute in this process. On Intel Xeons,
    `python -m modules.lm check` found that without them one prompt gets other answers alone than in
    a batch:

    - oneDNN's AMX tiles, in bfloat16, by up to 0.2 in log-probability; it is kept from them.
    - MKL's products in float32, by up to 1e-5, with other numbers of rows and of threads; its
      strict conditional numerical reproducibility, which is for Intel's processors alone, mends it
      at the same speed.
    """
    if torch.cpu.get_capabilities().get("amx_bf16"):
        os.environ.setdefault(_KERNELS, _STEADY)
    capability = torch.backends.cpu.get_cpu_capability()
    if _vendor() == "GenuineIntel" and capability in _STRICT:
        os.environ.setdefault(_SUMS, _STRICT[capability])


def processor(device: torch.device) -> str:
    """Name what a device's kernels are chosen by, so that the same name may mean the same bits.

    A GPU's model, or a CPU's architecture, vendor and instruction sets. One snippets prompt in
    bfloat16 had the same bits on two Xeons whose tiles were kept unused, and others, by up to 0.1
    in log-probability, on one without tiles (2026-11-29), which is named by its AVX512-FP16.
    """
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    has = torch.cpu.get_capabilities()
    unused = _BEYOND if os.environ.get(_KERNELS) == _STEADY else set()
    extras = [name for name in _TOLD if has.get(name) and name not in unused]
    capability = torch.backends.cpu.get_cpu_capability()
    return " ".join(filter(None, [platform.machine(), _vendor(), capability, *extras]))


def _vendor() -> str:
    """Give the processor's vendor as Linux tells it, "" elsewhere."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line[:9] == "vendor_id"), "")


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
