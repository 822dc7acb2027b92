"""Thinking: the model writes a reason first, and then answers, by choice and by text.

Zero-shot chain of thought in its two stages (Kojima et al. 2022, "Large Language Models are
Zero-Shot Reasoners", section 3): a pass that draws the reason, and a pass that draws the answer
behind it. Both decodings of a cell answer behind the same reason.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from evaluate.draws.choosing import choice_record, score
from evaluate.draws.entry import Cell, Entry, Plan, Progress, Record, too_long
from evaluate.draws.writing import written, written_record
from modules.lm import Completion, LocalModel
from modules.prompts import Prompt, Rendered, render
from modules.tasks.example import Example, Task

REASON_LEAD = "Reasoning:"


class _Thought(NamedTuple):
    """A reason that was drawn for an example in a cell, and the prompt that goes on behind it."""

    cell: Cell
    example: Example
    reason: Completion
    rendered: Rendered


def thinking_records(
    model: LocalModel,
    task: Task,
    entry: Entry,
    examples: Sequence[Example],
    plan: Plan,
    progress: Progress | None = None,
) -> Iterator[Record]:
    """Draw a reason for every example, temperature and seed, and both decodings' answers behind it.

    The reason and the label are drawn at the row's temperature; at 0 both are the most probable.
    In `generate`, `text` is the reason, a line break and the answer. The tokens written count
    both; the tokens read are those of the second pass. `progress` is told of every reason.
    """
    texts = [example.inputs[task.input_field] for example in examples]
    first = [before_reason(entry.prompt, text) for text in texts]
    asked = [(cell, number) for cell in plan.choosing for number in range(len(examples))]
    reasons = written(
        model,
        [first[number] for _, number in asked],
        [cell for cell, _ in asked],
        [("reason", cell[1], examples[number].id, cell[0]) for cell, number in asked],
        plan.max_reason_tokens,
        progress,
    )
    thoughts = []
    for (cell, number), reason in zip(asked, reasons, strict=True):
        if reason is None:
            yield too_long(model, task, entry, examples[number], "choose", cell)
            if cell in plan.writing:
                yield too_long(model, task, entry, examples[number], "generate", cell)
            continue
        rendered = behind_reason(entry.prompt, texts[number], reason.text)
        thoughts.append(_Thought(cell, examples[number], reason, rendered))
    yield from _choices(model, task, entry, thoughts)
    yield from _texts(
        model, task, entry, [t for t in thoughts if t.cell in plan.writing], plan.max_tokens
    )


def before_reason(prompt: Prompt, text: str) -> Rendered:
    """Render a prompt and an input up to the lead of the reason.

    The reason ends with its line in plain text, with its paragraph or the turn in chat.
    """
    rendered = render(prompt, text)
    stops = ("\n\n",) if rendered.is_chat else ("\n",)
    return replace(rendered, lead=REASON_LEAD, answer_start=" ", stops=stops)


def behind_reason(prompt: Prompt, text: str, reason: str) -> Rendered:
    """Render a prompt, an input and a reason up to the lead of the answer.

    White space in the reason becomes single spaces, so that it stays a line. In plain text the
    input's keys are worth keeping, for many reasons stand behind one input.
    """
    rendered = render(prompt, text)
    line = f"{REASON_LEAD} {' '.join(reason.split())}".rstrip() + "\n"
    if rendered.is_chat:
        return replace(rendered, lead=line + rendered.lead)
    last = rendered.turns[-1]
    return replace(
        rendered,
        turns=(*rendered.turns[:-1], replace(last, text=last.text + line)),
        n_kept_chars=len(last.text),
    )


def _choices(
    model: LocalModel, task: Task, entry: Entry, thoughts: Sequence[_Thought]
) -> Iterator[Record]:
    """Give the records of `choose` behind the reasons."""
    scored = score(model, entry.prompts, [[thought.rendered for thought in thoughts]])
    for thought, scores in zip(thoughts, scored, strict=True):
        made = choice_record(model, task, entry, thought.example, thought.cell, scores)
        yield _counted(made, thought.reason)


def _texts(
    model: LocalModel, task: Task, entry: Entry, thoughts: Sequence[_Thought], max_tokens: int
) -> Iterator[Record]:
    """Give the records of `generate` behind the reasons."""
    done = written(
        model,
        [thought.rendered for thought in thoughts],
        [thought.cell for thought in thoughts],
        [("generate", t.cell[1], t.example.id, t.cell[0]) for t in thoughts],
        max_tokens,
    )
    for thought, completion in zip(thoughts, done, strict=True):
        made = written_record(model, task, entry, thought.example, thought.cell, completion)
        text = None if completion is None else f"{thought.reason.text}\n{completion.text}"
        yield _counted(made, thought.reason) | {"text": text}


def _counted(made: Record, reason: Completion) -> Record:
    """Count the reason's tokens among those written, unless there is no answer behind it."""
    if made["outcome"] == "lm_error":
        return made
    return made | {"n_output_tokens": made["n_output_tokens"] + reason.n_output_tokens}
