"""Whether a prompt that was frozen for one model is any good for another."""

from evaluate.facts import Facts
from evaluate.lines import lines_of
from evaluate.report import Block, Note, Paragraph, Section, Table
from evaluate.sections.pictures import transfer_figure
from evaluate.sections.tables import table_of
from evaluate.table import clean, percent
from evaluate.words import listed


def transfer_section(facts: Facts) -> Section | None:
    """Give every model under every frozen prompt; None where no prompt was carried over."""
    cells = facts.transfer
    runs = facts.evaluation.run.models
    unread = [(run.model.name, name) for run in runs for name in run.unread]
    carried = cells[~cells["is_reference"] & (cells["model"] != cells["owner"])]
    if len(carried) == 0 and not unread:
        return None
    blocks: list[Block] = [
        Paragraph(
            text="Each model's frozen prompt on every other model, at temperature 0 in choose. The "
            "calibration travels with the prompt, though it was fitted to its own model."
        ),
        transfer_figure(facts),
        transfer_table(facts),
    ]
    if unread:
        told = [f"{clean(model)} cannot read the one of {clean(name)}" for model, name in unread]
        blocks.append(
            Note(text=f"{listed(told)}: it is laid out as chat, and the model has no template.")
        )
    return Section(title="One prompt, another model", anchor="transfer", blocks=tuple(blocks))


def transfer_table(facts: Facts) -> Table:
    """Give the accuracy in every cell of the matrix, with the naive prompt beside it."""
    return table_of(
        "transfer",
        "Accuracy at temperature 0 by the model that answers and the model that the prompt was "
        "frozen for, with 95 % Wilson intervals.",
        ("model", "prompt of"),
        ("n", "accuracy %", "95 % interval"),
        (
            (
                cell.model,
                "nobody: the naive prompt" if cell.is_reference else cell.owner,
                f"{cell.n:,}",
                percent(cell.accuracy),
                f"{percent(cell.low)} to {percent(cell.high)}",
            )
            for cell in lines_of(facts.transfer)
        ),
    )
