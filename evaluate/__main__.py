"""`python -m evaluate`: frozen prompts against the naive one, on the sealed test split."""

import argparse
import json
import logging
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from evaluate.baselines import baseline_records
from evaluate.draws import Plan
from evaluate.grid import (
    Timing,
    load_sealed_task,
    model_records,
    timing_json,
)
from evaluate.parity import dspy_parity
from evaluate.plots import accuracy_plot
from evaluate.rows import frame, save
from evaluate.summary import polarity_alarm, summarise
from evaluate.table import markdown_table, text_table
from modules.errors import UserError, exit_code
from modules.files import make_folder, write_atomic
from modules.lm import load_recorded
from modules.prompts import Artifact, file_name, find_artifacts, load_artifact
from modules.tasks.example import Task


def main(arguments: list[str]) -> None:
    """Parse the command line, run the grid, print the comparison and say where the files are."""
    options = _parser().parse_args(arguments)
    plan = _plan(options)
    artifacts = _artifacts(options)
    out = make_folder(options.out or Path("runs/evaluation") / file_name(artifacts[0].task.name))
    task, report = load_sealed_task(artifacts)
    test = task.splits.test.unseal()
    print(f"task {task.name}: {report.lines()[-1]}", flush=True)
    seen = (*task.splits.train, *task.splits.dev, *task.splits.confirm)
    records = baseline_records(task, seen, test, plan.seeds[0])
    timings: list[Timing] = []
    for artifact in artifacts:
        model = load_recorded(artifact.model, options.dtype, cache=options.cache)
        records += model_records(
            model,
            task,
            artifact,
            plan,
            test=test,
            n_generated=options.n_generated,
            timed=timings.append,
        )
        parity = dspy_parity(model, task, artifact.prompt, test[: options.n_parity])
        print(
            f"{model.identity.name}: dspy.Predict gives the batch's label on {parity.n_same_label} "
            f"of {parity.n} examples, bit-equal probabilities on {parity.n_same_bits}",
            flush=True,
        )
        del model
    _report(
        frame(records), task, out, timings, shlex.join(["python", "-m", "evaluate", *arguments])
    )


def _report(
    rows: pd.DataFrame, task: Task, out: Path, timings: Sequence[Timing], command: str
) -> None:
    summary = summarise(rows)
    save(rows, out / "rows.parquet")
    accuracy_plot(summary, out / "accuracy.png", chance=1 / len(task.labels))
    alarms = polarity_alarm(summary, len(task.labels))
    text = f"# {task.name}\n\n`{command}`\n\n{markdown_table(summary)}\n\n![](accuracy.png)\n"
    write_atomic(out / "summary.md", text + "".join(f"\n**{alarm}**\n" for alarm in alarms))
    write_atomic(out / "timings.json", json.dumps(timing_json(timings), indent=2) + "\n")
    print(f"\n{text_table(summary)}\n")
    for alarm in alarms:
        print(f"ALARM {alarm}")
    for name in ("rows.parquet", "summary.md", "accuracy.png", "timings.json"):
        print(f"  {out / name}")


def _plan(options: argparse.Namespace) -> Plan:
    if any(not 0 <= t <= 10 for t in options.temperatures):
        raise UserError(f"temperatures lie between 0 and 10, got {options.temperatures}")
    if options.n_generated < 0 or options.n_parity < 0 or options.max_tokens < 1:
        raise UserError("--n-generated, --n-parity and --max-tokens cannot be negative")
    if any(not -(2**63) <= seed < 2**63 for seed in options.seeds):
        raise UserError(f"--seeds are whole numbers of 64 bits, got {options.seeds}")
    return Plan(
        temperatures=tuple(dict.fromkeys(options.temperatures)),
        seeds=tuple(dict.fromkeys(options.seeds)),
        max_tokens=options.max_tokens,
    )


def _artifacts(options: argparse.Namespace) -> list[Artifact]:
    """Load the artifacts that were asked for, one per model, in the order of `--models`."""
    found: list[tuple[Path, Artifact]] = []
    for path in options.artifacts:
        if path.is_dir():
            name = f"seed-{options.search_seed}.json"
            found += [pair for pair in find_artifacts(path, options.task) if pair[0].name == name]
        else:
            found.append((path, load_artifact(path)))
    by_model = {artifact.model.name: artifact for _, artifact in found}
    if len(by_model) < len(found):
        raise UserError("two artifacts for one model: name one of them with --artifacts FILE")
    wanted = options.models or list(by_model)
    missing = [name for name in wanted if name not in by_model]
    if missing or not by_model:
        raise UserError(
            f"no frozen prompt for {', '.join(missing) or 'any model'} with search seed "
            f"{options.search_seed} on the task {options.task}; there are: "
            f"{', '.join(by_model) or 'none'}; run python -m optimize first"
        )
    return [by_model[name] for name in wanted]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m evaluate",
        description="Prove frozen prompts on the held-out test split.",
    )
    parser.add_argument("--task", default="snippets", help="(default: snippets)")
    parser.add_argument(
        "--artifacts",
        type=Path,
        nargs="+",
        default=[Path("artifacts")],
        help="a folder of frozen prompts, or the files themselves (default: artifacts)",
    )
    parser.add_argument("--search-seed", type=int, default=0, help="seed-N.json (default: 0)")
    parser.add_argument("--models", nargs="+", help="only these (default: all that have a prompt)")
    parser.add_argument("--temperatures", type=float, nargs="+", default=[0.2, 0.8])
    parser.add_argument("--seeds", type=int, nargs="+", default=[0], help="of the draws")
    parser.add_argument("--out", type=Path, help="(default: runs/evaluation/TASK)")
    parser.add_argument(
        "--n-generated",
        type=int,
        default=60,
        help="test examples that are also answered by generated text (default: 60)",
    )
    parser.add_argument(
        "--max-tokens", type=int, default=16, help="longest generated answer (default: 16)"
    )
    parser.add_argument(
        "--n-parity", type=int, default=20, help="examples also sent through dspy (default: 20)"
    )
    parser.add_argument("--dtype", help="(default: the one that the prompt was frozen in)")
    parser.add_argument(
        "--no-cache",
        dest="cache",
        action="store_false",
        help="run everything, even what the answer cache has from an earlier run",
    )
    return parser


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    sys.exit(exit_code(lambda: main(sys.argv[1:])))
