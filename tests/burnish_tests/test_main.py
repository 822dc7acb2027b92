"""The front door: its own words, and the stages behind it unchanged."""

import importlib
import subprocess
import sys

import pytest

from burnish.__main__ import COMMANDS, STAGES, main, parser
from modules.errors import UserError, exit_code
from tests.imports import ROOT


def outcome(
    capsys: pytest.CaptureFixture[str], program: str, arguments: list[str]
) -> tuple[object, str, str]:
    """Give exit status, output and errors of `burnish STAGE` or of the stage itself."""
    capsys.readouterr()

    def body() -> int | None:
        if program == "burnish":
            return main(arguments)
        importlib.import_module(f"{program}.__main__").main(arguments[1:])
        return None

    try:
        status: object = exit_code(body)
    except SystemExit as error:
        status = error.code
    printed = capsys.readouterr()
    return status, printed.out, printed.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["optimize", "--help"],
        ["optimize", "--budget-tokens", "0"],
        ["optimize", "--nothing"],
        ["optimize", "--seed", "x"],
        ["evaluate", "--help"],
        ["evaluate", "--temperatures", "-1"],
        ["evaluate", "--nothing"],
        ["evaluate", "--task", "none"],
    ],
    ids=" ".join,
)
def test_a_stage_is_the_same_by_both_names(
    capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    ours = outcome(capsys, "burnish", arguments)
    assert ours == outcome(capsys, arguments[0], arguments)
    assert ours[0] == (0 if "--help" in arguments else 2)
    assert ours[1] + ours[2]


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = outcome(capsys, "burnish", ["--help"])
    assert status == 0
    names = [line.split()[0] for line in out.splitlines() if line.startswith("    ")]
    assert set(names) >= {*STAGES, *(command.name for command in COMMANDS)}
    assert all(len(line) <= 80 for line in out.splitlines())


def test_no_command_at_all_prints_the_help_and_is_a_mistake(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert outcome(capsys, "burnish", []) == (2, "", parser().format_help())


@pytest.mark.parametrize(
    ("asked", "hint"), [("shwo", "did you mean show"), ("frobnicate", "there are optimize, eval")]
)
def test_an_unknown_command_is_one_line(asked: str, hint: str) -> None:
    with pytest.raises(UserError, match=f"no command '{asked}': {hint}"):
        main([asked])


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert outcome(capsys, "burnish", ["--version"]) == (0, "burnish 0.2.0\n", "")


@pytest.mark.parametrize("name", [command.name for command in COMMANDS])
def test_every_command_has_help(capsys: pytest.CaptureFixture[str], name: str) -> None:
    status, out, err = outcome(capsys, "burnish", [name, "--help"])
    assert (status, err) == (0, "")
    assert out.startswith(f"usage: burnish {name}")


def test_a_reader_that_leaves_early_is_no_traceback() -> None:
    done = subprocess.run(
        f"{sys.executable} -m burnish --version | true; "
        f"{sys.executable} -m burnish list artifacts --json | head -c 1",
        shell=True,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("{", "")
