"""The words of evidence: what the model is likely to say where an answer begins.

They are the model's, not the data's: each plain layout is read once with "N/A" in place of an
input (Zhao et al. 2021, "Calibrate Before Use"). Which words they are matters little, as long as
there are many: as many that are drawn blindly give 1.2 points less with SmolLM2-135M, and as much
with Gemma-3-270M (`benchmarks.evidence`).
"""

from modules.lm import LocalModel
from modules.prompts import Rendered, render
from optimize.space.space import Space
from optimize.space.vocabulary import likely_words, mean_probability

N_WORDS = 256
_MAX_WEIGHTS = 8_000
_NOTHING = "N/A"


def n_words(n_labels: int, n_prompts: int) -> int:
    """Give how many words are weighed: fewer for many labels or prompts, as one file holds all."""
    return max(1, min(N_WORDS, _MAX_WEIGHTS // ((n_labels - 1) * n_prompts)))


def likely_answers(model: LocalModel, space: Space, n: int = N_WORDS) -> tuple[str, ...]:
    """Give at most n clean words that may begin an answer, the likeliest by token id.

    Raises:
        BudgetExceeded: the ledger refuses.
    """
    asked = openings(space)
    mass = mean_probability(model.look(asked))
    anchors = [model.codec.encode(rendered).anchor for rendered in asked]
    return tuple(likely_words(model, mass, anchors, n).values())


def openings(space: Space) -> list[Rendered]:
    """Give the plain-text layouts without instruction or demos, and with nothing to read."""
    plain = {**space.starting_points()[0], "n_demos": 0, "part_task": "off"}
    names = [name for name, form in space.forms.items() if form.kind == "text"]
    return [render(space.prompt({**plain, "layout": name}), _NOTHING) for name in names]
