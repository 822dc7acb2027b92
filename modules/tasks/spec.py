"""Task specifications: everything that says which task to load, as a value and as JSON.

Owns the rules on what goes together; the loading belongs to `registry`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from modules.errors import UserError
from modules.tasks.splits import SplitSizes

TASK_NAMES = ("snippets", "products", "tweets", "editorials", "imdb")
"""The tasks that come with Burnish."""

FILE_TASK = "file"
"""The name of a task that comes from the user's own table."""

_ONLY_FILE = ("data", "text_column", "label_column", "meanings")
_ONLY_IMDB = ("data_folder", "revision")


@dataclass(frozen=True, kw_only=True)
class TaskSpec:
    """Which task to load, and how large its splits may be.

    `name` is one of `TASK_NAMES` or `file`. For `file` alone: `data` (the table, needed),
    `text_column` and `label_column` (None: `text` and `label`), `meanings` (label to a few words,
    for some or all labels). For `imdb` alone: `data_folder` (a local copy) or `revision` (the
    commit on the hub; None: the newest).

    Raises:
        UserError: an unknown name, or a setting that the named task does not take.
    """

    name: str
    data: Path | None = None
    data_folder: Path | None = None
    text_column: str | None = None
    label_column: str | None = None
    meanings: Mapping[str, str] | None = None
    revision: str | None = None
    sizes: SplitSizes = field(default_factory=SplitSizes)

    def __post_init__(self) -> None:
        if self.name not in (*TASK_NAMES, FILE_TASK):
            raise UserError(
                f"a task must be one of {', '.join(TASK_NAMES)}, or {FILE_TASK} for your own "
                f"data; got {self.name!r}"
            )
        if self.name == FILE_TASK and self.data is None:
            raise UserError(f"the task {FILE_TASK} needs data: the path of a table")
        for owner, settings in ((FILE_TASK, _ONLY_FILE), ("imdb", _ONLY_IMDB)):
            for setting in settings:
                if self.name != owner and getattr(self, setting) is not None:
                    raise UserError(
                        f"{setting} is a setting of the task {owner}; {self.name} does not take "
                        f"it, but got {getattr(self, setting)!r}"
                    )
        if self.data_folder is not None and self.revision is not None:
            raise UserError(
                f"a revision names a commit on the hub; it cannot go with the local folder "
                f"{self.data_folder}"
            )

    def to_json(self) -> dict[str, Any]:
        """Give a plain dict that holds every setting; `from_json` is its inverse."""
        return {
            "name": self.name,
            "data": None if self.data is None else str(self.data),
            "data_folder": None if self.data_folder is None else str(self.data_folder),
            "text_column": self.text_column,
            "label_column": self.label_column,
            "meanings": None if self.meanings is None else dict(self.meanings),
            "revision": self.revision,
            "sizes": self.sizes.to_json(),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "TaskSpec":
        """Make a specification of a dict; an absent setting has its default.

        Raises:
            UserError: an unknown setting, one of the wrong type, or no `name`.
        """
        _check_keys(value, tuple(item.name for item in fields(cls)), "task")
        if value.get("name") is None:
            raise UserError("a task needs a name")
        sizes = value.get("sizes")
        if sizes is not None and not isinstance(sizes, Mapping):
            raise UserError(f"the setting sizes of a task must be an object; got {sizes!r}")
        if sizes is not None:
            _check_keys(sizes, tuple(item.name for item in fields(SplitSizes)), "task's sizes")
        return cls(
            name=_text(value, "name") or "",
            data=_path(value, "data"),
            data_folder=_path(value, "data_folder"),
            text_column=_text(value, "text_column"),
            label_column=_text(value, "label_column"),
            meanings=_meanings(value),
            revision=_text(value, "revision"),
            sizes=SplitSizes(**({} if sizes is None else sizes)),
        )


def _check_keys(value: Mapping[str, Any], accepted: tuple[str, ...], of: str) -> None:
    unknown = sorted(map(str, set(value) - set(accepted)))
    if unknown:
        raise UserError(
            f"the settings of a {of} are {', '.join(accepted)}; got {', '.join(unknown)}"
        )


def _text(value: Mapping[str, Any], key: str) -> str | None:
    text = value.get(key)
    if text is not None and not isinstance(text, str):
        raise UserError(f"the setting {key} of a task must be a string; got {text!r}")
    return text


def _path(value: Mapping[str, Any], key: str) -> Path | None:
    text = _text(value, key)
    return None if text is None else Path(text)


def _meanings(value: Mapping[str, Any]) -> dict[str, str] | None:
    meanings = value.get("meanings")
    if meanings is None:
        return None
    if not isinstance(meanings, Mapping) or not all(
        isinstance(item, str) for pair in meanings.items() for item in pair
    ):
        raise UserError(
            f"the setting meanings of a task must map labels to strings; got {meanings!r}"
        )
    return dict(meanings)
