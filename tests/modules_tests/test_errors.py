"""The boundary where a user's mistake becomes a line and a status."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from modules.errors import UserError, exit_code, leave
from tests.imports import ROOT


def raising(error: BaseException):
    def command() -> None:
        raise error

    return command


def test_success_is_zero_and_silent(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(lambda: None) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("status", [0, 1, 3])
def test_what_the_body_gives_is_passed_on(status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(lambda: status) == status
    assert capsys.readouterr() == ("", "")


def test_a_users_mistake_is_one_line_and_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(raising(UserError("no such\n  file:\tx"))) == 2
    assert capsys.readouterr() == ("", "error: no such file: x\n")


def test_what_a_terminal_would_obey_or_hide_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(raising(UserError("a \x1b[31mred\u202e label, naïve"))) == 2
    assert capsys.readouterr().err == "error: a \\x1b[31mred\\u202e label, naïve\n"


def test_an_interrupt_is_130_and_says_how_to_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code(raising(KeyboardInterrupt())) == 130
    assert "run the same command again" in capsys.readouterr().err


def test_our_own_bug_passes_through() -> None:
    with pytest.raises(ZeroDivisionError, match="ours"):
        exit_code(raising(ZeroDivisionError("ours")))


def test_a_reader_that_has_gone_is_no_traceback() -> None:
    body = "[print('x' * 1000) for _ in range(1000)] and None"
    program = f"from modules.errors import leave; leave(lambda: {body})"
    pipe = '"$0" -c "$1" | head -c 1; exit "${PIPESTATUS[0]}"'
    done = subprocess.run(
        ["bash", "-c", pipe, sys.executable, program], capture_output=True, cwd=ROOT, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == (b"x", b"", 141)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("size", [10, 100_000], ids=["at the end", "on the way"])
def test_a_full_device_is_a_line(size: int) -> None:
    program = f"from modules.errors import leave; leave(lambda: print('x' * {size}))"
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", program],
            stdout=full,
            stderr=subprocess.PIPE,
            cwd=ROOT,
            check=False,
        )
    assert done.returncode == 2
    assert done.stderr == b"error: nothing more can be written (No space left on device)\n"


def test_another_error_of_the_system_passes_through() -> None:
    with pytest.raises(PermissionError):
        leave(raising(PermissionError(errno.EACCES, "ours")))
