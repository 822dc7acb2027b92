"""Instructions for any classification: what each variant says, and that it says it in order."""

from itertools import combinations, product

import pytest

from modules.programs.instructions import OFF, SWITCHES, VARIANTS, instruction
from modules.tasks.example import Task
from tests.modules_tests.programs.small_tasks import TOPICS, small_task

SENTIMENT = small_task(
    {"neg": "unfavourable", "pos": "favourable"}, noun="movie review", aspect="sentiment"
)
SIX = small_task(TOPICS, noun="question")
SIX_PLAIN = small_task(list(TOPICS), noun="question")
ASPECT_SIX = small_task(list(TOPICS), noun="question", aspect="answer type")
WORDS = ("people", "places", "numbers", "things", "reasons", "short forms")

TASKS = {"sentiment": SENTIMENT, "six": SIX, "six, plain": SIX_PLAIN, "aspect": ASPECT_SIX}


def words_of(task: Task) -> tuple[str, ...]:
    return ("bad", "good") if len(task.labels) == 2 else WORDS


def text(task: Task, role: str, variant: str) -> str:
    (part,) = instruction(task, words_of(task), {role: variant})
    assert part.role == role
    return part.text


@pytest.mark.parametrize(
    ("role", "variant", "expected"),
    [
        ("role", "judge", "You judge movie reviews with care."),
        ("role", "expert", "You are an expert in judging the sentiment of movie reviews."),
        ("task", "classify", "Classify the sentiment of the movie review as bad or good."),
        ("task", "question", "Is the sentiment of this movie review bad or good?"),
        ("task", "fields", "Given the text, give its sentiment: bad or good."),
        ("labels", "means", '"bad" means: unfavourable; "good" means: favourable.'),
        ("labels", "terse", "bad = unfavourable; good = favourable."),
        ("guidance", "whole", "Go by what the movie review says as a whole, not by single words."),
        (
            "guidance",
            "content",
            "Judge the sentiment only, and nothing else about the movie review.",
        ),
        ("guidance", "mixed", "If the movie review is mixed, decide which side outweighs."),
        ("form", "one-word", "Answer with one word: bad or good."),
        ("form", "only", "Answer only with bad or good."),
    ],
)
def test_what_is_said_of_a_sentiment(role: str, variant: str, expected: str) -> None:
    assert text(SENTIMENT, role, variant) == expected


ALL_SIX = "people, places, numbers, things, reasons or short forms"


@pytest.mark.parametrize(
    ("role", "variant", "expected"),
    [
        ("role", "expert", "You are an expert in sorting questions."),
        ("task", "classify", f"Classify the question as {ALL_SIX}."),
        ("task", "question", f"Which one fits this question best: {ALL_SIX}?"),
        ("task", "fields", f"Given the text, give its label: {ALL_SIX}."),
        (
            "guidance",
            "content",
            "Judge only what decides the answer, and nothing else about the question.",
        ),
        ("form", "only", f"Answer only with {ALL_SIX}."),
    ],
)
@pytest.mark.parametrize("task", [SIX, SIX_PLAIN], ids=["meanings", "plain"])
def test_what_is_said_of_six_labels(task: Task, role: str, variant: str, expected: str) -> None:
    assert text(task, role, variant) == expected


def test_meanings_of_six_labels() -> None:
    pairs = list(zip(WORDS, TOPICS.values(), strict=True))
    means = "; ".join(f'"{word}" means: {meaning}' for word, meaning in pairs)
    assert text(SIX, "labels", "means") == f"{means}."
    assert text(SIX, "labels", "terse") == "; ".join(f"{w} = {m}" for w, m in pairs) + "."
    for variant in VARIANTS["labels"]:
        assert instruction(SIX_PLAIN, WORDS, {"labels": variant}) == ()


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_variants_of_a_role_differ_and_every_choice_stands_in_order(task: Task) -> None:
    said = {
        role: [text(task, role, v) for v in variants]
        for role, variants in VARIANTS.items()
        if role != "labels" or task.labels[0].meaning
    }
    assert all(a != b for texts in said.values() for a, b in combinations(texts, 2))
    for variants in product(*((OFF, *VARIANTS[role]) for role in SWITCHES)):
        chosen = dict(zip(SWITCHES, variants, strict=True))
        parts = instruction(task, words_of(task), chosen)
        on = [role for role in SWITCHES if chosen[role] != OFF and role in said]
        assert [part.role for part in parts] == on
        assert parts == instruction(task, words_of(task), dict(reversed(chosen.items())))


@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
def test_switches_stand_for_first_variants(task: Task) -> None:
    assert list(VARIANTS) == list(SWITCHES)
    for n in range(len(SWITCHES) + 1):
        for switches in combinations(SWITCHES, n):
            chosen = {role: VARIANTS[role][0] for role in switches}
            by_name = instruction(task, words_of(task), chosen)
            assert instruction(task, words_of(task), switches[::-1]) == by_name


def test_nothing_is_said_of_sentiment_where_it_is_not_the_task() -> None:
    spoken = " ".join(
        text(SIX, role, variant) for role, variants in VARIANTS.items() for variant in variants
    ).lower()
    assert not {"sentiment", "review", "movie", "positive", "negative"} & set(spoken.split())


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        ({"tasks": "classify"}, "a role is one of role, task, .*; got 'tasks'"),
        (["task", "demo"], "got 'demo'"),
        ({"task": "ask"}, "a variant of task is one of off, classify, .*; got 'ask'"),
        ({"form": ""}, "got ''"),
    ],
)
def test_unknown_choices(chosen: dict[str, str] | list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        instruction(SIX, WORDS, chosen)
