"""`burnish completion`: real shells take the scripts, and bash completes with its own."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from burnish.__main__ import COMMANDS, STAGES, main
from burnish.completion import SHELLS, script


@pytest.fixture(scope="module")
def bash_script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("completion") / "burnish"
    path.write_text(script("bash"))
    return path


@pytest.mark.parametrize(
    ("shell", "check"), [("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("tcsh", ["tcsh", "-f"])]
)
def test_each_shell_takes_its_script(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], shell: str, check: list[str]
) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"no {shell} here")
    assert main(["completion", shell]) is None
    path = tmp_path / "script"
    path.write_text(capsys.readouterr().out)
    done = subprocess.run([*check, path], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_shell_is_made() -> None:
    for shell in SHELLS:
        made = script(shell)
        for name in (*STAGES, *(command.name for command in COMMANDS)):
            assert name in made


def complete(bash_script: Path, *words: str, folder: Path | None = None) -> set[str]:
    """Give what bash offers for the last of the words after `burnish`."""
    line = ["burnish", *words]
    code = (
        f"source {shlex.quote(str(bash_script))}\n"
        f"COMP_WORDS=({' '.join(map(shlex.quote, line))}); COMP_CWORD={len(line) - 1}\n"
        "$(complete -p burnish | sed 's/.*-F \\([^ ]*\\).*/\\1/') burnish"
        f" {shlex.quote(line[-1])} {shlex.quote(line[-2])}\n"
        "printf '%s\\n' \"${COMPREPLY[@]}\""
    )
    done = subprocess.run(
        ["bash", "--norc", "-c", code], capture_output=True, text=True, check=True, cwd=folder
    )
    assert done.stderr == ""
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("",), [*STAGES, *(command.name for command in COMMANDS)]),
        (("re",), ["reproduce"]),
        (("verify", "--d"), ["--dtype"]),
        (("show", "--color", ""), ["auto", "always", "never"]),
        (("optimize", "--budget-t"), ["--budget-tokens"]),
        (("evaluate", "--temp"), ["--temperatures"]),
        (("completion", ""), list(SHELLS)),
    ],
    ids=" ".join,
)
def test_bash_completes(bash_script: Path, words: tuple[str, ...], expected: list[str]) -> None:
    assert complete(bash_script, *words) == set(expected)


def test_bash_completes_paths(bash_script: Path, tmp_path: Path) -> None:
    (tmp_path / "frozen.json").touch()
    (tmp_path / "folder").mkdir()
    assert complete(bash_script, "show", "fro", folder=tmp_path) == {"frozen.json"}
    found = complete(bash_script, "reproduce", "--runs", "f", folder=tmp_path)
    assert {name.rstrip("/") for name in found} == {"folder"}
