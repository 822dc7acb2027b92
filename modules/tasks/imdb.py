"""The full-length film reviews of `ajaykarthick/imdb-movie-reviews`, from the hub or from a folder.

Owns the reading through `datasets`, and the one fact about this set that is easy to get wrong: its
label 0 means positive and 1 negative. Both of its files are pooled, since our own splits are made
from hashes, in `splits`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from modules.errors import UserError
from modules.files import cache_dir
from modules.tasks.clean import clean_text
from modules.tasks.example import Example
from modules.tasks.loaded import Loaded

if TYPE_CHECKING:
    from datasets import Dataset

DATASET = "ajaykarthick/imdb-movie-reviews"
LABELS = {0: "positive", 1: "negative"}
"""As the set has it: the other way round than in every other copy of these reviews."""

_FILES = ("train", "test")
_EXTENSIONS = (".jsonl", ".jsonl.gz", ".csv", ".parquet")
_COLUMNS = ("review", "label")
_FOLDER_HELP = (
    f"a local folder with the same files, {{{','.join(_FILES)}}} each as one of "
    f"{', '.join(_EXTENSIONS)} with the columns {' and '.join(_COLUMNS)}"
)


def load_imdb(
    input_field: str, data_folder: Path | None = None, revision: str | None = None
) -> Loaded:
    """Load the reviews; those without any text are left out as `empty`.

    Args:
        input_field: the name under which the text stands in `Example.inputs`.
        data_folder: a local folder to read instead of the hub; the network is then not touched.
        revision: the commit to load from the hub. When None the newest one is looked up, and the
            set is loaded at exactly that; `Loaded.revision` says which.

    Raises:
        UserError: the hub cannot be reached, a file or a column is missing, or a label is neither
            0 nor 1.
    """
    with _no_progress_bars():
        if data_folder is not None:
            parts = [(name, _from_folder(data_folder, name)) for name in _FILES]
            revision = None
        else:
            revision = _newest_revision() if revision is None else revision
            parts = _from_hub(revision)
    examples = [ex for where, part in parts for ex in _examples(part, input_field, where)]
    kept = tuple(example for example in examples if example.inputs[input_field])
    return Loaded(
        examples=kept,
        n_read=len(examples),
        left_out={"empty": len(examples) - len(kept)},
        revision=revision,
    )


def _newest_revision() -> str:
    import httpx
    from huggingface_hub import HfApi

    try:
        sha = HfApi().dataset_info(DATASET).sha
    except (OSError, httpx.HTTPError) as error:
        raise UserError(_unreachable(error)) from error
    if sha is None:
        raise UserError(f"the hub names no commit of {DATASET}; give the revision to load")
    return sha


def _from_hub(revision: str) -> list[tuple[str, "Dataset"]]:
    import httpx
    from datasets import DatasetDict, load_dataset
    from datasets.exceptions import DatasetsError

    try:
        loaded = load_dataset(DATASET, revision=revision, cache_dir=str(cache_dir("datasets")))
    except (OSError, ValueError, httpx.HTTPError, DatasetsError) as error:
        raise UserError(_unreachable(error, revision)) from error
    if not isinstance(loaded, DatasetDict):
        raise UserError(f"{DATASET} must come as named splits, got a {type(loaded).__name__}")
    return [(f"{DATASET} {name}", part) for name, part in sorted(loaded.items())]


def _from_folder(folder: Path, name: str) -> "Dataset":
    from datasets import Dataset
    from datasets.exceptions import DatasetsError

    path = _find(folder, name)
    # The readers run the "json", "csv" and "parquet" builders. load_dataset("json") would run the
    # same ones, but sends the hub a request first, to count the call.
    reader = {
        ".csv": Dataset.from_csv,
        ".parquet": Dataset.from_parquet,
    }.get(path.suffix, Dataset.from_json)
    try:
        part = reader(str(path), cache_dir=str(cache_dir("datasets")))
    except (OSError, ValueError, DatasetsError) as error:
        cause = error.__cause__ or error
        raise UserError(f"{path} cannot be read as {path.suffix} data: {cause}") from error
    if not isinstance(part, Dataset):
        raise UserError(f"{path} must hold one table, got a {type(part).__name__}")
    return part


def _find(folder: Path, name: str) -> Path:
    found = [path for end in _EXTENSIONS if (path := folder / f"{name}{end}").is_file()]
    if len(found) != 1:
        raise UserError(
            f"--data-folder takes {_FOLDER_HELP}; {folder} has {len(found)} files for {name!r}"
            f"{''.join(f' {path.name}' for path in found)}"
        )
    return found[0]


def _examples(part: "Dataset", input_field: str, where: str) -> Iterator[Example]:
    missing = [column for column in _COLUMNS if column not in part.column_names]
    if missing:
        raise UserError(
            f"{DATASET} has the columns {' and '.join(_COLUMNS)}; {where} lacks {missing[0]!r}, "
            f"it has {', '.join(part.column_names)}"
        )
    rows = zip(part["review"], part["label"], strict=True)
    for number, (review, label) in enumerate(rows, start=1):
        if label not in LABELS or type(label) is not int:
            raise UserError(
                f"a label must be 0 (positive) or 1 (negative); row {number} of {where} has "
                f"{label!r}"
            )
        text = clean_text("" if review is None else str(review))
        yield Example(inputs={input_field: text}, label=LABELS[label])


def _unreachable(error: BaseException, revision: str | None = None) -> str:
    at = "" if revision is None else f" at revision {revision}"
    return (
        f"cannot load {DATASET}{at} from the Hugging Face hub ({error}); check the network, or "
        f"give with --data-folder {_FOLDER_HELP}"
    )


@contextmanager
def _no_progress_bars() -> Iterator[None]:
    """Silence the bars of `datasets` for a while; the bar on the screen belongs to the loop."""
    from datasets.utils import (
        are_progress_bars_disabled,
        disable_progress_bars,
        enable_progress_bars,
    )

    were_disabled = are_progress_bars_disabled()
    disable_progress_bars()
    try:
        yield
    finally:
        if not were_disabled:
            enable_progress_bars()
