"""The task options: from a command line to a specification."""

import argparse
from pathlib import Path

import pytest

from modules.errors import UserError
from modules.tasks import SplitSizes, TaskSpec
from modules.tasks.options import add_task_options, task_spec


def spec_of(*arguments: str) -> TaskSpec:
    parser = argparse.ArgumentParser()
    add_task_options(parser)
    return task_spec(parser.parse_args(arguments))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), TaskSpec(name="snippets")),
        (("--task", "tweets"), TaskSpec(name="tweets")),
        (("--data", "a.csv"), TaskSpec(name="file", data=Path("a.csv"))),
        (
            ("--data", "a.csv", "--text-column", "t", "--label-column", "l"),
            TaskSpec(name="file", data=Path("a.csv"), text_column="t", label_column="l"),
        ),
        (
            ("--data", "a", "--meaning", "x=a = b", "--meaning", "y y= c "),
            TaskSpec(name="file", data=Path("a"), meanings={"x": "a = b", "y y": "c"}),
        ),
        (
            ("--task", "imdb", "--data-folder", "d"),
            TaskSpec(name="imdb", data_folder=Path("d")),
        ),
        (("--task", "imdb", "--data-revision", "r"), TaskSpec(name="imdb", revision="r")),
        (
            ("--n-train", "1", "--n-dev", "2", "--n-confirm", "3", "--n-test", "4"),
            TaskSpec(name="snippets", sizes=SplitSizes(train=1, dev=2, confirm=3, test=4)),
        ),
    ],
)
def test_a_command_line_is_a_specification(arguments: tuple[str, ...], expected: TaskSpec) -> None:
    assert spec_of(*arguments) == expected


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--meaning", "x"), "takes LABEL=MEANING, got 'x'"),
        (("--meaning", "=m"), "takes LABEL=MEANING, got '=m'"),
        (("--meaning", "x= "), "takes LABEL=MEANING, got 'x= '"),
        (("--meaning", "x=m"), "meanings is a setting of the task file; snippets does not"),
        (("--task", "file"), "the task file needs data"),
        (("--task", "tweets", "--data", "a"), "data is a setting of the task file; tweets"),
        (("--task", "x"), "a task must be one of"),
        (("--data-revision", "r"), "revision is a setting of the task imdb; snippets"),
        (("--n-test", "0"), "test is 0"),
    ],
)
def test_options_that_do_not_go_together(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(UserError, match=message):
        spec_of(*arguments)
