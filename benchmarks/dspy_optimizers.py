"""Do DSPy's optimizers, unmodified, compile with a 135M model as the only model?

Task model and prompt model are the same small local model behind our engine and adapter. Counted
are the answers that could not be parsed; the held-out column says what the programs are worth, with
its interval, and is no ranking at this n.

    python -m benchmarks.dspy_optimizers
"""

import argparse
import json
import logging
import platform
import time
from collections.abc import Callable
from typing import Any

import dspy
from dspy.utils.exceptions import AdapterParseError

from benchmarks.common import save_result
from modules.lm import Ledger, load_model
from modules.programs import PromptAdapter, dspy_lm
from modules.programs.naive import naive_prompt
from modules.tasks import TaskSpec, dspy_metric, load_task
from modules.tasks.example import Example, Task
from modules.wilson import wilson

N_TRAIN = 16
N_VAL = 16
N_TEST = 50

Compile = Callable[[dspy.Module, list[Any], list[Any]], Any]


class CountingAdapter(PromptAdapter):
    """The adapter, counting the answers that it was asked to parse and those that it could not."""

    n_parsed = 0
    n_failed = 0

    def parse(self, signature: type[dspy.Signature], completion: str) -> dict[str, Any]:
        """Parse and count."""
        self.n_parsed += 1
        try:
            return super().parse(signature, completion)
        except AdapterParseError:
            self.n_failed += 1
            raise


def optimizers(metric: Callable[..., bool], seed: int) -> dict[str, Compile]:
    """Give the four optimizers, each with small but real settings and explicit splits."""
    return {
        "LabeledFewShot": lambda program, train, val: dspy.LabeledFewShot(k=4).compile(
            program, trainset=train
        ),
        "BootstrapFewShot": lambda program, train, val: dspy.BootstrapFewShot(
            metric=metric, max_bootstrapped_demos=4, max_labeled_demos=4
        ).compile(program, trainset=train),
        "BootstrapFewShotWithRandomSearch": lambda program, train, val: (
            dspy.BootstrapFewShotWithRandomSearch(
                metric=metric,
                max_bootstrapped_demos=4,
                max_labeled_demos=4,
                num_candidate_programs=3,
                num_threads=1,
            ).compile(program, trainset=train, valset=val)
        ),
        "MIPROv2": lambda program, train, val: dspy.MIPROv2(
            metric=metric, auto=None, num_candidates=3, num_threads=1, seed=seed
        ).compile(
            program,
            trainset=train,
            valset=val,
            num_trials=5,
            minibatch=False,
            max_bootstrapped_demos=4,
            max_labeled_demos=4,
        ),
    }


def measure(task: Task, model_name: str, seed: int) -> list[dict[str, Any]]:
    """Compile with every optimizer and score what comes out on confirm examples."""
    model = load_model(model_name)
    prompt = naive_prompt(task, is_chat=model.has_chat_template)
    train = _examples(task, task.splits.train[:N_TRAIN])
    val = _examples(task, task.splits.dev[:N_VAL])
    test = _examples(task, task.splits.confirm[:N_TEST])
    metric = dspy_metric(task.output_field)
    compilers: dict[str, Compile] = {"none": lambda program, train, val: program}
    results = []
    for name, compile_program in (compilers | optimizers(metric, seed)).items():
        adapter = CountingAdapter(prompt, task.signature)
        model.ledger = Ledger()
        with dspy.context(lm=dspy_lm(model, seed), adapter=adapter, max_errors=10**9):
            start = time.perf_counter()
            program = compile_program(dspy.Predict(task.signature), train, val)
            seconds = time.perf_counter() - start
            account = model.ledger.account
            counts = (adapter.n_parsed, adapter.n_failed)
            right = sum(metric(example, program(**example.inputs())) for example in test)
        interval = wilson(right, len(test))
        results.append(
            {
                "optimizer": name,
                "compile_s": round(seconds, 1),
                "compile_prompts": account.n_prompts,
                "compile_forward_tokens": account.forward_tokens,
                "answers_parsed": counts[0],
                "parse_failures": counts[1],
                "n_demos": len(program.predictors()[0].demos),
                "instruction": program.predictors()[0].signature.instructions,
                "held_out": {"n": len(test), "n_correct": right, "interval": list(interval)},
            }
        )
        print(json.dumps(results[-1], ensure_ascii=False), flush=True)
    return results


def _examples(task: Task, examples: tuple[Example, ...]) -> list[Any]:
    return [
        dspy.Example(**dict(example.inputs), **{task.output_field: example.label}).with_inputs(
            task.input_field
        )
        for example in examples
    ]


def main() -> None:
    """Run and write the dated result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--task", default="snippets")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    logging.disable(logging.INFO)
    task, _ = load_task(TaskSpec(name=options.task), options.seed)
    result = {
        "command": f"python -m benchmarks.dspy_optimizers --model {options.model} "
        f"--task {options.task} --seed {options.seed}",
        "machine": f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
        "dspy": dspy.__version__,
        "model": options.model,
        "sizes": {"train": N_TRAIN, "val": N_VAL, "held_out": N_TEST},
        "results": measure(task, options.model, options.seed),
    }
    print(save_result(f"dspy-optimizers-{options.model}", result))


if __name__ == "__main__":
    main()
