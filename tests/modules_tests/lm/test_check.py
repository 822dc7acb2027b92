"""The self-check finds equal bits where there are, and says so where there are not."""

from typing import Any

import pytest

from modules.lm import __main__ as command
from modules.lm.check import BATCH_SIZES, Finding, check
from modules.lm.forward import Forward
from tests.modules_tests.conftest import Loader


@pytest.mark.parametrize("kind", ["llama", "gemma", "phi-3", "qwen2"])
def test_tiny_models_pass_in_float32(load: Loader, kind: str) -> None:
    found: list[Finding] = []
    assert check(load(kind, "float32"), found.append)
    assert all(finding.equal for finding in found)
    assert len(found) == 2 * (len(BATCH_SIZES) + 6) + 2
    exact = [finding.difference for finding in found if "nothing shared" in finding.what]
    assert all(0 < difference < 1e-4 for difference in exact)


def test_the_precision_of_float64_is_its_own(load: Loader) -> None:
    found: list[Finding] = []
    check(load("base", "float64"), found.append)
    assert [f.difference < 1e-10 for f in found if "nothing shared" in f.what] == [True, True]


def test_an_answer_that_depends_on_the_batch_is_found(
    load: Loader, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    model = load("llama", "float32")
    real = Forward.log_totals

    def shifted(forward: Forward, hidden: Any) -> Any:
        return real(forward, hidden) + 1e-6 * len(hidden)

    monkeypatch.setattr(Forward, "log_totals", shifted)
    found: list[Finding] = []
    assert not check(model, found.append)
    assert {f.what for f in found if not f.equal} >= {"demos in front: 1 at a time"}
    command._tell(next(f for f in found if not f.equal))
    assert "DIFFERS by up to" in capsys.readouterr().out


def test_the_command_prints_a_line_a_comparison(
    folders: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    command.main(["check", "--model", str(folders["llama"]), "--dtype", "float32"])
    lines = capsys.readouterr().out.splitlines()
    assert "float32, cpu, packed passes" in lines[0]
    assert sum(line.endswith("equal bits") for line in lines) == len(lines) - 3
