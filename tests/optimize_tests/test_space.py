"""The search space: every point makes a valid prompt, from whatever labels the data have."""

from collections import Counter
from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.trial import FrozenTrial

from modules.errors import UserError
from modules.programs.demos import POOLS, demo_counts, demo_set
from modules.programs.instructions import OFF, SWITCHES, instruction
from modules.prompts import Demo, answers, render, what_is_read
from modules.tasks.example import Example, Label, SealedSplit, Splits, Task
from modules.tasks.signature import build_signature
from optimize.finish.finalists import ranked, spread
from optimize.race.record import Cost, TrialRecord
from optimize.space.label_words import label_words
from optimize.space.layouts import PLACES, SEPARATORS, forms, input_caps, layout
from optimize.space.space import N_DEMO_SETS, Space, build_space

ODD = ("", "<|im_end|>", '"quoted", and', "a\nb", "😀")[1:]


def make_task(
    labels: tuple[str, ...], n_train: int = 60, words: int = 3, meanings: bool = True
) -> Task:
    """A task with these labels, in turn, and texts of so many words."""

    def examples(split: str, n: int) -> tuple[Example, ...]:
        return tuple(
            Example(inputs={"text": f"{split} {i} " + "x " * words}, label=labels[i % len(labels)])
            for i in range(n)
        )

    held = tuple(Label(name=name, meaning=f"it is {i}" * meanings) for i, name in enumerate(labels))
    return Task(
        name="t",
        noun="text",
        signature=build_signature(
            input_field="text", output_field="label", noun="text", labels=held
        ),
        labels=held,
        metric="accuracy",
        splits=Splits(
            train=examples("train", n_train),
            dev=examples("dev", 12),
            confirm=examples("confirm", 12),
            test=SealedSplit(digest="0" * 64, n=0, _examples=()),
        ),
        data_hash="0" * 64,
        source={},
    )


LABEL_SETS = {
    "sentiment": ("negative", "positive"),
    "turned": ("Positive", "Negative"),
    "three": ("bad", "so so", "good"),
    "six": ("1", "2", "3", "4", "5", "6"),
    "odd": ODD,
    "many": tuple(f"label {i}" for i in range(50)),
}


@pytest.mark.parametrize("labels", LABEL_SETS.values(), ids=LABEL_SETS)
@pytest.mark.parametrize("words", [3, 90], ids=["short", "long"])
@pytest.mark.parametrize("chat", [False, True], ids=["base", "chat"])
def test_every_point_makes_a_prompt(labels: tuple[str, ...], words: int, chat: bool) -> None:
    space = build_space(make_task(labels, words=words), 0, has_chat=chat)
    counts = Counter(example.label for example in space.task.splits.train)
    n_pool = {"any": 60, "short": sum(-(-n // 3) for n in counts.values())}
    for point in space.starting_points():
        assert list(point) == list(space.dimensions)
        assert all(point[name] in values for name, values in space.dimensions.items())

    @settings(max_examples=25, deadline=None)
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        drawn = {
            key: data.draw(st.sampled_from(values)) for key, values in space.dimensions.items()
        }
        prompt = space.prompt(drawn)
        assert prompt.label_names == labels
        assert len(prompt.demos) == min(drawn["n_demos"], n_pool[drawn["demo_pool"]])
        assert prompt.bias == (0.0,) * len(labels)
        assert len(prompt.instruction) == sum(drawn[f"part_{role}"] != OFF for role in SWITCHES)
        rendered = render(prompt, "What a day.")
        assert "What a day." in rendered.turns[-1].text
        assert rendered.is_chat == drawn["layout"].startswith("chat")
        assert len({answer.casefold() for answer in answers(prompt)}) == len(labels)

    check()


def test_opposites_follow_the_order_of_the_labels() -> None:
    straight, turned = label_words(("negative", "positive")), label_words(("POSITIVE", "negative"))
    assert straight["bad-good"] == ("bad", "good")
    assert turned["bad-good"] == ("good", "bad")
    assert straight["no-yes"] == ("no", "yes")
    assert next(iter(straight)) == "names"
    assert turned["names"] == ("POSITIVE", "negative")
    assert straight["capitalised"] == ("Negative", "Positive")
    assert "letters" not in straight


def test_other_labels_have_letters() -> None:
    assert label_words(("x", "y y", "z"))["letters"] == ("A", "B", "C")
    assert label_words(("a\n b", "c")) == {
        "names": ("a b", "c"),
        "capitalised": ("A b", "C"),
        "letters": ("A", "B"),
        "numbers": ("1", "2"),
    }
    assert set(label_words(LABEL_SETS["many"])) == {"names", "capitalised"}


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (("Yes", "yes"), "differ in more than case and spaces, but there are 'Yes' and 'yes'"),
        (("a b", "a  b"), "there are 'a b' and 'a b'; rename one"),
        (("straße", "STRASSE"), "there are 'straße' and 'STRASSE'"),
        (("x" * 201, "y"), "at most 200 characters, .* got one of 201: 'xxx"),
    ],
)
def test_labels_that_cannot_be_words(labels: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        label_words(labels)


def test_instructions_speak_of_the_words() -> None:
    task = make_task(("l1", "l2", "l3"))
    texts = [part.text for part in instruction(task, ("a", "b", "c"), SWITCHES)]
    assert texts == [
        "You judge texts with care.",
        "Classify the text as a, b or c.",
        '"a" means: it is 0; "b" means: it is 1; "c" means: it is 2.',
        "Go by what the text says as a whole, not by single words.",
        "Answer with one word: a, b or c.",
    ]
    assert instruction(task, ("a", "b", "c"), []) == ()
    plain = make_task(("l1", "l2"), meanings=False)
    assert [part.role for part in instruction(plain, ("a", "b"), SWITCHES[::-1])] == [
        "role",
        "task",
        "guidance",
        "form",
    ]


def test_an_aspect_stands_in_the_instruction() -> None:
    task = make_task(("negative", "positive"))
    signature = build_signature(
        input_field="review", output_field="overall_mood", noun="review", labels=task.labels
    )
    (part,) = instruction(replace(task, signature=signature), ("bad", "good"), ["task"])
    assert part.text == "Classify the overall mood of the text as bad or good."


def test_forms_take_the_fields_names() -> None:
    base, chat = (forms("movie_review", "mood", has_chat=has) for has in (False, True))
    assert base["fields"].input_lead == "Movie review:"
    assert base["fields"].answer_lead == "Mood:"
    assert all(form.kind == "text" for form in base.values())
    assert {name: chat[name] for name in base} == base
    assert [form.kind for name, form in chat.items() if name not in base] == ["chat"] * 2


def test_a_layout_leaves_out_what_its_form_cannot_have() -> None:
    found = forms("review", "mood", has_chat=True)
    text = layout(found["fields"], "system", "rule")
    assert (text.instruction, text.system, text.separator) == ("before", False, "rule")
    chat = layout(found["chat"], "system", "rule")
    assert (chat.instruction, chat.system, chat.separator) == ("before", True, "blank-line")
    assert layout(found["chat"], "both", "line").instruction == "both"
    assert layout(found["arrow"], "after", "line").answer_lead == "=>"


def test_input_caps() -> None:
    """The upper decile of ten equal lengths is that length: 64 words are short, 65 are long."""
    assert [cap.words for cap in input_caps(["x " * 64] * 10).values()] == [None]
    long = input_caps(["x " * 65] * 10)
    assert len(long) == 9
    assert {(cap.words, cap.keep) for cap in long.values()} == {
        (n, keep) for n in (64, 128, 256) for keep in ("head", "tail", "both")
    }
    assert list(long.values())[-1].words == 256
    assert list(input_caps([])) == list(input_caps(["x " * 500])) == ["whole"]
    assert list(input_caps(["x"] * 19 + ["x " * 500])) == ["whole"]


def labels_of(demos: tuple[Demo, ...]) -> list[str]:
    return [demo.label for demo in demos]


@pytest.mark.parametrize("labels", [LABEL_SETS["sentiment"], LABEL_SETS["three"]])
def test_every_stretch_of_demos_holds_each_label_once(labels: tuple[str, ...]) -> None:
    k = len(labels)
    demos = demo_set(make_task(labels), "any", 0, 8 * k, 0)
    assert len(demos) == 8 * k
    stretches = [tuple(labels_of(demos)[i : i + k]) for i in range(0, 8 * k, k)]
    assert all(sorted(stretch) == sorted(labels) for stretch in stretches)
    assert len(set(stretches)) > 1  # shuffled inside


def test_a_small_set_is_the_beginning_of_a_large_one() -> None:
    task = make_task(LABEL_SETS["three"])
    whole = demo_set(task, "any", 1, 60, 0)
    assert all(demo_set(task, "any", 1, n, 0) == whole[:n] for n in range(61))


def test_sets_and_seeds_differ_and_repeat() -> None:
    task = make_task(LABEL_SETS["sentiment"])
    keys = [(number, seed) for number in range(N_DEMO_SETS) for seed in (-1, 0, 1)]
    sets = [demo_set(task, "any", number, 8, seed) for number, seed in keys]
    assert len(set(sets)) == len(keys)
    assert [demo_set(task, "any", number, 8, seed) for number, seed in keys] == sets


def test_demos_are_train_examples_each_once() -> None:
    task = make_task(LABEL_SETS["sentiment"], n_train=7)
    demos = demo_set(task, "any", 3, 100, 0)
    expected = Counter((e.inputs["text"], e.label) for e in task.splits.train)
    assert Counter((demo.text, demo.label) for demo in demos) == expected


def test_when_a_label_is_used_up_the_others_go_on() -> None:
    task = make_task(("a", "b"), n_train=9)  # five of a, four of b
    rare = tuple(e for e in task.splits.train if e.label == "a")[:1]
    others = tuple(e for e in task.splits.train if e.label == "b")
    task = replace(task, splits=replace(task.splits, train=rare + others))
    got = labels_of(demo_set(task, "any", 0, 4, 0))
    assert sorted(got[:2]) == ["a", "b"]
    assert got[2:] == ["b", "b"]


@pytest.mark.parametrize(
    ("n_labels", "expected"),
    [(2, [0, 2, 4, 8, 16]), (3, [0, 3, 6, 12]), (50, [0, 50, 100, 200])],
)
def test_numbers_of_demos(n_labels: int, expected: list[int]) -> None:
    assert list(demo_counts(n_labels)) == expected


def trial(
    space: Space, number: int, loss: float, *, pruned: bool = False, **at: object
) -> TrialRecord:
    point = space.starting_points()[0] | at
    return TrialRecord(
        slot=number,
        by="start",
        point=point,
        loss=loss,
        pruned=pruned,
        logp=np.zeros((0, 2)),
        look_losses=(),
        cost=Cost(),
        saved_tokens=0,
        prompt_tokens=0.0,
        frozen=cast(FrozenTrial, None),
    )


def test_whole_trials_are_ranked_no_prompt_twice() -> None:
    space = build_space(make_task(LABEL_SETS["sentiment"]), 0, has_chat=False)
    trials = [
        trial(space, 0, 0.5),
        trial(space, 1, 0.1, pruned=True, layout="arrow"),
        trial(space, 2, 0.4, layout="arrow"),
        trial(space, 3, 0.5),  # the prompt of trial 0
        trial(space, 4, 0.5, n_demos=0),
        trial(space, 5, 0.5, n_demos=0, demo_set=4),  # the prompt of trial 4
        trial(space, 6, 0.9, layout="it-was"),
        trial(space, 7, 0.95, layout="all-in-all"),
    ]
    picked = ranked(trials[::-1], space)
    assert [record.slot for record, _ in picked] == [2, 0, 4, 6, 7]
    assert all(prompt == space.prompt(record.point) for record, prompt in picked)
    assert ranked(trials[1:2], space) == []


def test_further_finalists_have_other_demos() -> None:
    space = build_space(make_task(LABEL_SETS["sentiment"]), 0, has_chat=False)
    four: dict[str, Any] = {"n_demos": 4, "demo_pool": "any"}
    trials = [
        trial(space, 0, 0.1, **four),
        trial(space, 1, 0.2, **four, layout="arrow"),
        trial(space, 2, 0.3, **four, layout="it-was"),
        trial(space, 3, 0.4, **four, layout="all-in-all"),
        trial(space, 4, 0.5, **four, demo_swap="0:1"),  # 3 of 5 demos are those of trial 0
        trial(space, 5, 0.6, demo_pool="any", n_demos=2),  # 2 of 4, and not more than half
        trial(space, 6, 0.7, demo_pool="any", n_demos=2, layout="arrow"),
        trial(space, 7, 0.8, n_demos=0),
        trial(space, 8, 0.9, n_demos=0, layout="arrow"),  # both have none
    ]
    demos = [set(prompt.demos) for _, prompt in ranked(trials, space)]
    assert (len(demos[0] & demos[4]), len(demos[0] | demos[4])) == (3, 5)
    assert (len(demos[0] & demos[5]), len(demos[0] | demos[5])) == (2, 4)
    found, n_first = spread(ranked(trials, space))
    assert n_first == 5
    assert [record.slot for record, _ in found] == [0, 1, 2, 5, 7, 3, 4, 6, 8]
    assert spread([]) == ([], 0)


def test_points_that_read_alike_are_one() -> None:
    """An instruction that is not there stands nowhere."""
    space = build_space(make_task(("bad", "good")), 0, has_chat=True)
    bare: dict[str, Any] = {f"part_{role}": OFF for role in SWITCHES}
    for form in ("fields", "it-was", "chat"):
        points = [
            {**space.starting_points()[0], **bare, "layout": form, "place": place}
            for place in PLACES
        ]
        assert len({what_is_read(space.prompt(point)) for point in points}) == 1
        told = [{**point, "part_task": "classify"} for point in points]
        assert len({what_is_read(space.prompt(point)) for point in told}) == 3 + (form == "chat")
        trials = [trial(space, slot, 0.5, **point) for slot, point in enumerate(points)]
        assert [record.slot for record, _ in ranked(trials, space)] == [0]


def test_a_separator_of_nothing_is_read_alike() -> None:
    """Without demos and instruction; and a line break behind the input is one either way."""
    space = build_space(make_task(("bad", "good")), 0, has_chat=False)
    off: dict[str, Any] = {f"part_{role}": OFF for role in SWITCHES}
    points = [
        {**space.starting_points()[0], **off, "n_demos": 0, "separator": separator}
        for separator in SEPARATORS
    ]
    assert len({what_is_read(space.prompt(point)) for point in points}) == 1
    told = [{**point, "part_task": "classify", "place": "after"} for point in points]
    assert len({what_is_read(space.prompt(point)) for point in told}) == 2
    shown = [{**point, "n_demos": 2} for point in points]
    assert len({what_is_read(space.prompt(point)) for point in shown}) == 3


def test_short_demos_are_the_shortest_third_of_each_label() -> None:
    """Two labels of 5: the two shortest of each, whose texts have 1 to 4 characters here."""
    task = make_task(("a", "b"))
    train = tuple(Example(inputs={"text": "x" * n}, label="ab"[n % 2]) for n in range(10, 0, -1))
    task = replace(task, splits=replace(task.splits, train=train))
    demos = demo_set(task, POOLS[1], 0, 100, 0)
    assert sorted(len(demo.text) for demo in demos) == [1, 2, 3, 4]
