"""A report on disk: which files there are, whole or not at all, and what of an earlier one goes."""

from pathlib import Path
from typing import Any

import pytest

from evaluate.report import Column, Figure, Paragraph, Report, Table, save_report, write_html
from evaluate.report import saving as saving_module
from modules.errors import UserError
from tests.evaluate_tests.report.hostile import HOSTILE
from tests.evaluate_tests.report.pictures import SVG, tiny_png
from tests.evaluate_tests.report.sample import hostile


def _report(*names: str, title: str = "t") -> Report:
    """Give a report with a figure and a table of each name."""
    figures = [
        Figure(name=name, caption="c", alt="a", light=SVG, dark=SVG, png=tiny_png())
        for name in names
    ]
    tables = [
        Table(name=name, caption="c", columns=(Column(name="a"),), rows=(("=1",),))
        for name in names
    ]
    return Report(title=title, lead=(*figures, *tables), sections=())


def _files(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_every_file_is_there_and_named(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "er"
    paths = save_report(_report("a", "b"), folder)
    assert [path.relative_to(folder).as_posix() for path in paths] == [
        *("report.md", "report.html", "figures/a.png", "figures/b.png"),
        *("tables/a.csv", "tables/b.csv"),
    ]
    assert _files(folder) == sorted(path.relative_to(folder).as_posix() for path in paths)
    assert (folder / "figures/a.png").read_bytes() == tiny_png()
    assert (folder / "tables/b.csv").read_bytes() == b"a\r\n'=1\r\n"
    assert (folder / "report.html").read_text("utf-8") == write_html(_report("a", "b"))
    assert "![a](figures/a.png)" in (folder / "report.md").read_text("utf-8")


def test_a_report_of_words_makes_no_folders(tmp_path: Path) -> None:
    save_report(Report(title="t", lead=(Paragraph(text="x"),), sections=()), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html", "report.md"]


def test_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in save_report(_report("a"), tmp_path)]
    assert [path.read_bytes() for path in save_report(_report("a"), tmp_path)] == first


def test_what_an_earlier_report_left_goes_and_nothing_else(tmp_path: Path) -> None:
    save_report(_report("old", "kept"), tmp_path)
    for name in ("figures/mine.png", "tables/mine.csv", "rows.parquet", "figures/old.svg"):
        (tmp_path / name).write_text("mine")
    save_report(_report("kept", "new"), tmp_path)
    assert _files(tmp_path) == [
        *("figures/kept.png", "figures/mine.png", "figures/new.png", "figures/old.svg"),
        *("report.html", "report.md", "rows.parquet"),
        *("tables/kept.csv", "tables/mine.csv", "tables/new.csv"),
    ]


@pytest.mark.parametrize(
    "page",
    [
        pytest.param('<meta name="files" content="../x.png /x.png figures/../x.png">', id="path"),
        pytest.param('<meta name="files" content="figures/x.svg x.png rows.parquet">', id="kind"),
        pytest.param("\ufffd no page of ours", id="other"),
    ],
)
def test_an_earlier_page_cannot_name_other_files(tmp_path: Path, page: str) -> None:
    folder = tmp_path / "report"
    (folder / "figures").mkdir(parents=True)
    mine = [folder.parent / "x.png", folder / "x.png", folder / "rows.parquet"]
    mine.append(folder / "figures" / "x.svg")
    for path in mine:
        path.write_text("mine")
    (folder / "report.html").write_text(page, "utf-8")
    save_report(_report("a"), folder)
    assert [path.read_text() for path in mine] == ["mine"] * 4


def test_a_text_cannot_name_files_for_removal(tmp_path: Path) -> None:
    save_report(hostile(HOSTILE["meta"].text), tmp_path)
    (tmp_path / "figures" / "mine.png").write_text("mine")
    save_report(_report("a"), tmp_path)
    assert (tmp_path / "figures" / "mine.png").read_text() == "mine"
    assert not (tmp_path / "figures" / "figure.png").exists()


@pytest.mark.parametrize("one", HOSTILE.values(), ids=HOSTILE.keys())
def test_every_text_can_be_written(tmp_path: Path, one: Any) -> None:
    for path in save_report(hostile(one.text), tmp_path):
        if path.suffix != ".png":
            path.read_bytes().decode("utf-8")


def test_when_a_write_fails_the_old_page_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_report(_report("old"), tmp_path)
    page = (tmp_path / "report.html").read_bytes()

    def full(path: Path, text: str) -> None:
        raise UserError(f"cannot write {path}: No space left on device")

    monkeypatch.setattr(saving_module, "write_atomic", full)
    with pytest.raises(UserError, match="No space left"):
        save_report(_report("new"), tmp_path)
    assert (tmp_path / "report.html").read_bytes() == page
    assert (tmp_path / "figures" / "old.png").exists()
    monkeypatch.undo()
    save_report(_report("new"), tmp_path)
    assert not (tmp_path / "figures" / "old.png").exists()


def test_a_folder_that_cannot_be_made_is_a_users_mistake(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write to the folder"):
        save_report(_report("a"), tmp_path / "file")


def test_a_folder_in_the_place_of_an_old_file_is_a_users_mistake(tmp_path: Path) -> None:
    save_report(_report("old"), tmp_path)
    (tmp_path / "figures" / "old.png").unlink()
    (tmp_path / "figures" / "old.png").mkdir()
    with pytest.raises(UserError, match=r"cannot remove .*old\.png"):
        save_report(_report("new"), tmp_path)
