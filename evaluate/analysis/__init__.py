"""What the rows of an evaluation tell beyond an accuracy: pure functions, a frame in and out.

    from evaluate.analysis import by_length, confusion, missed_by_all

    one = rows[(rows.model == "tiny") & (rows.prompt == "frozen") & (rows.decoding == "choose")]
    confusion(one[one.temperature == 0], ["negative", "positive"])
    by_length(rows, examples)
    missed_by_all(rows, examples).missed.head()

`rows` are those of one task, as `evaluate.rows` gives them; `examples` has a line per test example
with example_id, gold, rating (float or NaN), n_words and text. Results do not depend on the order
of the rows, and empty rows give an empty frame with the same columns. Texts and names are as they
came, so they are untrusted: who shows them cleans them.
"""

from evaluate.analysis.confusion import confusion, errors_by_gold, invalid_column
from evaluate.analysis.disagreements import Disagreements, disagreements
from evaluate.analysis.flips import flips
from evaluate.analysis.invalid import invalid_beginnings
from evaluate.analysis.margins import margin_flips
from evaluate.analysis.misses import Misses, missed_by_all
from evaluate.analysis.selection import PROMPTS, prompt_place
from evaluate.analysis.slices import by_confidence, by_length, by_rating
from evaluate.analysis.transfer import transfer

__all__ = [
    "PROMPTS",
    "Disagreements",
    "Misses",
    "by_confidence",
    "by_length",
    "by_rating",
    "confusion",
    "disagreements",
    "errors_by_gold",
    "flips",
    "invalid_beginnings",
    "invalid_column",
    "margin_flips",
    "missed_by_all",
    "prompt_place",
    "transfer",
]
