"""What is recorded of a command line."""

import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest

import evaluate.__main__
import optimize.__main__
from burnish import compare
from modules.command import recorded
from modules.errors import UserError

NAME = "my \udcff.csv"


def test_the_shell_reads_it_back() -> None:
    words = ["python", "-m", "optimize", "--data", "my reviews.csv", "--text-column", "it's"]
    assert shlex.split(recorded(*words)) == words


def test_what_no_record_could_hold_is_refused() -> None:
    message = r"the command line has 'my \\udcff\.csv', which is not UTF-8"
    with pytest.raises(UserError, match=message):
        recorded("python", "--data", NAME)


def test_it_is_refused_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A whole evaluation would be lost at its last step."""
    monkeypatch.chdir(tmp_path)
    options = SimpleNamespace(arguments=["compare", "--data", NAME])
    with pytest.raises(UserError, match="not UTF-8"):
        optimize.__main__.main(["--data", NAME])
    with pytest.raises(UserError, match="not UTF-8"):
        evaluate.__main__.main(["--out", NAME])
    with pytest.raises(UserError, match="not UTF-8"):
        compare.run(options)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
