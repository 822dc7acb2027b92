"""The report of runs of every shape: one model, no temperatures, nothing written, hostile texts."""

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from evaluate.build_report import build_report
from evaluate.examples import load_examples, save_examples
from evaluate.facts import Facts
from evaluate.loaded import Evaluation, load_evaluation
from evaluate.report import Table, save_report, write_html, write_markdown
from evaluate.rows import frame, save
from evaluate.run_record import load_run, save_run
from modules.errors import UserError
from modules.prompts import Layout
from modules.prompts.prompt import Part
from tests.evaluate_tests import runs
from tests.evaluate_tests.records import INVALID, LM_ERROR, WRONG, record

HOSTILE = "<script>alert(1)</script>\u202e=1+1|`**[x](javascript:y)\x1b[31m \"'</style>"


def some(model: str, prompt: str, n: int = 12, **changes: Any) -> list[dict[str, Any]]:
    """Give answers of which every third is wrong."""
    return [
        record(
            **{"model": model, "prompt": prompt, "example_id": f"e{i}"}
            | changes
            | (WRONG if i % 3 == 0 else {})
        )
        for i in range(n)
    ]


def evaluation(rows: list[dict[str, Any]], *models: str, **plan: Any) -> Evaluation:
    found = frame(rows)
    run = runs.record_of(*models)
    changed = run.model_copy(update={"plan": run.plan.model_copy(update=plan)})
    return Evaluation(found, runs.examples_of(found), changed)


FULL = [
    one
    for model in ("a", "b")
    for prompt in ("naive", "frozen")
    for t in (0.0, 0.2, 0.8)
    for one in some(model, prompt, temperature=t)
]
WRITTEN = {"decoding": "generate", "temperature": 0.8, "probabilities": None}
SHAPES = {
    "full": evaluation([*FULL, *some("linear", "-", decoding="classifier")], "a", "b"),
    "one model": evaluation([*some("a", "naive"), *some("a", "frozen")], "a", temperatures=()),
    "cold": evaluation(some("a", "frozen"), "a", temperatures=()),
    "written": evaluation(
        [*FULL, *some("a", "frozen", **WRITTEN), record(model="a", **WRITTEN | INVALID)], "a", "b"
    ),
    "errors": evaluation(
        [*FULL, *[record(**{"model": "a", "example_id": f"x{i}"} | LM_ERROR) for i in range(3)]],
        "a",
        "b",
    ),
}


@pytest.mark.parametrize("name", [name for name in SHAPES if name != "full"])
def test_a_report_of_any_shape_is_made(name: str) -> None:
    report = build_report(Facts(SHAPES[name]))
    assert len(report.sections) >= 8
    assert len(report.lead) >= 2


def test_a_report_is_written_and_the_same_twice(tmp_path: Path) -> None:
    found = SHAPES["full"]
    save(found.rows, tmp_path / "rows.parquet")
    save_examples(found.examples, tmp_path / "examples.parquet")
    save_run(found.run, tmp_path)
    paths = save_report(build_report(Facts(load_evaluation(tmp_path))), tmp_path)
    assert {"report.md", "report.html"} <= {path.name for path in paths}
    assert all(path.is_file() for path in paths)
    before = {path: path.read_bytes() for path in paths}
    assert save_report(build_report(Facts(load_evaluation(tmp_path))), tmp_path) == paths
    assert {path: path.read_bytes() for path in paths} == before


class Page(HTMLParser):
    """A page's tags and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_hostile_texts_are_harmless_from_the_rows_to_the_page() -> None:
    rows = [
        *some(HOSTILE, "naive"),
        *some(HOSTILE, "frozen", temperature=0.0),
        *some(HOSTILE, "frozen", temperature=0.8),
        record(model=HOSTILE, example_id="e1", **WRITTEN | INVALID | {"text": HOSTILE}),
    ]
    found = evaluation(rows, HOSTILE)
    found = found._replace(examples=found.examples.assign(text=HOSTILE))
    report = build_report(Facts(found))
    page = Page(write_html(report))
    assert "script" not in page.tags
    assert "alert(1)" in page.text
    assert "\x1b" not in page.text
    markdown = write_markdown(report)
    assert "<script>" not in markdown
    assert "\x1b" not in markdown


def test_an_alarm_stands_at_the_top() -> None:
    wrong = [record(model="a", prompt="frozen", example_id=f"e{i}", **WRONG) for i in range(30)]
    markdown = write_markdown(build_report(Facts(evaluation(wrong, "a", temperatures=()))))
    assert 0 < markdown.index("are the labels inverted?") < markdown.index("Best here")


def test_tables_carry_the_numbers_of_the_rows() -> None:
    report = build_report(Facts(SHAPES["full"]))
    tables: dict[str, Table] = {table.name: table for table in report.tables}
    accuracy = tables["accuracy"]
    names = [column.name for column in accuracy.columns]
    lines = [dict(zip(names, row, strict=True)) for row in accuracy.rows]
    mine = next(
        one for one in lines if (one["model"], one["prompt"], one["T"]) == ("a", "frozen", "0")
    )
    assert (mine["examples"], mine["accuracy %"]) == ("12", "66.7")
    assert mine["95 % interval"] == "39.1 to 86.2"  # Wilson's, of 8 of 12
    assert len(tables["comparisons"].rows) == 1 + 2 + 2


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    found = SHAPES["full"]
    save(found.rows, tmp_path / "rows.parquet")
    save_examples(found.examples, tmp_path / "examples.parquet")
    save_run(found.run, tmp_path)
    again = load_evaluation(tmp_path)
    pd.testing.assert_frame_equal(again.rows, found.rows)
    pd.testing.assert_frame_equal(again.examples, found.examples.astype({"text": "str"}))
    assert again.run == found.run


SECOND = runs.PROMPT.model_copy(
    update={
        "layout": Layout(kind="text", answer_lead="A:", instruction="both", separator="rule"),
        "instruction": (Part(role="task", text="Say which it is."),),
    }
)


def with_an_ensemble(found: Evaluation) -> Evaluation:
    """Give the evaluation with an ensemble of two prompts as the first model's frozen prompt."""
    first, *others = found.run.models
    together = {"members": (SECOND,), "members_shown": ("the second prompt",)}
    prompts = tuple(
        prompt.model_copy(update=together) if prompt.name == "frozen" else prompt
        for prompt in first.prompts
    )
    models = (first.model_copy(update={"prompts": prompts}), *others)
    return found._replace(run=found.run.model_copy(update={"models": models}))


def test_an_ensemble_is_described_and_shown_prompt_by_prompt(tmp_path: Path) -> None:
    found = with_an_ensemble(SHAPES["full"])
    page = " ".join(write_markdown(build_report(Facts(found))).split())
    assert (
        "What was found: an ensemble of 2 prompts, which chooses by the mean of their calibrated "
        "log-probabilities; in writing its first prompt answers alone: (1) plain text, no "
        "instruction, "
    ) in page
    assert "(2) plain text parted by rules with the instruction before and after the input" in page
    assert "Prompt 2 of 2 of the ensemble as a reads it" in page
    assert "the second prompt" in page
    save_run(found.run, tmp_path)
    assert load_run(tmp_path) == found.run


def test_a_record_of_version_1_is_read(tmp_path: Path) -> None:
    """What is new is left out where it is not used, so only the version was another."""
    run = SHAPES["full"].run
    save_run(run, tmp_path)
    text = (tmp_path / "run.json").read_text()
    assert "members" not in text
    (tmp_path / "run.json").write_text(text.replace('"schema_version": 2', '"schema_version": 1'))
    assert load_run(tmp_path) == run.model_copy(update={"schema_version": 1})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is a broken record"),
        ("[]", "is a broken record"),
        ("{}", "is a broken record: command: Field required"),
        ('{"schema_version": 3}', "has version 3, newer than 2"),
    ],
    ids=["torn", "list", "empty", "newer"],
)
def test_a_broken_record_is_refused(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(UserError, match=message):
        load_run(tmp_path)


def test_a_changed_field_is_refused(tmp_path: Path) -> None:
    save_run(SHAPES["full"].run, tmp_path)
    value = json.loads((tmp_path / "run.json").read_text())
    value["surprise"] = 1
    (tmp_path / "run.json").write_text(json.dumps(value))
    with pytest.raises(UserError, match="is a broken record: surprise"):
        load_run(tmp_path)


def test_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="run the evaluation first"):
        load_evaluation(tmp_path)
    (tmp_path / "examples.parquet").write_bytes(b"PAR1")
    with pytest.raises(UserError, match="cannot read examples"):
        load_examples(tmp_path / "examples.parquet")
    save(frame([]), tmp_path / "rows.parquet")
    with pytest.raises(UserError, match="does not hold the examples"):
        load_examples(tmp_path / "rows.parquet")
