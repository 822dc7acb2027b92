"""The ladder: each rung's parts, in order, for chat and for plain text."""

import pytest

from evaluate.draws import Entry
from evaluate.ladder import NAMES, ladder
from modules.errors import UserError
from modules.programs.naive import naive_prompt
from modules.prompts import Prompt, render
from modules.tasks.example import Task
from tests import tables


@pytest.fixture(scope="module")
def task(tmp_path_factory: pytest.TempPathFactory) -> Task:
    meanings = {"negative": "it is disliked", "positive": "it is liked"}
    return tables.file_task(tmp_path_factory.mktemp("table"), meanings=meanings)


def frozen(task: Task, *, is_chat: bool = False) -> Prompt:
    return naive_prompt(task, is_chat=is_chat).model_copy(update={"bias": (0.5, -0.5)})


@pytest.mark.parametrize("is_chat", [False, True], ids=["text", "chat"])
def test_every_rung_in_order(task: Task, is_chat: bool) -> None:
    own, other = frozen(task), frozen(task).model_copy(update={"bias": (1.0, -1.0)})
    entries = ladder(
        task, NAMES[::-1], is_chat=is_chat, seed=0, frozen=[own], others={"b": [other]}
    )
    assert [entry.name for entry in entries] == [*NAMES[:-1], "frozen for b"]
    by_name = {entry.name: entry for entry in entries}
    assert by_name["frozen"].prompt == own
    assert by_name["frozen for b"].prompt == other
    assert [name for name, entry in by_name.items() if entry.thinks] == ["chain-of-thought"]
    assert len({entry.id for entry in entries}) == len(entries)


def test_what_the_rungs_say(task: Task) -> None:
    entries = ladder(task, NAMES, is_chat=False, seed=0, frozen=[frozen(task)], others={})
    read = {entry.name: render(entry.prompt, "abc").turns[-1].text for entry in entries}
    assert read["naive"] == "Classify the text as negative or positive.\n\nText: abc\n"
    assert read["instructed"] == (
        "You judge texts with care. Classify the text as negative or positive. "
        '"negative" means: it is disliked; "positive" means: it is liked. '
        "Go by what the text says as a whole, not by single words. "
        "Answer with one word: negative or positive.\n\nText: abc\n"
    )
    assert (
        "First give your reason in one sentence, then answer with one word: "
        in (read["chain-of-thought"])
    )
    assert "Answer with one word" not in read["chain-of-thought"]
    few = next(entry.prompt for entry in entries if entry.name == "few-shot")
    assert sorted(demo.label for demo in few.demos) == ["negative"] * 2 + ["positive"] * 2
    train = {example.inputs[task.input_field] for example in task.splits.train}
    assert {demo.text for demo in few.demos} <= train


def test_a_model_without_a_template_cannot_read_chat(task: Task) -> None:
    others = {
        "chatty": [frozen(task), frozen(task, is_chat=True)],
        "plain": [frozen(task)],
    }
    wanted = ["transferred"]
    given = {"seed": 0, "frozen": [frozen(task)], "others": others}
    plain = ladder(task, wanted, is_chat=False, **given)  # type: ignore[arg-type]
    assert [entry.name for entry in plain] == ["frozen for plain"]
    chatty = ladder(task, wanted, is_chat=True, **given)  # type: ignore[arg-type]
    assert [entry.name for entry in chatty] == ["frozen for chatty", "frozen for plain"]


def test_an_ensemble_is_one_rung(task: Task) -> None:
    first, second = frozen(task), frozen(task).model_copy(update={"bias": (1.0, -1.0)})
    (alone,) = ladder(task, ["frozen"], is_chat=False, seed=0, frozen=[first], others={})
    own, other = ladder(
        task,
        ["frozen", "transferred"],
        is_chat=False,
        seed=0,
        frozen=[first, second],
        others={"b": [second, first]},
    )
    assert (own.prompt, own.members, own.prompts) == (first, (second,), (first, second))
    assert (other.name, other.prompts) == ("frozen for b", (second, first))
    assert alone.id == first.identity()
    assert len({alone.id, own.id, other.id}) == 3
    with pytest.raises(ValueError, match="an ensemble gives no reasons"):
        Entry(name="x", prompt=first, members=(second,), thinks=True)


def test_an_unknown_rung_is_refused(task: Task) -> None:
    with pytest.raises(UserError, match=r"prompts are naive, .* got best"):
        ladder(task, ["best"], is_chat=False, seed=0, frozen=[frozen(task)], others={})


def test_the_seed_picks_the_demos(task: Task) -> None:
    def demos(seed: int) -> object:
        (entry,) = ladder(
            task, ["few-shot"], is_chat=False, seed=seed, frozen=[frozen(task)], others={}
        )
        return entry.prompt.demos

    assert demos(0) == demos(0)
    assert len({repr(demos(seed)) for seed in range(5)}) > 1
