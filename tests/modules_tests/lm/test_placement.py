"""Placement: which kernels are kept from use, and what the processor is then called."""

import os

import pytest
import torch

from modules.lm.placement import processor, steady_kernels

KERNELS = "ONEDNN_MAX_CPU_ISA"


@pytest.fixture
def amx(monkeypatch: pytest.MonkeyPatch) -> None:
    """A processor with AMX, on which nobody has said how far oneDNN may go."""
    has = {"avx512_bf16": True, "amx_bf16": True}
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: has)
    monkeypatch.setenv(KERNELS, "")  # so that it is put back afterwards
    monkeypatch.delenv(KERNELS)


def test_tiles_are_left_unused(amx: None) -> None:
    assert processor(torch.device("cpu")).split()[-2:] == ["avx512_bf16", "amx_bf16"]
    steady_kernels()
    assert os.environ[KERNELS] == "AVX512_CORE_BF16"
    assert processor(torch.device("cpu")).split()[-1] == "avx512_bf16"


def test_who_has_said_how_far_to_go_is_heard(amx: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(KERNELS, "ALL")
    steady_kernels()
    assert processor(torch.device("cpu")).split()[-1] == "amx_bf16"


def test_no_other_processor_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: {"avx512_bf16": True})
    monkeypatch.delenv(KERNELS, raising=False)
    steady_kernels()
    assert KERNELS not in os.environ
