"""The findings say what the tests establish, and nothing else."""

from typing import Any

import pytest

from evaluate.facts import Facts
from evaluate.findings import choice, findings, not_told_apart, verdict
from evaluate.loaded import Evaluation
from evaluate.rows import frame
from tests.evaluate_tests import runs
from tests.evaluate_tests.records import WRONG, record


def answers(model: str, prompt: str, n_right: int, n: int, **changes: Any) -> list[dict[str, Any]]:
    """Give n answers: the first so many are right."""
    return [
        record(
            model=model,
            prompt=prompt,
            example_id=f"e{i}",
            **(changes | ({} if i < n_right else WRONG)),
        )
        for i in range(n)
    ]


def facts(rows: list[dict[str, Any]], *models: str) -> Facts:
    found = frame(rows)
    return Facts(Evaluation(found, runs.examples_of(found), runs.record_of(*models)))


def told(rows: list[dict[str, Any]], *models: str) -> str:
    return "\n".join(findings(facts(rows, *models)))


def test_a_clear_difference_is_said_with_its_interval() -> None:
    rows = answers("a", "frozen", 180, 200) + answers("a", "naive", 120, 200)
    (line,) = facts(rows, "a").comparisons.itertuples(index=False)
    # the standard error of the difference is sqrt(0.3 * 0.7 / 200) = 3.2 points
    said = verdict(line)
    assert said.startswith("+30.0 [+2")
    assert said.endswith("] points (adjusted p < 0.001, n = 200)")
    assert "Against the naive prompt" in told(rows, "a")
    assert "no difference" not in told(rows, "a")


def test_a_small_difference_is_not_claimed() -> None:
    rows = answers("a", "frozen", 103, 200) + answers("a", "naive", 100, 200)
    said = told(rows, "a")
    assert "a no difference established, +1.5 [" in said
    assert "3 answers differ in being right, too few to establish one" in said


def test_what_could_have_been_found_is_said() -> None:
    # the two are right on opposite ends of the sample
    shifted = [
        one | {"example_id": f"e{199 - i}"} for i, one in enumerate(answers("a", "naive", 96, 200))
    ]
    said = told([*answers("a", "frozen", 100, 200), *shifted], "a")
    assert "a no difference established, +2.0 [" in said
    assert "points would have been found four times in five" in said


def test_a_worse_frozen_prompt_is_said_to_be_worse() -> None:
    rows = answers("a", "frozen", 100, 200) + answers("a", "naive", 160, 200)
    said = told(rows, "a")
    assert "a \N{MINUS SIGN}30.0 [" in said
    assert said.startswith("Best here: a with the naive prompt, at temperature 0: 80.0 % [")


def test_the_correction_can_take_a_finding_back() -> None:
    # 7 discordant, all one way: p = 2/2^7 = 0.0156 alone, and 0.047 of three; 0.0625 of four
    rows = answers("a", "frozen", 107, 200)
    for name in ("naive", "instructed", "few-shot"):
        rows += answers("a", name, 100, 200)
    assert "no difference established" not in told(rows, "a")
    rows += answers("a", "frozen for b", 100, 200)
    assert "no difference established" in told(rows, "a")


def test_the_choice_is_the_most_accurate_and_then_the_cheapest() -> None:
    rows = answers("a", "frozen", 80, 100, n_input_tokens=50)
    rows += answers("b", "frozen", 80, 100, n_input_tokens=20)
    rows += answers("b", "naive", 10, 10)  # all right, but asked for a tenth of the sample
    chosen = choice(facts(rows, "a", "b"))
    assert chosen is not None
    assert chosen[:2] == ("b", "frozen")
    assert not_told_apart(facts(rows, "a", "b"), chosen) == [("a", "frozen"), ("b", "naive")]


def test_temperature_without_an_effect_is_not_said_to_cost() -> None:
    def at(t: float, p: float) -> list[dict[str, Any]]:
        made = answers("a", "frozen", 60, 100, temperature=t)
        return [one | {"p_correct": p + 0.3 * (i % 2)} for i, one in enumerate(made)]

    cold = answers("a", "frozen", 60, 100)
    assert "a, drawn labels, \N{MINUS SIGN}20.0 [" in told(
        [*cold, *at(0.2, 0.6), *at(0.8, 0.4)], "a"
    )
    same = told([*cold, *at(0.2, 0.6), *at(0.8, 0.6)], "a")
    assert "a, drawn labels, no effect on accuracy established (0.0 [" in same


def test_shrinkage_and_cost_are_said() -> None:
    rows = answers("a", "frozen", 80, 100, n_input_tokens=1234)
    said = told(rows, "a")
    # dev is 90 of 100 in the record: 80 - 90 = -10 points
    assert "the frozen prompts moved: a \N{MINUS SIGN}10.0 [" in said
    assert "reads 1,234 tokens on average" in said
    assert "100 examples took 4 s on this machine, 25.0 a second" in said


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "a\nb", "\u202egnp.exe"])
def test_names_are_shown_clean(name: str) -> None:
    said = told(answers(name, "frozen", 8, 10), name)
    assert "\u202e" not in said
    assert all(line.startswith(tuple("BTAFWiau")) for line in said.splitlines())


def test_without_a_model_there_is_nothing_to_say() -> None:
    assert findings(facts([])) == []
