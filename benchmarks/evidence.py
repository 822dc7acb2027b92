"""What is evidence worth? The same prompts with a label bias alone, and with further words weighed.

    python -m benchmarks.evidence --model smollm2-135m gemma-3-270m --task snippets products

The prompts are those that a search starts from. Beside what the search does, as many words are
weighed that are drawn blindly from the vocabulary's clean words, and the prior's strength is
varied. All is settled on dev and confirm (140 examples); what it is worth is measured on examples
that are in no test split of the matrix's seeds (`benchmarks.search`), so that rules can be settled
here without looking at a test.
"""

import argparse
import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.common import machine, save_result
from benchmarks.search.protocol import N_TEST, task_spec
from modules.command import recorded
from modules.lm import Ledger, LocalModel, load_model
from modules.prompts.evidence import fit_evidence
from modules.tasks import load_task
from modules.tasks.example import Example, Task
from optimize.race.said import Said, ask, bare, together
from optimize.race.scoring import Array, Gold, score_of, settle
from optimize.space.evidence import likely_answers, openings
from optimize.space.space import Space, build_space
from optimize.space.vocabulary import likely_words, mean_probability

SEED = 77
MATRIX_SEEDS = (0, 1, 2)
_ENOUGH = 3_000
STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0)
"""Weights of the prior that are tried; `modules.prompts.evidence.STRENGTH` is what is used."""


def fresh_examples(task_name: str, task: Task, n: int) -> list[Example]:
    """Give at most n examples of the task's test split that no seed of the matrix tests on."""
    tested = set()
    for seed in MATRIX_SEEDS:
        spec = task_spec(task_name, n_test=N_TEST, data_folder=None)
        of_seed, _ = load_task(spec, seed)
        tested |= {example.id for example in of_seed.splits.test.unseal()}
    return [example for example in task.splits.test.unseal() if example.id not in tested][:n]


def measure(task: Task, model: LocalModel, space: Space, fresh: list[Example]) -> list[Any]:
    """Give each starting point's accuracy on fresh examples under every calibration."""
    model.ledger = Ledger()
    likely = likely_answers(model, space)
    blind = blind_words(model, space, len(likely))
    words = tuple(dict.fromkeys([*likely, *blind]))
    n_likely, at_blind = len(likely), [words.index(word) for word in blind]
    gold = np.array(task.gold([*task.splits.dev, *task.splits.confirm]))
    fresh_gold = np.array(task.gold(fresh))
    found = []
    for point in space.starting_points():
        prompt = space.prompt(point)
        dev, confirm, told = (
            ask(model, task, prompt, examples, words)
            for examples in (task.splits.dev, task.splits.confirm, fresh)
        )
        both = together(dev, confirm)
        known, held = (of_words(said, range(n_likely)) for said in (both, told))
        weighed = settle(known, gold)
        biased = settle(bare(known.logp), gold)
        known_blind, held_blind = (of_words(said, at_blind) for said in (both, told))
        found.append(
            {
                "prompt": f"{point['layout']}, {point['n_demos']} demos",
                "biased": _score(biased.of(bare(held.logp)), fresh_gold),
                "weighed": _score(weighed.of(held), fresh_gold),
                "calibration": weighed.name,
                "blind_words": _score(settle(known_blind, gold).of(held_blind), fresh_gold),
                "strengths": {
                    str(strength): _score(
                        fit_evidence(known.logp, known.words, gold, strength).log_probabilities(
                            held.logp, held.words
                        ),
                        fresh_gold,
                    )
                    for strength in STRENGTHS
                },
                "n": len(fresh),
            }
        )
        print(found[-1], flush=True)
    return found


def means(results: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Give each calibration's mean accuracy over all prompts, in %."""
    prompts = [prompt for result in results for prompt in result["prompts"]]
    columns = {name: [p[name] for p in prompts] for name in ("biased", "weighed", "blind_words")}
    for strength in map(str, STRENGTHS):
        columns[f"strength {strength}"] = [p["strengths"][strength] for p in prompts]
    return {
        name: round(100 * float(np.mean([one["accuracy"] for one in column])), 2)
        for name, column in columns.items()
    }


def blind_words(model: LocalModel, space: Space, n: int) -> tuple[str, ...]:
    """Draw n clean words from the vocabulary, whatever the model thinks of them."""
    asked = openings(space)
    anchors = [model.codec.encode(rendered).anchor for rendered in asked]
    chance = np.random.default_rng(SEED).random(len(mean_probability(model.look(asked))))
    return tuple(likely_words(model, chance, anchors, n).values())


def of_words(said: Said, columns: Sequence[int]) -> Said:
    """Give what was said with some of the words alone."""
    return replace(said, words=said.words[:, list(columns)])


def _score(logp: Array, gold: Gold) -> dict[str, float]:
    score = score_of(logp, gold)
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
    command = recorded("python", "-m", "benchmarks.evidence", *sys.argv[1:])
    found = {"command": command, "machine": machine(), "means": means(results)}
    print(found["means"])
    print(save_result("evidence", {**found, "results": results}))


if __name__ == "__main__":
    main()
