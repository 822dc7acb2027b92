"""The guard of held-out examples: planted leaks are refused."""

import pytest

from modules.errors import UserError
from modules.tasks.example import Example
from modules.tasks.leak import refuse_leak


def _example(text: str, label: str = "a", field: str = "text") -> Example:
    return Example(inputs={field: text}, label=label)


CLEAN = [_example(f"the film number {i} was w{i} x{i} y{i} z{i}") for i in range(20)]
TEST = [_example(f"a play called {i} had q{i} r{i} s{i} t{i}") for i in range(20)]


@pytest.mark.parametrize(
    ("learnt", "held_out"),
    [
        pytest.param(CLEAN, TEST, id="apart"),
        pytest.param([*CLEAN, *CLEAN], TEST, id="repeated-among-themselves"),
        pytest.param([], TEST, id="nothing-learnt"),
        pytest.param(CLEAN, [], id="nothing-held-out"),
        pytest.param([_example("!")], [_example("?")], id="no-words"),
    ],
)
def test_what_is_apart_passes(learnt: list[Example], held_out: list[Example]) -> None:
    refuse_leak(learnt, held_out, what="the pool")


@pytest.mark.parametrize(
    "planted",
    [TEST[7], _example(TEST[7].inputs["text"], label="b")],
    ids=["the-example-itself", "under-another-label"],
)
def test_a_held_out_example_is_found(planted: Example) -> None:
    with pytest.raises(
        UserError,
        match=rf"of the pool 1 are held out for the test \(the first is {TEST[7].id}\)",
    ):
        refuse_leak([*CLEAN, planted], TEST, what="the pool")


def test_a_near_duplicate_is_found() -> None:
    planted = _example(TEST[3].inputs["text"].upper() + "!!!")
    assert planted.id != TEST[3].id
    with pytest.raises(UserError, match=rf"the pool 1 are near duplicates .* is {planted.id}\)"):
        refuse_leak([planted, *CLEAN], TEST, what="the pool")


def test_no_text_stands_in_the_message() -> None:
    with pytest.raises(UserError, match="are held out") as caught:
        refuse_leak(TEST, TEST, what="the pool")
    assert "play" not in str(caught.value)
    assert "20 are held out" in str(caught.value)
