"""The leaderboard: what each optimizer froze, side by side, best first."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from modules.files import make_folder, write_atomic
from modules.prompts import Artifact, file_name

_HEADER = ("optimizer", "confirm", "95 %", "dev", "trials", "forward tokens", "calls", "seconds")

_COLUMNS = (
    "optimizer",
    "confirm_accuracy",
    "confirm_low",
    "confirm_high",
    "confirm_log_loss",
    "dev_accuracy",
    "n_trials",
    "forward_tokens",
    "n_prompts",
    "seconds",
    "artifact",
)


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An optimizer's artifact, where it lies, and the seconds that finding it took here."""

    artifact: Artifact
    path: Path
    seconds: float


def save_leaderboard(entries: Sequence[Entry], runs: Path, task: str, model: str, seed: int) -> str:
    """Write the leaderboard as CSV below `runs`, and give it as an aligned table.

    The order is that of the accuracy on confirm, then of the log-loss there.
    """
    best_first = sorted(entries, key=_rank)
    path = runs / f"leaderboard-{file_name(task)}-{file_name(model)}-seed-{seed}.csv"
    make_folder(runs)
    write_atomic(path, _csv(best_first))
    rows = [_HEADER, *(_row(entry) for entry in best_first)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(_HEADER))]
    lines = ["  " + "  ".join(_cell(row, n, w) for n, w in enumerate(widths)) for row in rows]
    return "\n".join([*lines, f"  {path}"])


def _rank(entry: Entry) -> tuple[float, float, str]:
    score = entry.artifact.scores["confirm"]
    return -score.accuracy, score.log_loss, entry.artifact.search.optimizer


def _row(entry: Entry) -> tuple[str, ...]:
    search, scores = entry.artifact.search, entry.artifact.scores
    confirm = scores["confirm"]
    return (
        search.optimizer,
        f"{confirm.accuracy:.1%}",
        f"[{confirm.low:.1%}, {confirm.high:.1%}]",
        f"{scores['dev'].accuracy:.1%}",
        f"{search.n_trials:,}",
        f"{search.spent['forward_tokens']:,}",
        f"{search.spent['n_prompts']:,}",
        f"{entry.seconds:.0f}",
    )


def _cell(row: Sequence[str], column: int, width: int) -> str:
    return row[column].ljust(width) if column == 0 else row[column].rjust(width)


def _csv(entries: Sequence[Entry]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(_record(entry) for entry in entries)
    return text.getvalue()


def _record(entry: Entry) -> dict[str, object]:
    search, scores = entry.artifact.search, entry.artifact.scores
    values = (
        search.optimizer,
        scores["confirm"].accuracy,
        scores["confirm"].low,
        scores["confirm"].high,
        scores["confirm"].log_loss,
        scores["dev"].accuracy,
        search.n_trials,
        search.spent["forward_tokens"],
        search.spent["n_prompts"],
        round(entry.seconds, 1),
        str(entry.path),
    )
    return dict(zip(_COLUMNS, values, strict=True))
