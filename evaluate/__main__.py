"""`python -m evaluate`: frozen prompts against others, on the sealed test split, with a report."""

import argparse
import logging
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

from evaluate.baselines import baseline_records
from evaluate.build_report import build_report
from evaluate.comparison import Run, compare, run_record
from evaluate.draws import Record
from evaluate.examples import examples_frame, save_examples
from evaluate.facts import Facts
from evaluate.findings import findings
from evaluate.frozen import find_frozen
from evaluate.grid import Grid
from evaluate.loaded import EXAMPLES, ROWS, load_evaluation
from evaluate.options import Settings, parser, settings
from evaluate.planner import plan_sample
from evaluate.report import save_report
from evaluate.row_journal import RowJournal
from evaluate.rows import frame, save
from evaluate.run_record import SampleRecord, Stratum, save_run
from evaluate.sample import Sample
from evaluate.sealed import load_sealed_task, open_test
from evaluate.table import text_table
from modules.command import recorded
from modules.errors import UserError, leave
from modules.files import make_folder
from modules.prompts import Artifact, file_name
from modules.tasks.example import Example, Task
from modules.tasks.pool import labelled_pool

BLOCKS = "blocks.jsonl"

_parser = parser


def main(arguments: list[str]) -> None:
    """Parse the command line, and do it."""
    run(parser().parse_args(arguments), recorded("python", "-m", "evaluate", *arguments))


def run(options: argparse.Namespace, command: str) -> None:
    """Run the grid, write the report, say where everything is.

    `options` are parsed; `command` is what the report says made it.
    """
    asked = settings(options)
    out = options.out or Path("runs/evaluation") / file_name(asked.task)
    if not options.report_only:
        _evaluate(options, asked, make_folder(out), command)
    facts = Facts(load_evaluation(out))
    print(f"\n{text_table(facts.summary)}\n")
    for alarm in facts.alarms:
        print(f"ALARM {alarm}")
    for finding in findings(facts):
        print(textwrap.fill(finding, 100, initial_indent="- ", subsequent_indent="  "))
    save_report(build_report(facts), out)
    print()
    for name in ("report.html", "report.md", "figures/", "tables/", ROWS):
        print(f"  {out}/{name}")


def _evaluate(options: argparse.Namespace, asked: Settings, out: Path, command: str) -> None:
    """Run the whole grid and save rows, examples and the record of the run."""
    if options.n_parity < 0:
        raise UserError(f"--n-parity cannot be negative, got {options.n_parity}")
    frozen = find_frozen(options.artifacts, asked.task, options.search_seed, asked.models)
    artifacts = [artifact for _, artifact in frozen]
    task, splits = load_sealed_task(artifacts, options.data_folder)
    sample = _sample(task, artifacts, asked)
    print(f"task {task.name}: {splits.lines()[-1]}", flush=True)
    print("\n".join(f"  {line}" for line in sample.lines()), flush=True)
    grid = Grid(task=task, sample=sample.examples, n_generated=asked.n_generated, plan=asked.plan)
    how = Run(dtype=options.dtype, cache=options.cache, n_parity=options.n_parity)
    with RowJournal(out / BLOCKS, anew=options.anew) as journal:
        records, models, timings = compare(grid, frozen, asked.prompts, how, journal, _say)
    rows = frame([*_baselines(task, artifacts[0], sample.examples, asked.plan.seeds[0]), *records])
    save(rows, out / ROWS)
    save_examples(examples_frame(task, sample.examples), out / EXAMPLES)
    save_run(run_record(command, grid, splits, _record(sample), models, timings), out)


def _sample(task: Task, artifacts: Sequence[Artifact], asked: Settings) -> Sample:
    """Open the test split and draw the sample that the wanted precision needs."""
    return plan_sample(
        open_test(task, artifacts),
        task.label_names,
        half_width=asked.half_width,
        detectable=asked.detect,
        seed=artifacts[0].task.split_seed,
    )


def _baselines(task: Task, artifact: Artifact, test: Sequence[Example], seed: int) -> list[Record]:
    """Give the baselines' rows: from what the search saw, and from the whole labelled pool."""
    pool = labelled_pool(task.source, artifact.task.split_seed, test_hash=task.splits.test.digest)
    seen = (*task.splits.train, *task.splits.dev, *task.splits.confirm)
    return baseline_records(task, seen, test, seed, pool=pool)


def _say(line: str) -> None:
    print(line, flush=True)


def _record(sample: Sample) -> SampleRecord:
    return SampleRecord(
        n=sample.n,
        n_whole=sample.n_whole,
        lines=tuple(sample.lines()),
        strata=tuple(
            Stratum(
                label=one.label,
                words=one.length,
                n_sample=one.n_sample,
                n_whole=one.n_whole,
            )
            for one in sample.strata
        ),
    )


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    leave(lambda: main(sys.argv[1:]))
