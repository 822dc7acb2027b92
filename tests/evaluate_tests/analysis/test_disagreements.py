"""Where two models part, and who is right there."""

import pytest

from evaluate.analysis import disagreements
from tests.evaluate_tests.analysis.answers import answer, examples, rows

SAID = {
    # example: (a says, a's confidence, b says, b's confidence), the gold label is positive
    "e0": ("positive", 0.9, "positive", 0.9),
    "e1": ("positive", 0.9, "negative", 0.6),
    "e2": ("negative", 0.8, "positive", 0.7),
    "e3": ("negative", 0.9, "mixed", 0.65),
    "e4": (None, 0.5, "positive", 0.9),
    "e5": (None, 0.5, None, 0.5),
}


def test_differing_answers_and_who_is_right() -> None:
    records = [
        record
        for example_id, (a, p_a, b, p_b) in SAID.items()
        for record in (
            answer(example_id, a, model="a", confidence=p_a),
            answer(example_id, b, model="b", confidence=p_b),
            answer(example_id, "negative", model="b", prompt="other"),
        )
    ]
    records.append(answer("e6", "positive", model="a"))
    found = disagreements(rows(*records), examples(*SAID, "e6"), "a", "b", "naive")
    # The less confident of the two is the most confident in e2 (0.7), then e3, e1 and e4.
    assert found.differing["example_id"].tolist() == ["e2", "e3", "e1", "e4"]
    assert found[1:] == (6, 1, 2, 1)
    first = found.differing.iloc[0]
    assert (first["answer_a"], first["confidence_a"], first["correct_a"]) == (
        "negative",
        0.8,
        False,
    )
    assert (first["answer_b"], first["confidence_b"], first["correct_b"]) == ("positive", 0.7, True)
    assert (first["gold"], first["text"]) == ("positive", "text of e2")


def test_swapping_the_models_swaps_the_counts() -> None:
    both = rows(*(answer("e1", said, model=model) for said, model in (("positive", "a"),)))
    assert disagreements(both, examples("e1"), "a", "b", "naive").n_examples == 0
    both = rows(answer("e1", "positive", model="a"), answer("e1", "negative", model="b"))
    assert disagreements(both, examples("e1"), "a", "b", "naive")[1:] == (1, 1, 0, 0)
    assert disagreements(both, examples("e1"), "b", "a", "naive")[1:] == (1, 0, 1, 0)


def test_one_model_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="two models, not a twice"):
        disagreements(rows(), examples(), "a", "a", "naive")
