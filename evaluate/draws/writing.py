"""Writing: the model writes its answer as text, which is parsed; what names no label is invalid."""

from collections.abc import Iterator, Sequence

from evaluate.draws.entry import Cell, Entry, Plan, Progress, Record, record, too_long
from modules.lm import Completion, GenerateRequest, LocalModel, Sampling
from modules.prompts import Rendered, parse_answer, render
from modules.tasks.example import Example, Task


def generate_records(
    model: LocalModel,
    task: Task,
    entry: Entry,
    examples: Sequence[Example],
    plan: Plan,
    progress: Progress | None = None,
) -> Iterator[Record]:
    """Write an answer for every example, temperature and seed, and parse it.

    A text that names no label, or several, is invalid: an outcome of its own, not a guess. Of an
    ensemble the first prompt alone writes: texts have no mean. An example that is too long for the
    model is an `lm_error`. `progress` is told of every answer.
    """
    prompts = [render(entry.prompt, example.inputs[task.input_field]) for example in examples]
    asked = [(cell, number) for cell in plan.writing for number in range(len(examples))]
    done = written(
        model,
        [prompts[number] for _, number in asked],
        [cell for cell, _ in asked],
        [("generate", cell[1], examples[number].id, cell[0]) for cell, number in asked],
        plan.max_tokens,
        progress,
    )
    for (cell, number), completion in zip(asked, done, strict=True):
        yield written_record(model, task, entry, examples[number], cell, completion)


def written(
    model: LocalModel,
    prompts: Sequence[Rendered],
    cells: Sequence[Cell],
    keys: Sequence[tuple[object, ...]],
    max_tokens: int,
    progress: Progress | None = None,
) -> list[Completion | None]:
    """Write a completion of at most `max_tokens` for each prompt; None where it does not fit.

    Args:
        model: the model.
        prompts: n rendered prompts.
        cells: the (temperature, seed) of each.
        keys: what seeds each one's random stream.
        max_tokens: the longest completion.
        progress: called with numbers that add up to n.
    """
    fits = {prompt: model.fits(prompt, n_new=max_tokens) for prompt in set(prompts)}
    fitting = [n for n, prompt in enumerate(prompts) if fits[prompt]]
    if progress is not None:
        progress(len(prompts) - len(fitting))
    requests = [
        GenerateRequest(
            prompt=prompts[n],
            sampling=Sampling(temperature=cells[n][0], max_tokens=max_tokens),
            key=keys[n],
        )
        for n in fitting
    ]
    done = dict(zip(fitting, model.generate(requests, progress), strict=True))
    return [done.get(n) for n in range(len(prompts))]


def written_record(
    model: LocalModel,
    task: Task,
    entry: Entry,
    example: Example,
    cell: Cell,
    completion: Completion | None,
) -> Record:
    """Give the record of a written answer, or of a prompt that was too long."""
    if completion is None:
        return too_long(model, task, entry, example, "generate", cell)
    answer = parse_answer(entry.prompt, completion.text)
    return record(model, task, entry, example, "generate", cell) | {
        "answer": answer,
        "outcome": "invalid" if answer is None else "ok",
        "correct": answer == example.label,
        "text": completion.text,
        "n_input_tokens": completion.n_input_tokens,
        "n_output_tokens": completion.n_output_tokens,
    }
