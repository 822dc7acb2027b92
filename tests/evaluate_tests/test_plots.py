"""The drawn plot: a PNG with reproducible bytes that leaves matplotlib as it was."""

from pathlib import Path

import matplotlib as mpl
import pytest
from matplotlib import pyplot as plt

from evaluate.plots import accuracy_plot
from modules.errors import UserError
from tests.evaluate_tests.records import summary_line, summary_of

SUMMARY = summary_of(
    summary_line(),
    summary_line(decoding="generate", temperature=0.8, accuracy=0.45),
    summary_line(prompt="frozen", accuracy=0.9, low=0.85, high=0.95),
    summary_line(model="majority class", prompt="-", decoding="classifier"),
)


def test_equal_summaries_give_equal_bytes_without_dates(tmp_path: Path) -> None:
    accuracy_plot(SUMMARY, tmp_path / "a.png", 0.5)
    with mpl.rc_context({"font.size": 30, "lines.linewidth": 9, "figure.dpi": 40}):
        accuracy_plot(SUMMARY.copy(), tmp_path / "b.png", 0.5)
    png = (tmp_path / "a.png").read_bytes()
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert png == (tmp_path / "b.png").read_bytes()
    assert not any(chunk in png for chunk in (b"tEXt", b"iTXt", b"tIME"))
    assert b"pHYs" in png


def test_no_global_state_is_changed(tmp_path: Path) -> None:
    before, figures, backend = dict(mpl.rcParams), plt.get_fignums(), mpl.rcParams._get("backend")
    accuracy_plot(SUMMARY, tmp_path / "a.png", 0.5)
    assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == figures
    assert mpl.rcParams._get("backend") == backend


@pytest.mark.filterwarnings("ignore:Glyph")
def test_hostile_names_and_many_panels_can_be_drawn(tmp_path: Path) -> None:
    names = ("$a_{", "_hidden", "a\u202e\n|", "模型")
    lines = [summary_line(model=name, prompt=prompt) for name in names for prompt in ("_", "$x^")]
    baselines = [
        summary_line(model=f"_base $ {i}", prompt="-", decoding="classifier") for i in range(6)
    ]
    accuracy_plot(summary_of(*lines, *baselines), tmp_path / "a.png", 0.25)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]


def test_a_missing_folder_is_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot write .*a\.png"):
        accuracy_plot(SUMMARY, tmp_path / "missing" / "a.png", 0.5)
