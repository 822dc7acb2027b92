"""`burnish show`: a frozen prompt as the model reads it, its scores, and where it is from.

It reads one file. No model, no tokenizer and no network is needed.
"""

import argparse
import json
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from burnish.example import Example, example_of, in_prompt
from burnish.prompt_text import prompt_lines
from burnish.provenance import made_facts, model_facts, search_facts, task_facts
from burnish.scores import told
from burnish.terminal import Piece, Said, Screen, add_display_options, clipped, harmless
from modules.prompts import Artifact, Evidence, Prompt, load_artifact, reading

_ORIGINS = {
    "probe": "a confirm example as the input",
    "demo": "its first demo as the input too, for want of another example",
    "placeholder": "a placeholder for the input",
    "text": "your text as the input",
}
_TOGETHER = (
    "{n} prompts answer together: each one's log-probabilities, calibrated, are renormalised, "
    "and the mean of them over the prompts decides. The scores are those of all together."
)
_N_SHOWN = 12
_REMARK = "accuracy, 95 % Wilson interval; the search went by dev and did not see confirm"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `burnish show`."""
    parser.add_argument("artifact", type=Path, help="a frozen prompt (burnish list shows them)")
    parser.add_argument("--text", help="show the prompt with this input in it")
    add_display_options(parser)


def run(options: argparse.Namespace) -> None:
    """Print a frozen prompt.

    Raises:
        UserError: the file is no artifact.
    """
    artifact = load_artifact(options.artifact)
    example = example_of(artifact, options.text)
    if options.json:
        print(json.dumps(to_json(artifact, options.artifact, example), indent=2))
    else:
        print("\n".join(drawn(artifact, options.artifact, example, Screen.of(options.color))))


def to_json(artifact: Artifact, path: Path, example: Example) -> dict[str, Any]:
    """Give all that is shown as plain JSON values: the file's fields, and what follows from them.

    `reading` is there for files of version 1 too, which do not hold it, and `member_readings`
    where there are members, in their order.
    """
    others = [reading(member).model_dump(mode="json") for member in artifact.members]
    return {
        "path": str(path),
        **artifact.to_json(),
        "reading": reading(artifact.prompt).model_dump(mode="json"),
        **({"member_readings": others} if others else {}),
        "example": example.to_json(),
        "next": next_commands(artifact, path),
    }


def next_commands(artifact: Artifact, path: Path) -> list[str]:
    """Give the commands that one would run next."""
    name = shlex.quote(str(path))
    member = " --member 1" if artifact.members else ""
    return [
        f"burnish verify {name}",
        f"burnish export {name} --to python{member}",
        f"burnish predict {name} --data FILE.csv --text-column COLUMN",
    ]


def drawn(artifact: Artifact, path: Path, example: Example, screen: Screen) -> list[str]:
    """Give the lines of the whole screen."""
    sections: list[tuple[str, list[str]]] = [
        (_heading(artifact, example), prompt_lines(example, screen)),
        ("Answers", screen.facts(_answers(artifact, artifact.prompt))),
        *_members(artifact, example, screen),
        ("Scores", screen.facts(_scores(artifact))),
        ("How it was found", screen.facts(search_facts(artifact.search, len(artifact.prompts)))),
        ("Model", screen.facts(model_facts(artifact.model))),
        ("Task", screen.facts(task_facts(artifact.task))),
        ("Made with", screen.facts(made_facts(artifact))),
        ("Next", [f"  {harmless(command)}" for command in next_commands(artifact, path)]),
    ]
    lines = screen.heading(str(path))
    if artifact.members:
        lines += ["", *screen.lines(_TOGETHER.format(n=len(artifact.prompts)))]
    for heading, body in sections:
        lines += ["", *screen.heading(heading), *body]
    return lines


def _heading(artifact: Artifact, example: Example) -> str:
    name, n = clipped(artifact.model.name, 40), len(artifact.prompts)
    which = "The prompt" if n == 1 else f"Prompt 1 of {n}"
    form = _form(artifact.prompt)
    return f"{which} as {name} reads it ({form}), with {_ORIGINS[example.origin]}"


def _form(prompt: Prompt) -> str:
    kind = "chat turns" if prompt.layout.kind == "chat" else "plain text"
    n = len(prompt.demos)
    return f"{kind}, {n} demo{'' if n == 1 else 's'}"


def _members(
    artifact: Artifact, example: Example, screen: Screen
) -> Iterator[tuple[str, list[str]]]:
    """Give the further prompts of an ensemble, each with the same input and its answers."""
    n = len(artifact.prompts)
    for number, member in enumerate(artifact.members, start=2):
        heading = f"Prompt {number} of {n} ({_form(member)}), with the same input"
        yield heading, prompt_lines(in_prompt(example, member), screen)
        yield f"Answers of prompt {number}", screen.facts(_answers(artifact, member))


def _answers(artifact: Artifact, prompt: Prompt) -> list[tuple[str, Said]]:
    meanings = {label.name: label.meaning for label in artifact.task.labels}
    is_calibrated = any(prompt.bias) and prompt.evidence is None
    facts: list[tuple[str, Said]] = []
    for entry, bias in zip(prompt.words, prompt.bias, strict=True):
        meaning = meanings.get(entry.label)
        said = [Piece(entry.word, "answer")]
        if is_calibrated:
            said.append(Piece(f", bias {bias:+.3g}"))
        facts.append((entry.label, [*said, Piece(f": {meaning}" if meaning else "")]))
    if prompt.evidence is not None:
        facts += _evidence(prompt.evidence)
    elif not is_calibrated:
        facts.append(("bias", "none: the labels' log-probabilities are taken as they are"))
    return facts


def _evidence(evidence: Evidence) -> Iterator[tuple[str, Said]]:
    """Give the words that speak most for each label but the first, and most against it."""
    yield (
        "evidence",
        f"{len(evidence.words)} more words that the model may be about to say are weighed; "
        f"label words count {evidence.scale:.3g} times",
    )
    for label, weights in evidence.weights.items():
        ranked = sorted(weights, key=lambda word: -weights[word])
        against = ranked[: -_N_SHOWN - 1 : -1]
        yield f"for {label}", ", ".join(ranked[:_N_SHOWN])
        yield f"against {label}", ", ".join(against)


def _scores(artifact: Artifact) -> list[tuple[str, Said]]:
    facts: list[tuple[str, Said]] = [
        (split, f"{told(score)}, log-loss {score.log_loss:.3f}")
        for split, score in artifact.scores.items()
    ]
    return [*facts, ("", [Piece(_REMARK, "dim")])]
