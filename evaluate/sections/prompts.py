"""Every prompt of the comparison, word for word as the models read it."""

from evaluate.facts import Facts
from evaluate.prompt_words import described
from evaluate.report import Block, Code, Paragraph, Section
from evaluate.run_record import PromptRecord
from evaluate.table import clean


def _caption(prompt: PromptRecord, n: int) -> str:
    if not prompt.members:
        return described(prompt.prompts)
    return f"prompt {n + 1} of {len(prompt.prompts)} of the ensemble"


def prompts_section(facts: Facts) -> Section:
    """Give the prompts but the frozen ones, which stand with their search."""
    blocks: list[Block] = [
        Paragraph(
            text="The prompts as the models read them, chat marks included, with the input's "
            "place in braces; each model's own frozen prompt stands with its search above. A "
            "prompt with reasons is shown up to where the reason begins."
        )
    ]
    for run in facts.evaluation.run.models:
        for prompt in run.prompts:
            if prompt.name != "frozen":
                caption = f"{clean(run.model.name)}, {clean(prompt.name)}: "
                if prompt.members:
                    blocks.append(Paragraph(text=f"{caption}{described(prompt.prompts)}."))
                blocks += [
                    Code(caption=caption + _caption(prompt, n), text=text)
                    for n, text in enumerate(prompt.texts)
                ]
    return Section(title="The prompts, word for word", anchor="prompts", blocks=tuple(blocks))
