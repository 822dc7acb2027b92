"""`burnish export`: what goes where, and every mistake as one line with exit code 2."""

import io
import json
from pathlib import Path

import pytest

from burnish.__main__ import main
from burnish.export import FORMATS, export, joined, write
from modules.errors import UserError, exit_code
from modules.prompts import Artifact, Demo, save_artifact
from tests import tiny
from tests.burnish_tests.exports.frozen import artifact_for, prompt_of


@pytest.fixture(scope="module")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    tokenizer = tiny.byte_level_tokenizer()
    folder = tmp_path_factory.mktemp("models") / "gpt2"
    tiny.save(folder, tiny.tiny_llama(len(tokenizer)), tokenizer)
    return artifact_for(prompt_of("chat"), folder)


@pytest.fixture
def path(artifact: Artifact, tmp_path: Path) -> Path:
    save_artifact(artifact, tmp_path / "a.json")
    return tmp_path / "a.json"


@pytest.mark.parametrize("form", FORMATS)
def test_standard_output_and_a_file_hold_the_same(
    artifact: Artifact,
    path: Path,
    tmp_path: Path,
    capfdbinary: pytest.CaptureFixture[bytes],
    form: str,
) -> None:
    main(["export", str(path), "--to", form])
    printed = capfdbinary.readouterr()
    assert printed.out.decode() == joined(export(artifact, form))
    assert artifact.sha256 in printed.out.decode() + printed.err.decode()
    assert all(line.startswith("note: ") for line in printed.err.decode().splitlines())
    out = tmp_path / "new" / "out"
    main(["export", str(path), "--to", form, "--out", str(out)])
    assert capfdbinary.readouterr().out == b""
    found = {"": out} if out.is_file() else {one.name: one for one in out.iterdir()}
    files = export(artifact, form).files
    assert {name: one.read_bytes().decode() for name, one in found.items()} == files


def test_only_the_text_form_leaves_its_origin_to_a_note(artifact: Artifact) -> None:
    """Every other says in itself which artifact it is from."""
    silent = [form for form in FORMATS if artifact.sha256 not in joined(export(artifact, form))]
    assert silent == ["text"]
    assert any(artifact.sha256 in note for note in export(artifact, "text").notes)


def refused(arguments: list[str], capsys: pytest.CaptureFixture[str], message: str) -> None:
    assert exit_code(lambda: main(["export", *arguments])) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines()[-1].startswith("error: ")
    assert message in captured.err.splitlines()[-1]


def test_mistakes(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(["no.json", "--to", "text"], capsys, "cannot read the artifact no.json")
    broken = tmp_path / "broken.json"
    broken.write_text(path.read_text().replace("good", "gone", 1))
    refused([str(broken), "--to", "text"], capsys, "broken.json")
    below = str(path / "below")
    refused([str(path), "--to", "text", "--out", below], capsys, "cannot write to the folder")
    refused([str(path), "--to", "llamacpp", "--out", str(path)], capsys, "cannot write to")
    refused([str(path), "--to", "text", "--out", str(tmp_path)], capsys, "cannot write")
    with pytest.raises(SystemExit, match="2"):
        main(["export", str(path), "--to", "pdf"])
    assert "invalid choice: 'pdf'" in capsys.readouterr().err


@pytest.fixture
def ensemble(artifact: Artifact, tmp_path: Path) -> Artifact:
    """Three prompts with the same labels, one of them in plain text."""
    members = (prompt_of("text"), prompt_of("chat, after", bias=(1.0, -1.0)))
    return save_artifact(artifact.model_copy(update={"members": members}), tmp_path / "e.json")


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "messages"])
def test_a_form_of_one_prompt_takes_a_member(
    artifact: Artifact,
    ensemble: Artifact,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    form: str,
) -> None:
    """The first member's export is that of its prompt alone, save for whose it says that it is."""
    path = str(tmp_path / "e.json")
    refused([path, "--to", form], capsys, "an ensemble of 3 prompts, and this form holds one: give")
    refused([path, "--to", form, "--member", "4"], capsys, "--member must be from 1 to 3, got 4")
    refused([path, "--to", form, "--member", "0"], capsys, "--member must be from 1 to 3, got 0")
    for number, prompt in enumerate(ensemble.prompts, start=1):
        alone = save_artifact(
            artifact_for(prompt, Path(artifact.model.name)), tmp_path / "alone.json"
        )
        made, expected = export(ensemble, form, number), export(alone, form)
        assert joined(made).replace(ensemble.sha256, alone.sha256) == joined(expected)
        assert made.notes[-1] == f"prompt {number} of 3: its answers are not the ensemble's"
    assert export(artifact, form, 1) == export(artifact, form)


def test_messages_hold_all_prompts_of_an_ensemble(artifact: Artifact, ensemble: Artifact) -> None:
    made = export(ensemble, "messages")
    value = json.loads(joined(made))
    assert len(value["prompts"]) == 3
    for prompt, found in zip(ensemble.prompts, value["prompts"], strict=True):
        alone = artifact_for(prompt, Path(artifact.model.name)).sealed()
        whole = json.loads(joined(export(alone, "messages")))
        assert found == {k: v for k, v in whole.items() if k in found}
        assert set(whole) - set(found) == {"made_from", "artifact", "model"}
    assert "take the mean over the prompts" in value["rule"]
    assert any("plain text, not a chat" in note for note in made.notes)
    (second,) = [json.loads(joined(export(ensemble, "messages", 2)))]
    assert "prompts" not in second
    assert second["kind"] == "text"


def test_other_weights_are_refused(
    artifact: Artifact, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = artifact.model.model_copy(update={"digest": "f" * 64})
    save_artifact(artifact.model_copy(update={"model": model}), tmp_path / "other.json")
    refused([str(tmp_path / "other.json"), "--to", "text"], capsys, "was frozen for ffffffffffff")
    gone = artifact.model.model_copy(update={"name": "gone"})
    save_artifact(artifact.model_copy(update={"model": gone}), tmp_path / "gone.json")
    refused([str(tmp_path / "gone.json"), "--to", "python"], capsys, "unknown model 'gone'")


def test_a_failed_write_leaves_the_old_file(artifact: Artifact, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").write_text("mine")
    with pytest.raises(UserError, match="cannot write"):
        write(export(artifact, "text"), tmp_path / "kept")
    assert (tmp_path / "kept" / "file").read_text() == "mine"
    assert [one.name for one in tmp_path.iterdir()] == ["kept"]


class Terminal(io.TextIOWrapper):
    """Standard output as a terminal is it."""

    def isatty(self) -> bool:
        return True


def test_a_terminal_gets_nothing_that_it_would_obey(
    artifact: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for text, is_refused in (("fine\ntext", False), ("a \x1b[2J b", True), ("a \u202e b", True)):
        prompt = prompt_of("text", demos=(Demo(text=text, label="pos"),))
        save_artifact(artifact_for(prompt, Path(artifact.model.name)), tmp_path / "a.json")
        raw = io.BytesIO()
        monkeypatch.setattr("sys.stdout", Terminal(raw, encoding="utf-8"))
        if is_refused:
            with pytest.raises(UserError, match="give --out, or a pipe"):
                main(["export", str(tmp_path / "a.json"), "--to", "text"])
            assert raw.getvalue() == b""
        else:
            main(["export", str(tmp_path / "a.json"), "--to", "text"])
            assert raw.getvalue().decode().endswith("Sentiment:")


def test_notes_are_harmless_lines(
    artifact: Artifact, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = artifact.model.model_copy(update={"source": "a\x1b[2J\nb\u202e"})
    save_artifact(artifact.model_copy(update={"model": model}), tmp_path / "a.json")
    main(["export", str(tmp_path / "a.json"), "--to", "messages"])
    captured = capsys.readouterr()
    assert "\x1b" not in captured.err + captured.out
    assert "\\x1b[2J\\nb\\u202e" in captured.err
    assert "\x1b" not in json.loads(captured.out)["made_from"]
