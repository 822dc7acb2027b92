"""What is evidence worth? The same prompts with a label bias alone, and with other words weighed.

    python -m benchmarks.evidence --model smollm2-135m gemma-3-270m --task snippets products

The prompts are those that a search starts from. Both calibrations are settled on dev and confirm
(140 examples); what they are worth is measured on examples that are in no test split of the
matrix's seeds (`benchmarks.search`), so that rules can be settled here without looking at a test.
"""

import argparse
import logging
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.common import machine, save_result
from benchmarks.search.protocol import N_TEST, task_spec
from modules.lm import Ledger, LocalModel, load_model
from modules.tasks import load_task
from modules.tasks.example import Example, Task
from optimize.race.said import Said, ask, bare, together
from optimize.race.scoring import Calibration, Gold, score_of, settle
from optimize.space.evidence import likely_answers
from optimize.space.space import Space, build_space

SEED = 77
MATRIX_SEEDS = (0, 1, 2)
_ENOUGH = 3_000


def fresh_examples(task_name: str, task: Task, n: int) -> list[Example]:
    """Give at most n examples of the task's test split that no seed of the matrix tests on."""
    tested = set()
    for seed in MATRIX_SEEDS:
        spec = task_spec(task_name, n_test=N_TEST, data_folder=None)
        of_seed, _ = load_task(spec, seed)
        tested |= {example.id for example in of_seed.splits.test.unseal()}
    return [example for example in task.splits.test.unseal() if example.id not in tested][:n]


def measure(task: Task, model: LocalModel, space: Space, fresh: list[Example]) -> list[Any]:
    """Give each starting point's accuracy on fresh examples under both calibrations."""
    model.ledger = Ledger()
    words = likely_answers(model, space)
    gold = np.array(task.gold([*task.splits.dev, *task.splits.confirm]))
    fresh_gold = np.array(task.gold(fresh))
    found = []
    for point in space.starting_points():
        prompt = space.prompt(point)
        dev, confirm, held = (
            ask(model, task, prompt, examples, words)
            for examples in (task.splits.dev, task.splits.confirm, fresh)
        )
        known = together(dev, confirm)
        weighed = settle(known, gold)
        biased = settle(bare(known.logp), gold)
        found.append(
            {
                "prompt": f"{point['layout']}, {point['n_demos']} demos",
                "biased": _score(biased, bare(held.logp), fresh_gold),
                "weighed": _score(weighed, held, fresh_gold),
                "calibration": weighed.name,
                "n": len(fresh),
            }
        )
        print(found[-1], flush=True)
    return found


def _score(settled: Calibration, held: Said, gold: Gold) -> dict[str, float]:
    score = score_of(settled.of(held), gold)
    return {"accuracy": round(score.accuracy, 4), "log_loss": round(score.log_loss, 4)}


def main() -> None:
    """Measure, and write the dated result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", nargs="+", default=["smollm2-135m", "gemma-3-270m"])
    parser.add_argument("--task", nargs="+", default=["snippets", "products"])
    parser.add_argument("--n", type=int, default=500)
    parser.add_argument("--dtype")
    options = parser.parse_args()
    logging.disable(logging.INFO)
    results = []
    for name in options.model:
        model = load_model(name, dtype=options.dtype)
        for task_name in options.task:
            spec = task_spec(task_name, n_test=N_TEST, data_folder=None)
            wide = replace(spec, sizes=replace(spec.sizes, test=_ENOUGH))
            task, _ = load_task(wide, SEED)
            space = build_space(task, SEED, has_chat=model.has_chat_template)
            fresh = fresh_examples(task_name, task, options.n)
            prompts = measure(task, model, space, fresh)
            results.append({"model": name, "task": task_name, "prompts": prompts})
    dtype = "" if options.dtype is None else f" --dtype {options.dtype}"
    command = (
        f"python -m benchmarks.evidence --model {' '.join(options.model)} "
        f"--task {' '.join(options.task)} --n {options.n}{dtype}"
    )
    print(save_result("evidence", {"command": command, "machine": machine(), "results": results}))


if __name__ == "__main__":
    main()
