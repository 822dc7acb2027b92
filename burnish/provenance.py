"""Where a frozen prompt is from, in names and what is said of each: search, model, task, file."""

from burnish.terminal import Said
from modules.prompts import OWN_OPTIMIZER, Artifact
from modules.prompts.records import ModelRecord, SearchRecord, TaskRecord

Facts = list[tuple[str, Said]]

_SHORT = 12


def short(digest: str) -> str:
    """Give the beginning of a digest, enough to tell two apart."""
    return digest[:_SHORT]


def tokens(search: SearchRecord) -> int | None:
    """Give the forward tokens that a search took, where the file says."""
    return search.spent.get("forward_tokens")


def search_facts(search: SearchRecord, n_prompts: int = 1) -> Facts:
    """Say how the prompt, or an ensemble of `n_prompts`, was found and what that cost."""
    is_own = search.optimizer == OWN_OPTIMIZER
    chosen = "this one " + ("told most about the labels" if is_own else "was right most often")
    if n_prompts > 1:
        chosen = f"{n_prompts} of them answer together"
    n = search.n_finalists
    met = f"the {n} best were" if n > 1 else "the best was"
    spent = tokens(search)
    cost = "unknown" if spent is None else f"{spent:,} of {search.budget_tokens:,} forward tokens"
    n_asked = search.spent.get("n_prompts")
    asked = "" if n_asked is None else f", {n_asked:,}{_bound(search.budget_calls)} prompts"
    if search.budget_seconds is not None:
        asked += f", within {search.budget_seconds:g} s"
    return [
        ("search", f"{search.optimizer}, seed {search.seed}"),
        ("trials", f"{search.n_trials:,}, {search.n_pruned:,} of them stopped early"),
        ("finalists", f"{met} scored on confirm; {chosen}"),
        ("budget", cost + asked),
    ]


def _bound(most: int | None) -> str:
    return "" if most is None else f" of {most:,}"


def model_facts(model: ModelRecord) -> Facts:
    """Say which model the prompt is for."""
    return [
        ("name", model.name),
        ("source", f"{model.source}, revision {model.revision}"),
        ("weights", f"sha256 {short(model.digest)}…"),
        ("dtype", model.dtype),
        ("processor", model.processor or "not recorded (version 1)"),
    ]


def task_facts(task: TaskRecord) -> Facts:
    """Say which task the prompt is for, and on which data it was found."""
    settings = {k: v for k, v in task.source.items() if k != "sizes" and v is not None}
    sizes = ", ".join(f"{split} {n:,}" for split, n in task.sizes.items())
    return [
        ("name", f"{task.name}: {task.input_field} → {task.output_field}, {task.metric}"),
        ("data", ", ".join(f"{key} {value}" for key, value in settings.items())),
        ("splits", f"{sizes} (split seed {task.split_seed})"),
        ("digests", f"data {short(task.data_hash)}…, test {short(task.test_hash)}…"),
    ]


def made_facts(artifact: Artifact) -> Facts:
    """Say what made the file."""
    versions = ", ".join(f"{name} {version}" for name, version in artifact.versions.items())
    return [
        ("command", artifact.command),
        ("versions", versions),
        ("prompt", f"sha256 {short(artifact.prompt_id)}…"),
        ("file", f"sha256 {short(artifact.sha256)}…, schema version {artifact.schema_version}"),
    ]
