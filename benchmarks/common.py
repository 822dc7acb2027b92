"""What the benchmarks share: the machine in words, rounds that interleave, and the dated file."""

import datetime
import json
import os
import platform
import statistics
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
import transformers

from modules.files import write_atomic

RESULTS = Path(__file__).parent / "results"


def machine() -> dict[str, Any]:
    """Give the processor, its instruction set, the threads, and the versions that compute."""
    names = [
        line.partition(":")[2].strip()
        for line in _lines(Path("/proc/cpuinfo"))
        if line.startswith("model name")
    ]
    return {
        "processor": names[0] if names else platform.processor(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "bfloat16": bool(torch.cpu.get_capabilities().get("avx512_bf16")),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }


def interleaved(
    rounds: int, contestants: Mapping[str, Callable[[], float]]
) -> dict[str, list[float]]:
    """Run every contestant once a round; give each one's figures in the order of the rounds."""
    found: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, run in contestants.items():
            found[name].append(run())
    return found


def spread(values: list[float], digits: int = 3) -> dict[str, float]:
    """Give median, smallest and largest."""
    return {
        "median": round(statistics.median(values), digits),
        "min": round(min(values), digits),
        "max": round(max(values), digits),
    }


def save_result(name: str, result: Mapping[str, Any]) -> Path:
    """Write a dated result and give its path."""
    today = datetime.date.today().isoformat()
    path = RESULTS / f"{today}-{name}.json"
    RESULTS.mkdir(exist_ok=True)
    text = json.dumps({"date": today, **result}, indent=2, ensure_ascii=False)
    write_atomic(path, text + "\n")
    return path


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.is_file() else []
