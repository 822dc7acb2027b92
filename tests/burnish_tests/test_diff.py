"""`burnish diff`: what differs is named once, and what is the same is not."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from burnish.__main__ import main
from burnish.changes import Change, changes
from burnish.words import compared
from modules.prompts import Artifact, Demo, LabelWord, Part, Prompt, save_artifact
from tests.modules_tests.programs.task import make_prompt
from tests.modules_tests.prompts.strategies import ANY_TEXT, TEXT, prompts
from tests.modules_tests.test_artifact import artifact_of, ensemble_of, score_of
from tests.modules_tests.test_artifact import told as instructed

BASE = make_prompt()
UNHURRIED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def told(a: Prompt, b: Prompt) -> list[tuple[str, str, str, Any, Any]]:
    return [
        (c.part, c.what, c.kind, c.before, c.after)
        for c in changes(artifact_of(a), artifact_of(b))
        if c.part != "task"
    ]


@UNHURRIED
@given(prompt=prompts())
def test_nothing_differs_from_itself(prompt: Prompt) -> None:
    assert changes(artifact_of(prompt), artifact_of(prompt)) == []


def of_members(a: Artifact, b: Artifact) -> list[tuple[str, str, Any, Any]]:
    return [(c.what, c.kind, c.before, c.after) for c in changes(a, b) if c.part == "members"]


def test_members_are_compared_one_by_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two, three = BASE, instructed(BASE, "One."), instructed(BASE, "Two.")
    pair, other = ensemble_of(one, two), ensemble_of(one, three)
    assert changes(pair, pair) == []
    assert of_members(pair, other) == [("prompt 2, instruction, task", "changed", "One.", "Two.")]
    whole = three.model_dump(mode="json")
    assert of_members(pair, ensemble_of(one, two, three)) == [
        ("prompts in all", "changed", 2, 3),
        ("prompt 3", "added", None, whole),
    ]
    assert of_members(ensemble_of(one, two, three), pair) == [
        ("prompts in all", "changed", 3, 2),
        ("prompt 3", "removed", whole, None),
    ]
    save_artifact(pair, tmp_path / "a.json")
    save_artifact(other, tmp_path / "b.json")
    assert main(["diff", str(tmp_path / "a.json"), str(tmp_path / "b.json")]) == 1
    assert "The prompts differ in members." in capsys.readouterr().out
    assert main(["diff", str(tmp_path / "a.json"), str(tmp_path / "a.json")]) == 0
    save_artifact(artifact_of(one), tmp_path / "c.json")
    capsys.readouterr()
    assert main(["diff", str(tmp_path / "a.json"), str(tmp_path / "c.json"), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["same_prompt"] is False


@UNHURRIED
@given(a=prompts(), b=prompts())
def test_prompts_that_differ_have_a_change_and_others_none(a: Prompt, b: Prompt) -> None:
    found = [c for c in changes(artifact_of(a), artifact_of(b)) if c.part != "task"]
    assert bool(found) == (a != b)


@pytest.mark.parametrize(
    ("update", "expected"),
    [
        (
            {"layout": BASE.layout.model_copy(update={"same_line": True})},
            [("layout", "same_line", "changed", False, True)],
        ),
        (
            {"instruction": (Part(role="form", text="x"), *BASE.instruction)},
            [("instruction", "form", "added", None, "x")],
        ),
        (
            {"instruction": (*BASE.instruction, Part(role="task", text="again"))},
            [("instruction", "task 2", "added", None, "again")],
        ),
        ({"instruction": ()}, [("instruction", "task", "removed", BASE.instruction[0].text, None)]),
        (
            {"demos": BASE.demos[:1]},
            [("demos", "demo 2", "removed", {"text": "it was bad", "label": "neg"}, None)],
        ),
        ({"demos": BASE.demos[::-1]}, [("demos", "it was bad", "moved", 2, 1)]),
        (
            {"demos": (*BASE.demos, Demo(text="so so", label="neg"))},
            [("demos", "demo 3", "added", None, {"text": "so so", "label": "neg"})],
        ),
        (
            {"words": (BASE.words[0], LabelWord(label="pos", word="fine"))},
            [("label words", "pos", "changed", "good", "fine")],
        ),
        (
            {"cap": BASE.cap.model_copy(update={"words": 9})},
            [("cap", "words", "changed", None, 9)],
        ),
        ({"decoding": "generate"}, [("decoding", "decoding", "changed", "choose", "generate")]),
        ({"bias": (0.4, 0.0)}, [("bias", "pos", "changed", -0.4, 0.0)]),
        (
            {"words": BASE.words[::-1], "bias": BASE.bias[::-1]},
            [("label words", "order", "changed", ["neg", "pos"], ["pos", "neg"])],
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_one_change_of_a_prompt(
    update: dict[str, Any], expected: list[tuple[str, str, str, Any, Any]]
) -> None:
    assert told(BASE, BASE.model_copy(update=update)) == expected


def test_the_order_of_the_instruction() -> None:
    parts = (Part(role="role", text="r"), Part(role="task", text="t"))
    one = BASE.model_copy(update={"instruction": parts})
    other = BASE.model_copy(update={"instruction": parts[::-1]})
    assert told(one, other) == [
        ("instruction", "order", "changed", ["role", "task"], ["task", "role"])
    ]


DEMOS = st.lists(
    st.builds(Demo, text=st.sampled_from("abc"), label=st.sampled_from(["neg", "pos"])), max_size=7
)


@UNHURRIED
@given(a=DEMOS, b=DEMOS)
def test_demos_that_went_and_came_add_up(a: list[Demo], b: list[Demo]) -> None:
    one, other = (BASE.model_copy(update={"demos": tuple(demos)}) for demos in (a, b))
    found = changes(artifact_of(one), artifact_of(other))
    went, came = _demos(found, "removed"), _demos(found, "added")
    assert _counted(a) - went + came == _counted(b)
    assert not went & came  # what went from one place and came to another has moved
    for change in found:
        if change.kind == "moved":
            assert a[change.before - 1] == b[change.after - 1]
            assert a[change.before - 1].text == change.what


def _demos(found: list[Change], kind: str) -> Counter[tuple[str, str]]:
    values = [c.before if kind == "removed" else c.after for c in found if c.kind == kind]
    return Counter((value["text"], value["label"]) for value in values)


def _counted(demos: list[Demo]) -> Counter[tuple[str, str]]:
    return Counter((demo.text, demo.label) for demo in demos)


@UNHURRIED
@given(before=TEXT | st.just("Say what the review is."), after=ANY_TEXT | TEXT)
def test_words_that_stay_go_and_come_make_both_texts(before: str, after: str) -> None:
    pieces = compared(before, after)
    if pieces and pieces[0].text == f"- {before}\n":
        assert pieces[1].text == f"+ {after}"
        return
    kept = [(p.text[2:-2] if p.style != "plain" else p.text, p.style) for p in pieces]
    assert "".join(text for text, style in kept if style != "added") == before
    assert "".join(text for text, style in kept if style != "removed") == after


def test_words() -> None:
    pieces = compared("Answer with one word: good or bad.", "Answer with one word: fine or bad!")
    assert "".join(piece.text for piece in pieces) == (
        "Answer with one word: [-good-]{+fine+} or bad[-.-]{+!+}"
    )


def run(folder: Path, a: Artifact, b: Artifact, *more: str) -> int | None:
    for name, artifact in (("a", a), ("b", b)):
        save_artifact(artifact, folder / name)
    return main(["diff", str(folder / "a"), str(folder / "b"), *more])


def test_the_same_prompt_is_exit_code_0_whatever_else_differs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    one = artifact_of(BASE)
    other = artifact_of(BASE, command="python -m optimize --seed 0").model_copy(
        update={"versions": {"burnish": "0.2.0", "torch": "2"}}
    )
    assert run(tmp_path, one, other) == 0
    screen = capsys.readouterr().out
    assert "The prompts are the same." in screen
    assert "The origins differ in versions, file." in screen
    assert "burnish  0.1.0 → 0.2.0" in screen
    assert "torch    + 2" in screen


def test_another_prompt_is_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = BASE.model_copy(update={"demos": (), "bias": (0.0, 0.0)})
    assert run(tmp_path, artifact_of(BASE), artifact_of(other)) == 1
    screen = capsys.readouterr().out
    assert "The prompts differ in demos, bias." in screen
    assert "demo 1  - pos: it was good" in screen
    assert "neg  +0.4 → +0" in screen
    assert "The origins are the same." in screen


@pytest.mark.parametrize(
    ("n_correct", "sentence"),
    [
        (14, "The confirm intervals overlap (on the same examples)"),
        (20, "The confirm intervals overlap (on the same examples)"),
        (4, "do not overlap (on the same examples): A is more accurate"),
    ],
)
def test_the_scores_stand_side_by_side(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], n_correct: int, sentence: str
) -> None:
    one = artifact_of(BASE)  # 14 of 20: 48.1 to 85.5 %; 20 of 20: from 83.9 %; 4 of 20: to 41.6 %
    scores = {**one.scores, "confirm": score_of(n_correct, 20, 0.5)}
    other = one.model_copy(update={"scores": scores})
    run(tmp_path, one, other)
    screen = capsys.readouterr().out
    assert sentence in screen
    (line,) = (line.split() for line in screen.splitlines() if line.startswith("  confirm"))
    assert line[:6] == ["confirm", "70.0", "[48.1,", "85.5]", "20", f"{n_correct * 5:.1f}"]


def test_b_can_be_the_more_accurate_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = artifact_of(BASE)
    worse = one.model_copy(update={"scores": {**one.scores, "confirm": score_of(4, 20, 0.5)}})
    run(tmp_path, worse, one)
    assert "do not overlap (on the same examples): B is more accurate" in capsys.readouterr().out


def test_other_examples_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = artifact_of(BASE)
    other = one.model_copy(
        update={"task": one.task.model_copy(update={"data_hash": one.task.test_hash})}
    )
    run(tmp_path, one, other)
    assert "(on different examples)" in capsys.readouterr().out


def test_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = BASE.model_copy(update={"bias": (0.4, 0.0)})
    assert run(tmp_path, artifact_of(BASE), artifact_of(other), "--json") == 1
    value = json.loads(capsys.readouterr().out)
    assert value["same_prompt"] is False
    assert value["changes"] == [
        {"part": "bias", "what": "pos", "kind": "changed", "before": -0.4, "after": 0.0}
    ]
    assert value["scores"]["confirm"]["a"]["n"] == 20
    assert value["confirm_intervals_overlap"] is True


def test_text_does_nothing_to_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evil = BASE.model_copy(update={"demos": (Demo(text="\x1b[2J\u202e\r", label="pos"),)})
    run(tmp_path, artifact_of(BASE), artifact_of(evil))
    screen = capsys.readouterr().out
    assert not set("\x1b\u202e\r") & set(screen)
    assert "\\x1b[2J\\u202e\\r" in screen
