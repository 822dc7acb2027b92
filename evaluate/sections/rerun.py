"""How to run it again: the command, the versions, the machine, the digests."""

from evaluate.facts import Facts
from evaluate.report import Code, Paragraph, Section, Table
from evaluate.sections.tables import table_of


def rerun_section(facts: Facts) -> Section:
    """Give what is needed to get the same rows again."""
    run = facts.evaluation.run
    versions = ", ".join(f"{name} {version}" for name, version in run.versions.items())
    return Section(
        title="Run it yourself",
        anchor="rerun",
        blocks=(
            Code(caption="The command that made this report", text=run.command),
            Paragraph(
                text=f"Made on {run.made} (UTC) on {run.machine}, with {versions}. The same "
                "command with the same weights, data, versions and kind of processor gives the "
                "same rows, byte for byte."
            ),
            _digests(facts),
        ),
    )


def _digests(facts: Facts) -> Table:
    """Give the digests that say whether two runs are of the same things."""
    run = facts.evaluation.run
    lines = [("labelled data", run.task.data_hash), ("test split", run.task.test_hash)]
    for one in run.models:
        lines.append((f"weights of {one.model.name}", one.model.digest))
        lines.append((f"frozen prompt {one.artifact}", one.artifact_id))
    return table_of("digests", "What it was made of, as sha256.", ("what", "sha256"), (), lines)
