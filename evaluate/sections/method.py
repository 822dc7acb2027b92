"""What was compared with what, on which examples, and how they were chosen."""

from evaluate.analysis.selection import FROZEN_FOR
from evaluate.facts import Facts
from evaluate.report import Block, Bullets, Paragraph, Section, Table
from evaluate.sections.tables import table_of
from evaluate.table import clean, percent
from evaluate.words import counted, listed

_LADDER = (
    ("naive", "zero-shot, the signature's own instruction"),
    ("instructed", "zero-shot with role, task, label definitions, guidance and answer form"),
    ("few-shot", "the instructed prompt with two short train examples of every label"),
    (
        "chain-of-thought",
        "the instructed prompt; the model writes a reason first and answers behind it (Kojima et "
        "al. 2022); asked only for the examples that are answered in writing",
    ),
    ("frozen", "what the search found for this model"),
    ("frozen for …", "what the search found for another model"),
)


def method_section(facts: Facts) -> Section:
    """Give the task, the sample beside the whole, the models, the prompts and the draws."""
    return Section(
        title="How it was measured",
        anchor="method",
        blocks=(
            *_task(facts),
            *_sample(facts),
            model_table(facts),
            *_prompts(facts),
            *_draws(facts),
            _baselines(),
        ),
    )


def _task(facts: Facts) -> list[Block]:
    task = facts.evaluation.run.task
    meanings = [
        f"{clean(label.name)}: {clean(label.meaning)}" if label.meaning else clean(label.name)
        for label in task.labels
    ]
    return [
        Paragraph(
            text=f"The task {clean(task.name)} gives each {clean(task.noun)} one of "
            f"{counted(len(task.labels), 'label')}. {'; '.join(meanings)}."
        ),
        Bullets(items=task.splits),
    ]


def _sample(facts: Facts) -> list[Block]:
    sample = facts.evaluation.run.sample
    return [
        Paragraph(
            text="The test split is sealed while prompts are searched. Before it was opened, "
            "nothing that the search had seen was found in it, word for word or nearly so. Of it "
            f"{sample.n:,} examples were taken:"
        ),
        Bullets(items=sample.lines),
        strata_table(facts),
    ]


def strata_table(facts: Facts) -> Table:
    """Give the strata of the sample beside those of the whole test split."""
    sample = facts.evaluation.run.sample
    return table_of(
        "strata",
        "The sample beside the whole test split, by label and length in words.",
        ("label", "words"),
        ("sample", "whole", "sample %", "whole %"),
        (
            (
                one.label,
                one.words,
                f"{one.n_sample:,}",
                f"{one.n_whole:,}",
                percent(one.n_sample / sample.n),
                percent(one.n_whole / sample.n_whole),
            )
            for one in sample.strata
        ),
    )


def model_table(facts: Facts) -> Table:
    """Give the models and what they ran as."""
    return table_of(
        "models",
        "The models. The digest is that of the weights; dspy says for how many answers to the "
        "first examples, one from each frozen prompt, dspy.Predict gave the same label, and the "
        "same bits, as the batch.",
        ("model", "source", "revision", "digest", "dtype", "processor", "dspy"),
        (),
        (
            (
                run.model.name,
                run.model.source,
                run.model.revision,
                run.model.digest[:12],
                run.model.dtype,
                run.model.processor or "-",
                f"{run.parity.n_same_label} and {run.parity.n_same_bits} of {run.parity.n}",
            )
            for run in facts.evaluation.run.models
        ),
    )


def _prompts(facts: Facts) -> list[Block]:
    there = set(facts.prompts)
    carried = any(name.startswith(FROZEN_FOR) for name in there)
    rungs = [
        f"{name}: {what}"
        for name, what in _LADDER
        if name in there or (name == "frozen for …" and carried)
    ]
    return [
        Paragraph(text="The prompts, from what is written first to what was searched:"),
        Bullets(items=tuple(rungs)),
    ]


def _draws(facts: Facts) -> list[Block]:
    plan = facts.evaluation.run.plan
    temperatures = listed([f"{t:g}" for t in plan.temperatures]) if plan.temperatures else "none"
    return [
        Paragraph(
            text=f"Draws: temperatures {temperatures}, beside 0 in choose; "
            f"{counted(len(plan.seeds), 'seed')} ({listed([str(s) for s in plan.seeds])}). Every "
            "draw has its own random stream, seeded from the seed, the example and the "
            "temperature, so neither batches nor their order can change it. Written answers have "
            f"at most {plan.max_tokens} tokens, reasons at most {plan.max_reason_tokens}."
        )
    ]


def _baselines() -> Paragraph:
    return Paragraph(
        text="Baselines: the majority class of the labelled examples; the VADER lexicon, where "
        "the labels are negative and positive; and a linear model over TF-IDF of words and word "
        "pairs, once trained on exactly the labelled examples that the search saw, and once on "
        "every labelled example outside the test split."
    )
