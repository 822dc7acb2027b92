"""Label words from meanings and lists; names, opposites and letters are tested with the space."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from optimize.space.label_words import label_words

SIX = {
    "HUM": "the question asks about people",
    "LOC": "the question asks about places, such as cities",
    "NUM": "the question asks about numbers",
    "ENTY": "the question asks about things like animals",
    "DESC": "the question asks about reasons",
    "ABBR": "the question asks about abbreviations",
}


def test_six_labels_have_letters_numbers_and_meanings() -> None:
    found = label_words(tuple(SIX), tuple(SIX.values()))
    assert found == {
        "names": tuple(SIX),
        "letters": ("A", "B", "C", "D", "E", "F"),
        "numbers": ("1", "2", "3", "4", "5", "6"),
        "meanings": ("people", "places", "numbers", "animals", "reasons", "abbreviations"),
    }


def test_sentiment_has_meanings_behind_its_opposites() -> None:
    meanings = (
        "the movie review expresses an unfavourable feeling or opinion",
        "the movie review expresses a favourable feeling or opinion",
    )
    found = label_words(("negative", "positive"), meanings)
    assert found["meanings"] == ("unfavourable", "favourable")
    assert found["bad-good"] == ("bad", "good")
    assert "numbers" not in found


@pytest.mark.parametrize(
    ("labels", "meanings", "expected"),
    [
        (("x", "y"), ("It WAS Cold there", "it was hot"), ("cold", "hot")),
        (("x", "y"), ("straße 7 up", "naïve_café"), ("straße", "naïve")),
        (("x", "y"), ("a b", "warm"), None),  # no word of three letters
        (("x", "y"), ("with all the others", "warm"), None),  # no content
        (("x", "y"), ("warm day", "day warm"), None),  # nothing of their own
        (("x", "y"), ("warm", ""), None),
        (("x", "y"), (), None),
        (("hot", "cold"), ("cold warm", "chilly"), ("warm", "chilly")),  # not the other's name
        (("hot", "cold"), ("it is hot", "it is cold"), None),  # the names again
    ],
)
def test_meanings(
    labels: tuple[str, ...], meanings: tuple[str, ...], expected: tuple[str, ...] | None
) -> None:
    assert label_words(labels, meanings).get("meanings") == expected


@pytest.mark.parametrize(
    ("labels", "name"),
    [(("2", "1"), "numbers"), (("b", "a"), "letters"), (("x", "1"), "numbers")],
)
def test_no_label_is_called_by_the_name_of_another(labels: tuple[str, ...], name: str) -> None:
    assert name not in label_words(labels)


def test_a_set_stands_once() -> None:
    """Numbers as names are their own capitals and numbers."""
    assert label_words(("1", "2", "3")) == {"names": ("1", "2", "3"), "letters": ("A", "B", "C")}


LABELS = st.lists(
    st.text("ab1 X", min_size=1).filter(str.strip),
    min_size=2,
    max_size=8,
    unique_by=lambda label: " ".join(label.split()).casefold(),
)


@given(labels=LABELS, data=st.data())
def test_every_set_can_be_words(labels: list[str], data: st.DataObject) -> None:
    words = st.lists(st.sampled_from(["one", "two", "the", "cold", "Hot", "x"])).map(" ".join)
    meanings = data.draw(st.lists(words, min_size=len(labels), max_size=len(labels)))
    found = label_words(labels, meanings)
    assert next(iter(found)) == "names"
    assert len(set(found.values())) == len(found)
    for words_of_set in found.values():
        assert len(words_of_set) == len(labels)
        assert len({word.casefold() for word in words_of_set}) == len(labels)
