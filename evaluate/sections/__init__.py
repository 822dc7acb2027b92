"""The sections of the report, one file each: from the facts of an evaluation to blocks.

    from evaluate.facts import Facts
    from evaluate.sections import SECTIONS

    sections = [make(Facts(evaluation)) for make in SECTIONS]

A section says what its numbers mean in the captions; the key findings are `evaluate.findings`'s.
A section without anything to say gives None.
"""

from evaluate.sections.accuracy import accuracy_section
from evaluate.sections.confidence import confidence_section
from evaluate.sections.cost import cost_section
from evaluate.sections.errors import errors_section
from evaluate.sections.method import method_section
from evaluate.sections.prompts import prompts_section
from evaluate.sections.rerun import rerun_section
from evaluate.sections.search import search_section
from evaluate.sections.temperature import temperature_section
from evaluate.sections.transfer import transfer_section
from evaluate.sections.written import written_section

SECTIONS = (
    accuracy_section,
    temperature_section,
    search_section,
    transfer_section,
    confidence_section,
    errors_section,
    written_section,
    cost_section,
    method_section,
    prompts_section,
    rerun_section,
)

__all__ = ["SECTIONS"]
