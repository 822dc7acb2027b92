"""The words of evidence: which they are, what they cost, and how many."""

import numpy as np
import pytest

from modules.lm import BudgetExceeded, Ledger, LocalModel
from modules.tasks.example import Task
from optimize.config import Budget
from optimize.space.evidence import N_WORDS, likely_answers, n_words, openings
from optimize.space.preparation import EVIDENCE_SHARE, prepare
from optimize.space.space import build_space
from optimize.space.vocabulary import is_clean_word


def test_they_are_the_likeliest_clean_words(task: Task, model: LocalModel) -> None:
    """A slow reference: the mean over the layouts of each token's probability."""
    model.ledger = Ledger()
    space = build_space(task, 0, has_chat=False)
    asked = openings(space)
    assert len(asked) == len(space.forms)
    mass = np.exp(np.stack([np.concatenate([*model.look([one]).vocabulary()])[0] for one in asked]))
    decode = model.codec._tokenizer.decode
    spoken = [decode([token]) for token in np.argsort(-mass.mean(axis=0))]
    clean = [text[1:] for text in spoken if text[0] == " " and is_clean_word(text[1:])]
    for n in (1, 5, N_WORDS):
        found = likely_answers(model, space, n)
        assert set(found) == set(clean[:n])
        assert len(found) == len(set(found))


def test_they_are_charged_and_a_small_budget_does_without(task: Task, model: LocalModel) -> None:
    space = build_space(task, 0, has_chat=False)
    most = sum(map(model.count_tokens, openings(space)))
    little, enough = Budget(tokens=EVIDENCE_SHARE * most - 1), Budget(tokens=EVIDENCE_SHARE * most)
    assert prepare(model, task, 0, little, n_words=9).space.evidence == ()
    assert prepare(model, task, 0, enough, n_words=0).space.evidence == ()
    prepared = prepare(model, task, 0, enough, n_words=9)
    assert len(prepared.space.evidence) == 9
    model.ledger = Ledger()
    model.look(openings(space))
    cost = model.ledger.account.forward_tokens
    assert (prepared.cost.tokens, prepared.cost.calls) == (cost, len(space.forms))
    assert cost <= most
    few_calls = Budget(tokens=EVIDENCE_SHARE * most, calls=EVIDENCE_SHARE * len(space.forms) - 1)
    assert prepare(model, task, 0, few_calls, n_words=9).space.evidence == ()
    model.ledger = Ledger(cost - 1)
    with pytest.raises(BudgetExceeded):
        likely_answers(model, space)
    model.ledger = Ledger()


@pytest.mark.parametrize(
    ("n_labels", "n_prompts", "expected"),
    [(2, 1, 256), (6, 1, 256), (26, 1, 256), (50, 1, 163), (2, 16, 256), (6, 16, 100)],
)
def test_a_file_holds_all_weights(n_labels: int, n_prompts: int, expected: int) -> None:
    """A file has at most 20,000 values, and each weight is a key and a number."""
    assert n_words(n_labels, n_prompts) == expected
    assert 2 * expected * (n_labels - 1) * n_prompts < 16_500
