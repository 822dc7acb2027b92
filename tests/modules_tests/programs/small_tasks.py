"""Small tasks of any labels, for the tests of demos and instructions."""

from collections.abc import Mapping, Sequence

from modules.tasks.example import Example, Label, SealedSplit, Splits, Task
from modules.tasks.signature import build_signature

TOPICS = {
    "HUM": "a question about people",
    "LOC": "a question about places",
    "NUM": "a question about numbers",
    "ENTY": "a question about things",
    "DESC": "a question about reasons",
    "ABBR": "a question about abbreviations",
}


def small_task(
    labels: Sequence[str] | Mapping[str, str],
    texts: Sequence[tuple[str, str]] = (),
    *,
    noun: str = "text",
    aspect: str | None = None,
) -> Task:
    """A task with these labels (and meanings) whose train split is (text, label) pairs."""
    meanings = dict(labels) if isinstance(labels, Mapping) else dict.fromkeys(labels, "")
    held = tuple(Label(name=name, meaning=meaning) for name, meaning in meanings.items())
    train = tuple(Example(inputs={"text": text}, label=label) for text, label in texts)
    return Task(
        name="small",
        noun=noun,
        signature=build_signature(
            input_field="text",
            output_field="label" if aspect is None else aspect.replace(" ", "_"),
            noun=noun,
            labels=held,
            aspect=aspect,
        ),
        labels=held,
        metric="accuracy",
        splits=Splits(
            train=train,
            dev=(),
            confirm=(),
            test=SealedSplit(digest="0" * 64, n=0, _examples=()),
        ),
        data_hash="0" * 64,
        source={},
    )
