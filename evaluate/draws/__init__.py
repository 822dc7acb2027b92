"""Draws: what a prompt answers on held-out examples, as records for `evaluate.rows`.

    entry = Entry(name="naive", prompt=naive_prompt(task, is_chat=False))
    plan = Plan(temperatures=(0.2, 0.8), seeds=(0,), max_tokens=16)
    rows = frame(choose_records(model, task, entry, examples, plan))
    rows = frame(generate_records(model, task, entry, examples, plan))
    rows = frame(thinking_records(model, task, entry, examples, plan))

What a row gets depends on its example, prompt, temperature and seed alone, so examples may be
answered in blocks of any size.
"""

from evaluate.draws.choosing import choose_records
from evaluate.draws.entry import Cell, Entry, Plan, Record
from evaluate.draws.thinking import thinking_records
from evaluate.draws.writing import generate_records

__all__ = [
    "Cell",
    "Entry",
    "Plan",
    "Record",
    "choose_records",
    "generate_records",
    "thinking_records",
]
