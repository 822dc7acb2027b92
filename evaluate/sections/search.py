"""How the frozen prompts were found, and how much of what they promised is left on test."""

from collections.abc import Sequence

from evaluate.facts import Facts
from evaluate.findings import shrinkage
from evaluate.prompt_words import described
from evaluate.report import Block, Code, Paragraph, Section, Table
from evaluate.run_record import ModelRun, PromptRecord
from evaluate.sections.pictures import shrinkage_figure
from evaluate.sections.tables import table_of
from evaluate.table import clean, percent


def search_section(facts: Facts) -> Section:
    """Give each model's search in words, its prompt, and the shrinkage from dev to test."""
    blocks: list[Block] = []
    for run in facts.evaluation.run.models:
        blocks += _search(run)
    blocks += [shrinkage_figure(facts), shrinkage_table(facts)]
    return Section(title="How the prompts were found", anchor="search", blocks=tuple(blocks))


def _search(run: ModelRun) -> list[Block]:
    """Say how one model's prompt was found, and show it."""
    search, name = run.search, clean(run.model.name)
    spent = search.spent.get("forward_tokens")
    cost = "" if spent is None else f" with {spent:,} forward tokens"
    frozen = next((prompt for prompt in run.prompts if prompt.name == "frozen"), None)
    blocks: list[Block] = [
        Paragraph(
            text=f"{name}: {search.optimizer} tried {search.n_trials:,} prompts{cost}, stopped "
            f"{search.n_pruned:,} of them early, and scored the {search.n_finalists:,} best again "
            f"on confirm, which the search had not seen; {_chosen(frozen)}. The test split stayed "
            "sealed until then."
        )
    ]
    if frozen is not None:
        blocks.append(Paragraph(text=f"What was found: {described(frozen.prompts)}."))
        blocks += _texts(name, frozen.texts)
    return blocks


def _chosen(frozen: PromptRecord | None) -> str:
    if frozen is None or not frozen.members:
        return "the one that told most about the labels was frozen"
    return f"{len(frozen.prompts)} of them were frozen together, as an ensemble"


def _texts(name: str, texts: Sequence[str]) -> list[Block]:
    if len(texts) == 1:
        return [Code(caption=f"The frozen prompt as {name} reads it", text=texts[0])]
    return [
        Code(caption=f"Prompt {n} of {len(texts)} of the ensemble as {name} reads it", text=text)
        for n, text in enumerate(texts, start=1)
    ]


def shrinkage_table(facts: Facts) -> Table:
    """Give each frozen prompt's accuracy on dev, confirm and test."""
    rows = []
    for run in facts.evaluation.run.models:
        line = facts.frozen_line(run.model.name)
        if line is None:
            continue
        cells = []
        for split in ("dev", "confirm"):
            score = run.scores[split]
            cells += [
                f"{percent(score.accuracy)} (n = {score.n:,})",
                shrinkage(run, line, split),
            ]
        rows.append((run.model.name, *cells, f"{percent(line.accuracy)} (n = {line.n_examples:,})"))
    return table_of(
        "shrinkage",
        "Accuracy of the frozen prompts at temperature 0 on the splits, and test less each of "
        "them with 95 % intervals for independent samples (Newcombe). Dev chose the finalists, and "
        "confirm had a part in choosing the winner, so both are expected to flatter.",
        ("model",),
        ("dev %", "test less dev, points", "confirm %", "test less confirm, points", "test %"),
        rows,
    )
