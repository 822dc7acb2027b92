"""Placement: which kernels are kept from use, and what the processor is then called."""

import os
import subprocess
import sys

import pytest
import torch

from modules.lm.placement import _vendor, processor, steady_kernels

KERNELS, SUMS = "ONEDNN_MAX_CPU_ISA", "MKL_CBWR"

PRODUCTS = """
import torch
from modules.lm.placement import steady_kernels

steady_kernels()
torch.manual_seed(0)
for k, n in ((576, 192), (1536, 576)):
    weight, rows = torch.randn(n, k), torch.randn(300, k)
    torch.set_num_threads(2)
    whole = torch.nn.functional.linear(rows, weight)
    for m in (1, 3, 8, 64, 256):
        for threads in (1, 2):
            torch.set_num_threads(threads)
            part = torch.nn.functional.linear(rows[:m], weight)
            assert torch.equal(part, whole[:m]), (k, n, m, threads)
"""


@pytest.fixture
def amx(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor with AMX, on which nobody has said how far oneDNN may go."""
    has = {"avx512_bf16": True, "avx512_fp16": True, "amx_bf16": True}
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: has)
    _unset(monkeypatch)


def test_tiles_are_left_unused(amx: None) -> None:
    assert processor(torch.device("cpu")).split()[-2:] == ["avx512_fp16", "amx_bf16"]
    steady_kernels()
    assert os.environ[KERNELS] == "AVX512_CORE_BF16"
    assert processor(torch.device("cpu")).split()[-1] == "avx512_bf16"


def test_processors_without_tiles_have_a_name_of_their_own(
    amx: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kept from its tiles, oneDNN stops below AVX512-FP16; on a Xeon without it goes there."""
    steady_kernels()
    with_tiles = processor(torch.device("cpu"))
    without = {"avx512_bf16": True, "avx512_fp16": True}
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: without)
    monkeypatch.delenv(KERNELS)
    steady_kernels()
    assert processor(torch.device("cpu")) == f"{with_tiles} avx512_fp16"


def test_who_has_said_how_far_to_go_is_heard(amx: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KERNELS, "ALL")
    steady_kernels()
    assert processor(torch.device("cpu")).split()[-1] == "amx_bf16"


def test_no_other_processor_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: {"avx512_bf16": True})
    _runs_on(monkeypatch, "AuthenticAMD", "AVX512")
    steady_kernels()
    assert KERNELS not in os.environ
    assert SUMS not in os.environ


@pytest.mark.parametrize(
    ("capability", "strict"),
    [("AVX512", "AVX512,STRICT"), ("AVX2", "AVX2,STRICT"), ("DEFAULT", None)],
)
def test_sums_are_strict_on_intel(
    monkeypatch: pytest.MonkeyPatch, capability: str, strict: str | None
) -> None:
    _runs_on(monkeypatch, "GenuineIntel", capability)
    steady_kernels()
    assert os.environ.get(SUMS) == strict


def test_who_has_chosen_other_sums_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    _runs_on(monkeypatch, "GenuineIntel", "AVX2")
    monkeypatch.setenv(SUMS, "AUTO")
    steady_kernels()
    assert os.environ[SUMS] == "AUTO"


@pytest.mark.skipif(_vendor() != "GenuineIntel", reason="the strict mode is for Intel's processors")
def test_a_row_of_a_product_depends_on_nothing_but_itself() -> None:
    plain = {name: value for name, value in os.environ.items() if name not in (KERNELS, SUMS)}
    ran = subprocess.run(
        [sys.executable, "-c", PRODUCTS], env=plain, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr


def _runs_on(monkeypatch: pytest.MonkeyPatch, vendor: str, capability: str) -> None:
    monkeypatch.setattr("modules.lm.placement._vendor", lambda: vendor)
    monkeypatch.setattr("torch.backends.cpu.get_cpu_capability", lambda: capability)
    _unset(monkeypatch)


def _unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (KERNELS, SUMS):
        monkeypatch.setenv(name, "")  # so that it is put back afterwards
        monkeypatch.delenv(name)
