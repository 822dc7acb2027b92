"""The report of a finished evaluation: what to take away, then the sections."""

from evaluate.facts import Facts
from evaluate.findings import findings
from evaluate.report import Block, Bullets, Note, Paragraph, Report
from evaluate.sections import SECTIONS
from evaluate.table import clean
from evaluate.words import counted, listed


def build_report(facts: Facts) -> Report:
    """Put the report together: what to take away, then the sections."""
    run = facts.evaluation.run
    models = listed([clean(model) for model in facts.models])
    lead: list[Block] = [
        Paragraph(
            text=f"{models} on {counted(run.sample.n, f'held-out {run.task.noun}')}, "
            f"{counted(len(facts.prompts), 'prompt')}, {run.made}. Every sentence below is made "
            "from the numbers of this run, and says only what its interval supports."
        ),
        *(Note(text=alarm, kind="alarm") for alarm in facts.alarms),
        Bullets(items=tuple(findings(facts))),
    ]
    sections = [made for make in SECTIONS if (made := make(facts)) is not None]
    return Report(
        title=f"{clean(run.task.name)}: {models}", lead=tuple(lead), sections=tuple(sections)
    )
