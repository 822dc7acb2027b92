"""How fast is the local model, beside the machine's limit and beside what else one could run?

    python -m benchmarks.speed --model smollm2-135m \\
        --lm-eval-python lm-eval/bin/python --llama-python llama/bin/python

Every comparison is interleaved: each contestant runs once a round, and the figures are medians over
the rounds. Without the two interpreters, those contestants are left out.
"""

import argparse
import contextlib
import logging
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import torch
from torch.nn import Linear

from benchmarks.common import interleaved, machine, save_result, spread
from benchmarks.rivals import Contestant
from modules.command import recorded
from modules.lm import GenerateRequest, LocalModel, Sampling, load_model
from modules.lm.forward import Row
from modules.lm.known import KNOWN_MODELS, PackagedModel
from modules.lm.weights import assemble_gguf, find_weights
from modules.programs.instructions import SWITCHES, instruction
from modules.prompts import Demo, LabelWord, Layout, Prompt, answers, render
from modules.prompts.render import Rendered
from modules.tasks import TaskSpec, load_task
from modules.tasks.example import Task

ROUNDS = 5
# Examples a round: about ten seconds of each contestant.
N_ASKED = {"ours": 100, "dspy_loop": 3, "lm_eval_hf": 16, "llama": 32, "pipeline": 16}
N_REVIEWS = 8
N_INSTRUCTIONS = 16

Section = Callable[[LocalModel, Task, argparse.Namespace], Any]


def prompt_of(task: Task, n_demos: int) -> Prompt:
    """Give a plain prompt with the first train examples of each label as demos, in turn."""
    by_label = [[e for e in task.splits.train if e.label == label.name] for label in task.labels]
    rows = [example for group in zip(*by_label, strict=False) for example in group][:n_demos]
    names = [label.name for label in task.labels]
    return Prompt(
        layout=Layout(kind="text", input_lead="Review:", answer_lead="Sentiment:"),
        instruction=tuple(instruction(task, names, ("task",))),
        demos=tuple(Demo(text=row.inputs[task.input_field], label=row.label) for row in rows),
        words=tuple(LabelWord(label=name, word=name) for name in names),
        bias=(0.0,) * len(names),
    )


def versus(model: LocalModel, task: Task, options: argparse.Namespace) -> dict[str, Any]:
    """`choose` with a 4-demo prompt against the contestants, same prompts, labels and weights."""
    prompt = prompt_of(task, 4)
    texts = [example.inputs[task.input_field] for example in task.splits.dev]
    rendered = [render(prompt, text) for text in texts]
    pythons = {"ours": sys.executable, "dspy_loop": sys.executable, "pipeline": sys.executable}
    pythons |= {"lm_eval_hf": options.lm_eval_python, "llama": options.llama_python}
    known = KNOWN_MODELS[model.identity.name]
    assert isinstance(known, PackagedModel)
    with tempfile.TemporaryDirectory() as scratch, contextlib.ExitStack() as stack:
        gguf = Path(scratch) / "model.gguf"
        assemble_gguf(known, gguf)
        job = {
            "model": model.identity.name,
            "folder": str(find_weights(model.identity.name).folder),
            "gguf": str(gguf),
            "dtype": model.identity.dtype,
            "threads": torch.get_num_threads(),
            "texts": texts,
            "prompt": prompt.model_dump_json(),
            "prompts": [one.turns[-1].text + one.lead for one in rendered],
            "choices": list(answers(prompt)),
            "labels": [word.label for word in prompt.words],
            "demos": [[demo.text, demo.label] for demo in prompt.demos],
            "instructions": task.signature.instructions,
        }
        contestants = {
            name: stack.enter_context(Contestant(name, python, job, Path(scratch) / f"{name}.log"))
            for name, python in pythons.items()
            if python
        }
        asked = {name: range(N_ASKED[name]) for name in contestants}
        said = {name: one.answer(asked[name])[1] for name, one in contestants.items()}  # warm-up
        rates = interleaved(
            ROUNDS,
            {
                name: lambda name=name, one=one: len(asked[name]) / one.answer(asked[name])[0]  # type: ignore[misc]
                for name, one in contestants.items()
            },
        )
    return {
        name: {
            "examples_per_s": spread(rates[name]),
            "ours_times_faster": spread(
                [a / b for a, b in zip(rates["ours"], rates[name], strict=True)], 2
            ),
            "n_a_round": len(asked[name]),
            "n_without_a_label": sum(label == "" for label in said[name]),
            "same_label_as_ours": sum(
                a == b for a, b in zip(said[name], said["ours"], strict=False)
            ),
        }
        for name in contestants
    }


def limit(model: LocalModel, task: Task, options: argparse.Namespace) -> dict[str, Any]:
    """Prefill of 300-token inputs against the bare matrix products of the same layers."""
    network = model._forward.model
    layers = [
        module
        for name, module in network.named_modules()
        if isinstance(module, Linear) and module is not network.get_output_embeddings()  # type: ignore[no-untyped-call]
    ]
    rendered = [_sized(model, task, 300, n) for n in range(7)]
    rows = [Row(own=model.codec.encode(one).ids) for one in rendered]
    n_tokens = sum(len(row.own) for row in rows)
    n_flops = 2 * sum(layer.weight.numel() for layer in layers) * n_tokens
    inputs = {
        layer.in_features: torch.randn(n_tokens, layer.in_features, dtype=layer.weight.dtype)
        for layer in layers
    }

    @torch.inference_mode()
    def products() -> float:
        start = time.perf_counter()
        for layer in layers:
            layer(inputs[layer.in_features])
        return time.perf_counter() - start

    def prefill() -> float:
        model._forward.forget()
        start = time.perf_counter()
        for scored in model._forward.score(
            (), [Row(own=model.codec.encode(one).ids) for one in rendered]
        ):
            assert scored.hidden is not None
        return time.perf_counter() - start

    products(), prefill()
    seconds = interleaved(2 * ROUNDS, {"products": products, "prefill": prefill})
    return {
        "n_tokens": n_tokens,
        "gflop_per_s_of_products": spread([n_flops / s / 1e9 for s in seconds["products"]], 1),
        "prefill_tokens_per_s": spread([n_tokens / s for s in seconds["prefill"]], 1),
        "share_of_the_limit": spread(
            [a / b for a, b in zip(seconds["products"], seconds["prefill"], strict=True)]
        ),
        "where_the_rest_goes": _profile(prefill),
    }


def grid(model: LocalModel, task: Task, options: argparse.Namespace) -> list[dict[str, Any]]:
    """Tokens and examples per second of both operations, by input length and demos."""
    cells = []
    for n_tokens in (60, 300):
        for n_demos in (0, 4):
            rows = [_sized(model, task, n_tokens, n, n_demos) for n in range(900 // n_tokens)]
            words = answers(prompt_of(task, n_demos))
            asked = [
                GenerateRequest(prompt=row, sampling=Sampling(max_tokens=8), key=(n,))
                for n, row in enumerate(rows)
            ]

            def run_choose(rows: list[Rendered] = rows, words: Sequence[str] = words) -> float:
                return _timed(lambda: model.choose(rows, words))

            def run_generate(asked: list[GenerateRequest] = asked) -> float:
                return _timed(lambda: model.generate(asked))

            run_choose()
            n_new = sum(done.n_output_tokens for done in model.generate(asked))
            seconds = interleaved(ROUNDS, {"choose": run_choose, "generate": run_generate})
            own = sum(len(model.codec.encode(row).own) for row in rows)
            cells.append(
                {
                    "input_tokens": n_tokens,
                    "demos": n_demos,
                    "n": len(rows),
                    "choose_examples_per_s": spread([len(rows) / s for s in seconds["choose"]], 2),
                    "choose_tokens_per_s": spread([own / s for s in seconds["choose"]], 1),
                    "generate_examples_per_s": spread(
                        [len(rows) / s for s in seconds["generate"]], 2
                    ),
                    "generate_new_tokens_per_s": spread(
                        [n_new / s for s in seconds["generate"]], 1
                    ),
                }
            )
    return cells


def growth(model: LocalModel, task: Task, options: argparse.Namespace) -> dict[str, Any]:
    """How time grows with examples, demos and trials, and memory above the weights."""
    texts = [example.inputs[task.input_field] for example in task.splits.dev]

    def scored(n_demos: int, n: int) -> Callable[[], float]:
        prompt = prompt_of(task, n_demos)
        rendered = [render(prompt, text) for text in texts[:n]]
        return lambda: _timed(lambda: model.choose(rendered, answers(prompt)))

    def trials(n_trials: int) -> Callable[[], float]:
        return lambda: sum(scored(k % 4, 10)() for k in range(n_trials))

    base = _status("VmRSS")
    _reset_peak()
    seconds = interleaved(
        ROUNDS,
        {
            **{f"{n} examples, 4 demos": scored(4, n) for n in (20, 40, 80)},
            **{f"20 examples, {k} demos": scored(k, 20) for k in (0, 2, 8, 16)},
            **{f"{t} trials of 10 examples": trials(t) for t in (2, 4, 8)},
        },
    )
    return {
        "seconds": {name: spread(values, 2) for name, values in seconds.items()},
        "weights_mib": round(sum(p.nbytes for p in model._forward.model.parameters()) / 2**20),
        "peak_above_resident_mib": round((_status("VmHWM") - base) / 2**20),
    }


def instructions(model: LocalModel, task: Task, options: argparse.Namespace) -> dict[str, Any]:
    """Trying instructions behind full-length reviews: forward tokens with and without kept keys."""
    spec = TaskSpec(name="imdb", data_folder=options.imdb)
    imdb, _ = load_task(spec, 0)
    reviews = [example.inputs[imdb.input_field] for example in imdb.splits.dev[:N_REVIEWS]]
    subsets = [c for k in range(1, len(SWITCHES) + 1) for c in combinations(SWITCHES, k)]
    plain = prompt_of(imdb, 0)
    names = [label.name for label in imdb.labels]
    prompts = [
        plain.model_copy(
            update={
                "layout": plain.layout.model_copy(update={"instruction": "after"}),
                "instruction": tuple(instruction(imdb, names, chosen)),
            }
        )
        for chosen in subsets[:N_INSTRUCTIONS]
    ]
    forward = model._forward
    forward.forget()
    before, start = forward.n_run, time.perf_counter()
    asked = model.ledger.account.forward_tokens
    for prompt in prompts:
        model.choose([render(prompt, review) for review in reviews], answers(prompt))
    seconds = time.perf_counter() - start
    n_run = forward.n_run - before
    n_asked = model.ledger.account.forward_tokens - asked
    return {
        "reviews": len(reviews),
        "instructions": len(prompts),
        "tokens_asked_for": n_asked,
        "tokens_run": n_run,
        "times_fewer": round(n_asked / n_run, 2),
        "seconds": round(seconds, 1),
        "kept_mib": round(forward.keys.size / 2**20),
    }


SECTIONS: dict[str, Section] = {
    "versus": versus,
    "limit": limit,
    "grid": grid,
    "growth": growth,
    "instructions": instructions,
}


def _sized(model: LocalModel, task: Task, n_tokens: int, number: int, n_demos: int = 0) -> Rendered:
    """Give a prompt whose own part has `n_tokens` tokens, of dev texts joined and cut."""
    prompt = prompt_of(task, n_demos)
    texts = [example.inputs[task.input_field] for example in task.splits.dev]
    words = " ".join(texts[number:] + texts[:number]).split()
    low, high = 1, len(words)
    while low < high:  # the most words that fit
        middle = (low + high + 1) // 2
        whole = render(prompt, " ".join(words[:middle]))
        fits = len(model.codec.encode(whole).own) <= n_tokens
        low, high = (middle, high) if fits else (low, middle - 1)
    return render(prompt, " ".join(words[:low]))


def _timed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _profile(run: Callable[[], object]) -> dict[str, float]:
    """Give the share of a pass by kind of operation."""
    kinds = {
        "matrix products": ("aten::mm", "aten::addmm"),
        "attention": ("aten::_scaled_dot_product_flash_attention_for_cpu",),
    }
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
        run()
    total = sum(event.self_cpu_time_total for event in profile.key_averages())
    found = {
        kind: sum(e.self_cpu_time_total for e in profile.key_averages() if e.key in keys) / total
        for kind, keys in kinds.items()
    }
    found["everything else"] = 1 - sum(found.values())
    return {kind: round(share, 3) for kind, share in found.items()}


def _reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _status(name: str) -> int:
    """Give a size from the kernel's account of this process, in bytes."""
    line = next(
        line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name)
    )
    return int(line.split()[1]) * 1024


def _sections(
    model: LocalModel, task: Task, options: argparse.Namespace
) -> Iterator[tuple[str, Any]]:
    for name in options.sections:
        found = SECTIONS[name](model, task, options)
        print(name, found, flush=True)
        yield name, found


def main() -> None:
    """Run the sections and write the dated result."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="smollm2-135m")
    parser.add_argument("--dtype")
    parser.add_argument("--sections", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--lm-eval-python", help="an interpreter with lm-eval and torch")
    parser.add_argument("--llama-python", help="an interpreter with llama-cpp-python")
    parser.add_argument(
        "--imdb", type=Path, help="a folder with the reviews (section instructions)"
    )
    options = parser.parse_args()
    if options.imdb is None and "instructions" in options.sections:
        options.sections.remove("instructions")
    logging.disable(logging.WARNING)
    task, _ = load_task(TaskSpec(name="snippets"), 0)
    model = load_model(options.model, dtype=options.dtype)
    result = {
        "command": recorded("python", "-m", "benchmarks.speed", *sys.argv[1:]),
        "machine": machine(),
        "model": options.model,
        "dtype": model.identity.dtype,
        "rounds": ROUNDS,
        **dict(_sections(model, task, options)),
    }
    some = [] if set(options.sections) == set(SECTIONS) else options.sections
    print(save_result("-".join(["speed", options.model, *some]), result))


if __name__ == "__main__":
    main()
