"""The ladder: the prompts of a comparison, from what somebody writes first to what was frozen.

| name                | the prompt                                                              |
|---------------------|-------------------------------------------------------------------------|
| naive               | zero-shot: the signature's own instruction                              |
| instructed          | zero-shot: role, task, label definitions, guidance and form             |
| few-shot            | the same with two short examples of every label                         |
| chain-of-thought    | the same without examples; the model writes a reason before it answers  |
| frozen              | what the search found for this model                                    |
| frozen for MODEL    | what the search found for another one                                   |

Demos come from the train split. Only the frozen prompts were searched; one of them may be an
ensemble.
"""

from collections.abc import Callable, Mapping, Sequence

from evaluate.analysis.selection import FROZEN_FOR, PROMPTS
from evaluate.draws import Entry
from modules.errors import UserError
from modules.programs.demos import demo_set
from modules.programs.instructions import SWITCHES, instruction
from modules.programs.naive import lead, naive_prompt
from modules.prompts import Demo, LabelWord, Layout, Part, Prompt
from modules.tasks.example import Task

NAMES = (*PROMPTS, "transferred")

_DEMOS_PER_LABEL = 2


def ladder(
    task: Task,
    wanted: Sequence[str],
    *,
    is_chat: bool,
    seed: int,
    frozen: Sequence[Prompt],
    others: Mapping[str, Sequence[Prompt]],
) -> tuple[Entry, ...]:
    """Give the entries that are wanted, in the order of `NAMES`.

    Args:
        task: its labels, fields and train split.
        wanted: some of `NAMES`; `transferred` stands for the prompts of all other models.
        is_chat: whether the model has a chat template; without one there are no chat prompts.
        seed: of the demos.
        frozen: the prompt, or the prompts of the ensemble, that was found for this model.
        others: model to the same, for other models; what this one cannot read is left out.

    Raises:
        UserError: an unknown name.
    """
    unknown = sorted(set(wanted) - set(NAMES))
    if unknown:
        raise UserError(f"prompts are {', '.join(NAMES)}; got {', '.join(unknown)}")
    made: dict[str, Callable[[], Prompt]] = {
        "naive": lambda: naive_prompt(task, is_chat=is_chat),
        "instructed": lambda: _instructed(task, is_chat=is_chat),
        "few-shot": lambda: _instructed(task, is_chat=is_chat, demos=_demos(task, seed)),
        "chain-of-thought": lambda: _instructed(task, is_chat=is_chat, form=_REASON_FORM),
    }
    entries = [
        Entry(name=name, prompt=make(), thinks=name == "chain-of-thought")
        for name, make in made.items()
        if name in wanted
    ]
    if "frozen" in wanted:
        entries.append(_entry("frozen", frozen))
    if "transferred" in wanted:
        entries += [
            _entry(FROZEN_FOR + model, prompts)
            for model, prompts in others.items()
            if can_read(prompts, is_chat=is_chat)
        ]
    return tuple(entries)


def can_read(prompts: Sequence[Prompt], *, is_chat: bool) -> bool:
    """Say whether a model can read all of some prompts: chat needs a chat template."""
    return is_chat or all(prompt.layout.kind == "text" for prompt in prompts)


def _entry(name: str, prompts: Sequence[Prompt]) -> Entry:
    first, *members = prompts
    return Entry(name=name, prompt=first, members=tuple(members))


_REASON_FORM = "First give your reason in one sentence, then answer with one word: {either}."


def _instructed(
    task: Task, *, is_chat: bool, demos: tuple[Demo, ...] = (), form: str | None = None
) -> Prompt:
    """Give a prompt with every part of an instruction, and the labels' own names as words."""
    words = tuple(" ".join(name.split()) for name in task.label_names)
    parts = instruction(task, words, SWITCHES)
    if form is not None:
        text = form.format(either=f"{', '.join(words[:-1])} or {words[-1]}")
        parts = (*(p for p in parts if p.role != "form"), Part(role="form", text=text))
    return Prompt(
        layout=Layout(
            kind="chat" if is_chat else "text",
            input_lead=lead(task.input_field),
            answer_lead=lead(task.output_field),
        ),
        instruction=parts,
        demos=demos,
        words=tuple(
            LabelWord(label=name, word=word)
            for name, word in zip(task.label_names, words, strict=True)
        ),
        bias=(0.0,) * len(words),
    )


def _demos(task: Task, seed: int) -> tuple[Demo, ...]:
    """Give short demos, as somebody would pick who writes a few-shot prompt by hand."""
    return demo_set(task, "short", 0, _DEMOS_PER_LABEL * len(task.labels), seed)
