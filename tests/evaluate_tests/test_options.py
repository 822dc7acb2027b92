"""Options: presets fill what was not given, what was given wins, and mistakes are refused."""

import pytest

from evaluate.ladder import NAMES
from evaluate.options import Settings, parser, settings
from modules.errors import UserError


def asked(*arguments: str) -> Settings:
    return settings(parser().parse_args(list(arguments)))


def test_without_a_preset() -> None:
    found = asked()
    assert (found.task, found.models, found.prompts) == ("snippets", None, ("naive", "frozen"))
    assert (found.plan.temperatures, found.plan.seeds) == ((0.2, 0.8), (0,))
    assert (found.half_width, found.detect, found.n_generated) == (None, None, 60)


def test_the_preset_is_the_task_it_began_with() -> None:
    found = asked("--preset", "slm-comparison")
    assert (found.task, found.models) == ("imdb", ("phi-3-mini", "qwen2-1.5b"))
    assert found.prompts == NAMES
    assert (found.plan.temperatures, found.plan.seeds) == ((0.2, 0.8), (0, 1, 2))
    assert found.half_width == pytest.approx(0.035)


def test_what_is_given_wins_over_the_preset() -> None:
    found = asked(
        *("--preset", "slm-comparison", "--task", "snippets", "--models", "a", "b", "a"),
        *("--seeds", "0", "--temperatures", "0.8", "0.2", "0.8", "--prompts", "frozen", "naive"),
        *("--n-generated", "0", "--detect", "5"),
    )
    assert (found.task, found.models) == ("snippets", ("a", "b"))
    assert found.prompts == ("naive", "frozen")  # in the ladder's order
    assert (found.plan.temperatures, found.plan.seeds) == ((0.2, 0.8), (0,))
    assert (found.half_width, found.detect, found.n_generated) == (None, 0.05, 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--temperatures", "-1"], "between 0 and 10"),
        (["--temperatures", "nan"], "between 0 and 10"),
        (["--n-generated", "-1"], "cannot be negative"),
        (["--max-tokens", "0"], "at least 1"),
        (["--seeds", str(2**63)], "64 bits"),
        (["--half-width", "3", "--detect", "4"], "give one of them"),
        (["--half-width", "0"], "above 0 and below 50"),
        (["--detect", "50"], "above 0 and below 50"),
        (["--half-width", "nan"], "above 0 and below 50"),
        (["--prompts", "best"], "--prompts are naive, instructed"),
    ],
    ids=lambda value: "-".join(value)[:30] if isinstance(value, list) else "",
)
def test_mistakes(arguments: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        asked(*arguments)
