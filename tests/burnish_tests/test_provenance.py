"""What is said of where a prompt is from."""

import pytest

from burnish.provenance import search_facts
from modules.prompts.records import SearchRecord


@pytest.mark.parametrize(
    ("optimizer", "n_finalists", "n_prompts", "said"),
    [
        ("optuna", 3, 1, "the 3 best were scored on confirm; this one told most about the labels"),
        ("mipro", 3, 1, "the 3 best were scored on confirm; this one was right most often"),
        ("optuna", 1, 1, "the best was scored on confirm; this one told most about the labels"),
        ("optuna", 5, 5, "the 5 best were scored on confirm; 5 of them answer together"),
    ],
)
def test_the_choice_among_the_finalists_is_the_optimizers_own(
    optimizer: str, n_finalists: int, n_prompts: int, said: str
) -> None:
    """Our search freezes what has the smallest log-loss, DSPy's what is right most often."""
    search = SearchRecord(
        optimizer=optimizer,
        seed=0,
        budget_tokens=1_000,
        spent={"forward_tokens": 900, "n_prompts": 30},
        n_trials=9,
        n_pruned=2,
        n_finalists=n_finalists,
    )

    assert dict(search_facts(search, n_prompts))["finalists"] == said
