"""How unreadable answers begin."""

from typing import Any

import pytest

from evaluate.analysis import invalid_beginnings
from tests.evaluate_tests.analysis.answers import answer, error, rows


def _unread(*texts: str | None, **changes: Any) -> list[dict[str, Any]]:
    return [
        answer(f"e{i}", None, text=text, **({"decoding": "generate"} | changes))
        for i, text in enumerate(texts)
    ]


def test_beginnings_are_counted_and_the_most_frequent_come_first() -> None:
    found = invalid_beginnings(
        rows(
            *_unread("I think so.", "The film is a mess", "The film is fine", "The  film\nis odd"),
            answer("e9", "positive", decoding="generate", text="Positive"),
            error("e8", decoding="generate"),
        )
    )
    assert found[["beginning", "n", "text"]].to_numpy().tolist() == [
        ["The film is", 3, "The film is a mess"],
        ["I think so.", 1, "I think so."],
    ]
    assert found[["n_rows", "n_invalid"]].to_numpy().tolist() == [[5, 4]] * 2


def test_at_most_k_and_equals_by_name() -> None:
    found = invalid_beginnings(rows(*_unread("c", "b", "a", "b")), k=2)
    assert found["beginning"].tolist() == ["b", "a"]
    assert found["n_invalid"].tolist() == [4, 4]


def test_configurations_stand_apart_in_order() -> None:
    records = [
        *_unread("x", temperature=0.8),
        *_unread("x", temperature=0.2),
        *_unread("x", prompt="frozen"),
        *_unread("x", model="a"),
        *_unread(None, decoding="choose", temperature=0.2),
    ]
    found = invalid_beginnings(rows(*records))
    assert found[
        ["model", "prompt", "decoding", "temperature", "beginning"]
    ].to_numpy().tolist() == [
        ["a", "naive", "generate", 0.0, "x"],
        ["tiny", "naive", "choose", 0.2, "-"],
        ["tiny", "naive", "generate", 0.2, "x"],
        ["tiny", "naive", "generate", 0.8, "x"],
        ["tiny", "frozen", "generate", 0.0, "x"],
    ]


def test_hostile_texts_are_cleaned_and_cut() -> None:
    found = invalid_beginnings(rows(*_unread("\x1b[31m\u202eab\r\n c", "y" * 70, " \t")))
    assert found["beginning"].tolist() == ["-", "[31mab c", "y" * 59 + "…"]
    assert found["text"].str.len().max() == 60


@pytest.mark.parametrize(("k", "n_words"), [(0, 1), (1, 0)])
def test_nothing_to_count_is_refused(k: int, n_words: int) -> None:
    with pytest.raises(ValueError, match="k and n_words must be at least 1"):
        invalid_beginnings(rows(), k=k, n_words=n_words)
