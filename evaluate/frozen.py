"""Which frozen prompts are proven: from folders and files, one for each model."""

from collections.abc import Sequence
from pathlib import Path

from modules.errors import UserError
from modules.prompts import Artifact, find_artifacts, load_artifact


def find_frozen(
    paths: Sequence[Path], task: str, search_seed: int, models: Sequence[str] | None
) -> list[tuple[Path, Artifact]]:
    """Load the artifacts that were asked for, one per model, in the order of `models`.

    Args:
        paths: folders, of which `<task>/<model>/seed-<search_seed>.json` are taken, and files.
        task: the task's name, for folders.
        search_seed: the seed of the search, for folders.
        models: names; None takes every model that has a prompt.

    Raises:
        UserError: a model has none, or two of them.
    """
    found: list[tuple[Path, Artifact]] = []
    for path in paths:
        if path.is_dir():
            name = f"seed-{search_seed}.json"
            found += [pair for pair in find_artifacts(path, task) if pair[0].name == name]
        else:
            found.append((path, load_artifact(path)))
    by_model = {artifact.model.name: (path, artifact) for path, artifact in found}
    if len(by_model) < len(found):
        raise UserError("two artifacts for one model: name one of them with --artifacts FILE")
    wanted = list(by_model) if models is None else list(models)
    missing = [name for name in wanted if name not in by_model]
    if missing or not by_model:
        raise UserError(
            f"no frozen prompt for {', '.join(missing) or 'any model'} with search seed "
            f"{search_seed} on the task {task}; there are: {', '.join(by_model) or 'none'}; run "
            "python -m optimize first, or burnish compare, which does both"
        )
    return [by_model[name] for name in wanted]
