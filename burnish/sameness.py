"""Which fields of two artifacts have other values, by their names in the file."""

from collections.abc import Iterator
from typing import Any

from modules.prompts import Artifact

_FOLLOWING = {"sha256", "prompt_id", "reading"}


def other_fields(a: Artifact, b: Artifact) -> list[str]:
    """Give the fields that differ, as `search.seed`, in the order of the file; lists are whole.

    Fields that only follow from others (the digests and the reading) are left out.
    """
    one, other = (dict(_leaves(artifact.to_json())) for artifact in (a, b))
    names = dict.fromkeys([*one, *other])
    return [
        name
        for name in names
        if name.partition(".")[0] not in _FOLLOWING
        and (name not in one or name not in other or one[name] != other[name])
    ]


def _leaves(value: dict[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, item in value.items():
        if isinstance(item, dict):
            yield from _leaves(item, f"{above}{key}.")
        else:
            yield f"{above}{key}", item
