"""`burnish show`: the prompt is the one that the model reads, and looking needs no library."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from burnish.__main__ import main
from burnish.example import example_of
from burnish.show import drawn, to_json
from burnish.terminal import Screen
from modules.files import canonical_json
from modules.prompts import (
    Artifact,
    Prompt,
    answers,
    cut,
    load_artifact,
    reading,
    render,
    save_artifact,
)
from tests.imports import ROOT
from tests.modules_tests.programs.task import make_prompt
from tests.modules_tests.prompts.strategies import TEXT, prompts
from tests.modules_tests.test_artifact import (
    VERSION_1,
    artifact_of,
    ensemble_of,
    probe_of,
    told,
)

MARGIN = 14
UNHURRIED = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
SURE = (-0.1, -2.3521684610440907)  # 90.5 and 9.5 percent


def saved(folder: Path, artifact: Artifact) -> Path:
    path = folder / "a.json"
    save_artifact(artifact, path)
    return path


def with_probe(prompt: Prompt, text: str) -> Artifact:
    probe = probe_of(text, "neg", *SURE)
    return artifact_of(prompt).model_copy(update={"probes": (probe,)})


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert main(["show", *arguments]) is None
    return capsys.readouterr().out


def read_back(screen: str) -> list[str]:
    """Give the prompt's lines from behind the margin."""
    return [line[MARGIN:] for line in screen.splitlines() if line[MARGIN - 2 : MARGIN - 1] == "│"]


@pytest.mark.parametrize(
    "prompt",
    [
        make_prompt(),
        make_prompt(instruction="after"),
        make_prompt(instruction="both", separator="rule"),
        make_prompt(same_line=True, input_lead="", answer_lead="It was"),
        make_prompt().model_copy(update={"demos": (), "instruction": ()}),
    ],
    ids=["before", "after", "both", "same-line", "bare"],
)
def test_a_plain_text_is_what_the_model_reads(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], prompt: Prompt
) -> None:
    text = "A film\nof two lines"
    screen = shown(capsys, str(saved(tmp_path, with_probe(prompt, text))))
    rendered = render(prompt, text)
    said = answers(prompt)[0]  # -0.1 + 0.4 is more than -2.35 - 0.4
    assert "\n".join(read_back(screen)) == rendered.turns[0].text + rendered.lead + said
    assert "       gold   neg\n" in screen
    assert "      model   neg 95.5 %, pos 4.5 % (right)\n" in screen  # 9.5e^0.8 : 1


def test_chat_turns_have_their_roles_in_the_margin(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prompt = make_prompt(kind="chat", system=True, answer_lead="It is")
    screen = shown(capsys, str(saved(tmp_path, with_probe(prompt, "so so"))))
    margins = [line[:MARGIN].split() for line in screen.splitlines() if " │" in line[:MARGIN]]
    assert [names[0] for names in margins] == [
        *("system", "user", "assistant", "user", "assistant", "input", "answer")
    ]
    assert read_back(screen)[-2:] == ["Review: so so", "It is not good"]


@UNHURRIED
@given(prompt=prompts(), text=TEXT | st.text("ab \n", max_size=20))
def test_an_example_is_the_rendering_cut_in_pieces(prompt: Prompt, text: str) -> None:
    example = example_of(artifact_of(prompt), text)
    rendered = render(prompt, text)
    whole = "".join(turn.text for turn in rendered.turns) + rendered.lead
    segments = [segment for turn in example.turns for segment in turn.segments]
    assert "".join(s.text for s in segments if s.kind != "answer") == whole
    assert "".join(s.text for s in segments if s.kind == "input") == cut(text, prompt.cap)
    shared = "".join(s.text for s in segments if s.kind == "shared")
    other = render(prompt, "something else entirely")
    assert whole.startswith(shared)
    assert "".join(turn.text for turn in other.turns).startswith(shared)
    roles = [turn.role for turn in rendered.turns] + ["assistant"] * rendered.is_chat
    n = len(example.turns)  # an empty lead opens no turn without an answer, which there is
    assert [turn.role for turn in example.turns] == roles[:n]


def test_where_the_example_is_from(tmp_path: Path) -> None:
    artifact = artifact_of(make_prompt())
    assert example_of(artifact).text == artifact.probes[0].text
    assert example_of(artifact, "").text == ""
    bare = artifact.model_copy(update={"probes": ()})
    demo = example_of(bare)
    assert (demo.origin, demo.gold, demo.said) == ("demo", "pos", None)
    empty = artifact_of(make_prompt().model_copy(update={"demos": ()}))
    none = example_of(empty.model_copy(update={"probes": ()}))
    assert (none.origin, none.text, none.gold) == ("placeholder", "{input}", None)
    assert none.turns[-1].segments[-1].text == " not good | good"


def test_all_facts_of_the_file_are_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    artifact = artifact_of(make_prompt(), command="python -m optimize --seed 0")
    path = saved(tmp_path, artifact)
    screen = shown(capsys, str(path))
    for fact in (
        "neg  not good, bias +0.4: it is neg",
        "pos  good, bias -0.4: it is pos",
        "dev      73.3 % [55.6, 85.8], 22 of 30, log-loss 0.610",
        "confirm  70.0 % [48.1, 85.5], 14 of 20, log-loss 0.630",
        "optuna, seed 0",
        "4, 1 of them stopped early",
        "90 of 100 forward tokens, 9 prompts",
        "x86_64 AuthenticAMD AVX512",
        "train 30, dev 30, confirm 20, test 60 (split seed 0)",
        "python -m optimize --seed 0",
        "burnish 0.1.0",
        f"burnish verify {path}",
        f"burnish export {path} --to python",
        f"burnish predict {path} --data",
    ):
        assert fact in screen


def test_every_prompt_of_an_ensemble_can_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The recorded log-probabilities have the biases in them: 0.9 is 90 %."""
    second = make_prompt(kind="chat", answer_lead="So it is", bias=(0.0, 0.0))
    probe = probe_of("so so", "neg", math.log(0.9), math.log(0.1))
    artifact = ensemble_of(make_prompt(), told(second, "Judge it."), told(make_prompt(), "Say it."))
    path = saved(tmp_path, artifact.model_copy(update={"probes": (probe,)}))
    screen = shown(capsys, str(path))
    joined = " ".join(screen.split())
    assert "3 prompts answer together" in joined
    assert "Prompt 1 of 3 as m reads it (plain text, 2 demos), with a confirm example" in joined
    assert "Prompt 2 of 3 (chat turns, 2 demos), with the same input" in joined
    assert "Prompt 3 of 3 (plain text, 2 demos), with the same input" in joined
    assert screen.count("neg 90.0 %, pos 10.0 % (right)") == 1
    text = "\n".join(read_back(screen))
    for prompt in artifact.prompts:
        for turn in render(prompt, "so so").turns:
            assert turn.text in text
    assert screen.count("neg  not good, bias +0.4: it is neg") == 2
    assert "bias  none" in screen
    assert f"burnish export {path} --to python --member 1" in joined
    value = json.loads(shown(capsys, str(path), "--json"))
    assert value["members"] == json.loads(path.read_text())["members"]
    readings = [reading(member).model_dump(mode="json") for member in artifact.members]
    assert value["member_readings"] == readings


def test_bounds_of_calls_and_seconds_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    artifact = artifact_of(make_prompt())
    search = artifact.search.model_copy(update={"budget_calls": 12, "budget_seconds": 2.5})
    screen = shown(capsys, str(saved(tmp_path, artifact.model_copy(update={"search": search}))))
    assert "90 of 100 forward tokens, 9 of 12 prompts, within 2.5 s" in screen


def test_json_is_one_object_with_the_same_facts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = saved(tmp_path, artifact_of(make_prompt()))
    value = json.loads(shown(capsys, str(path), "--json", "--text", "é\u202e\x7f"))
    file = json.loads(path.read_text())
    assert {key: value[key] for key in file} == file
    assert value["example"]["text"] == "é\u202e\x7f"
    assert value["next"][0] == f"burnish verify {path}"


def test_a_file_of_version_1(capsys: pytest.CaptureFixture[str]) -> None:
    screen = shown(capsys, str(VERSION_1))
    artifact = load_artifact(VERSION_1)
    assert "for want of another example" in screen
    assert "not recorded (version 1)" in screen
    value = json.loads(shown(capsys, str(VERSION_1), "--json"))
    assert value["reading"] == reading(artifact.prompt).model_dump(mode="json")


def test_colour_on_demand_and_the_same_text(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = str(saved(tmp_path, artifact_of(make_prompt())))
    plain = shown(capsys, path)
    assert "\x1b" not in plain
    coloured = shown(capsys, path, "--color", "always")
    assert "\x1b[36mAn instant classic.\x1b[0m" in coloured
    assert "\x1b[1;32m good\x1b[0m" in coloured or "\x1b[1;32m not good\x1b[0m" in coloured


EVIL = "\x1b[2J\x1b]0;owned\x07\u202egnihton\u2066 {{x}} <|im_end|> \r\x00"


@UNHURRIED
@given(data=st.data())
def test_no_text_of_a_file_reaches_the_terminal_raw(data: st.DataObject) -> None:
    prompt = make_prompt()
    evil = prompt.model_copy(
        update={
            "demos": (prompt.demos[0].model_copy(update={"text": EVIL}),),
            "instruction": (prompt.instruction[0].model_copy(update={"text": EVIL}),),
        }
    )
    artifact = artifact_of(evil, command=EVIL)
    artifact = artifact.model_copy(
        update={
            "model": artifact.model.model_copy(update={"name": EVIL, "source": EVIL}),
            "task": artifact.task.model_copy(update={"name": EVIL, "source": {EVIL: EVIL}}),
        }
    )
    width = data.draw(st.none() | st.integers(1, 200))
    lines = drawn(artifact, Path(EVIL), example_of(artifact, EVIL), Screen(width=width))
    assert not set("\x1b\x07\x00\r\u202e\u2066") & set("".join(lines))
    assert any("\\x1b" in line for line in lines)
    json.loads(canonical_json(to_json(artifact, Path("a"), example_of(artifact))))


def test_looking_loads_no_model_library(tmp_path: Path) -> None:
    path = tmp_path / "task" / "model" / "a.json"
    save_artifact(artifact_of(make_prompt()), path)
    heavy = {"torch", "transformers", "tokenizers", "dspy", "optuna", "modules.lm", "pandas"}
    code = (
        "import sys\nfrom burnish.__main__ import main\n"
        f"main(['show', {str(path)!r}]); main(['list', {str(tmp_path)!r}])\n"
        f"main(['diff', {str(path)!r}, {str(path)!r}])\n"
        f"sys.exit(repr(sorted(set(sys.modules) & {heavy!r})))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.stderr.strip() == "[]"
