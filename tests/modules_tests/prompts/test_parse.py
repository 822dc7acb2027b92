"""Parsing is the inverse of answering, and never guesses."""

import pytest
from hypothesis import given

from modules.prompts import LabelWord, Layout, Prompt, answers, match_label, parse_answer
from tests.modules_tests.prompts.strategies import prompts

WORDS = {
    "good": "pos",
    "not good": "neg",
    "so-so": "meh",
    "👍": "thumb",
    "good enough": "fair",
    "C++": "cpp",
}


@given(prompts())
def test_parse_of_an_answer_is_its_label(prompt: Prompt) -> None:
    for entry, answer in zip(prompt.words, answers(prompt), strict=True):
        assert parse_answer(prompt, answer) == entry.label
        assert parse_answer(prompt, f"\n{answer} \n") == entry.label
        assert parse_answer(prompt, f"*{answer.strip().casefold()}*") == entry.label


@pytest.mark.parametrize(
    ("text", "label"),
    [
        pytest.param("good", "pos", id="the word"),
        pytest.param("  Good.", "pos", id="other case, punctuation"),
        pytest.param("GOOD!", "pos", id="upper case"),
        pytest.param("It is not good, I think", "neg", id="the longer word wins"),
        pytest.param("good enough", "fair", id="the longer word wins from the same start"),
        pytest.param("not good, but good", None, id="two labels"),
        pytest.param("good good", "pos", id="one label twice"),
        pytest.param("goodness", None, id="inside a longer word"),
        pytest.param("no_good", None, id="underscore touches"),
        pytest.param("2good", None, id="digit touches"),
        pytest.param("notgood", None, id="no space"),
        pytest.param("so-so", "meh", id="hyphen"),
        pytest.param("so so", None, id="hyphen is no wildcard"),
        pytest.param("👍👍", "thumb", id="emoji"),
        pytest.param("(c++)", "cpp", id="signs are literal"),
        pytest.param("ccc", None, id="signs are no pattern"),
        pytest.param("", None, id="empty"),
        pytest.param("excellent", None, id="no word"),
    ],
)
def test_match_label(text: str, label: str | None) -> None:
    assert match_label(WORDS, text) == label


def test_labels_are_found_by_their_words_and_not_by_their_names() -> None:
    words = (LabelWord(label="yes", word="no"), LabelWord(label="no", word="yes"))
    prompt = Prompt(layout=Layout(kind="chat"), words=words, bias=(0.0, 0.0))
    assert parse_answer(prompt, "yes") == "no"


@pytest.mark.parametrize("text", ["STRASSE", "straße"])
def test_case_is_folded_and_not_lowered(text: str) -> None:
    assert match_label({"Straße": "street"}, text) == "street"
