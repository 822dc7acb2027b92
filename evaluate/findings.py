"""The findings in plain sentences, made of the numbers: what a reader takes away from the report.

A sentence says that something is better only where its paired test, adjusted for all comparisons,
says so; else it says that the sample does not establish it, and what it could have shown.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from evaluate.analysis.selection import FROZEN, FROZEN_FOR
from evaluate.baselines import LINEAR, WHOLE
from evaluate.comparisons import LEVEL
from evaluate.facts import Facts
from evaluate.lines import first_line, lines_of
from evaluate.run_record import ModelRun
from evaluate.statistics import newcombe
from evaluate.table import clean, percent
from evaluate.words import counted, difference, listed, p_equals, points, share


class Choice(NamedTuple):
    """The configuration to use: a model and a prompt, with its line of the summary."""

    model: str
    prompt: str
    line: Any


def findings(facts: Facts) -> list[str]:
    """Give the key findings, one bullet a question, "what should I use" first."""
    chosen = choice(facts)
    made = [
        _use(facts, chosen),
        _models(facts),
        _gains(facts, "Against the naive prompt", lambda model: (model, "naive")),
        _gains(facts, f"Against {LINEAR} on the same labels", lambda _: (LINEAR, "-")),
        _gains(facts, f"Against {WHOLE}", lambda _: (WHOLE, "-")),
        _temperature(facts),
        _invalid(facts),
        _shrinkage(facts),
        _cost(facts, chosen),
    ]
    return [one for one in made if one]


def choice(facts: Facts) -> Choice | None:
    """Give the configuration with the highest accuracy at temperature 0 in `choose`.

    Only prompts that were asked for the whole sample count. Equals go to the cheaper one, in
    tokens read. None where no model has a line.
    """
    lines = facts.summary
    lines = lines[(lines["decoding"] == "choose") & (lines["temperature"] == 0)]
    lines = lines[lines["n_examples"] == lines["n_examples"].max()]
    if len(lines) == 0:
        return None
    best = first_line(lines.sort_values(["accuracy", "input_tokens"], ascending=[False, True]))
    return Choice(best.model, best.prompt, best)


def _use(facts: Facts, chosen: Choice | None) -> str:
    """Say which configuration did best, and which ones cannot be told from it."""
    if chosen is None:
        return ""
    line = chosen.line
    told = (
        f"Best here: {clean(chosen.model)} with {said(chosen.prompt)}, at temperature 0: "
        f"{share(line.accuracy, line.low, line.high)} of {line.n_examples:,} test "
        f"{clean(facts.evaluation.run.task.noun)}s are answered right (95 % interval)."
    )
    rivals = [f"{clean(m)} with {said(prompt)}" for m, prompt in not_told_apart(facts, chosen)]
    if rivals:
        told += f" This sample does not tell it from {listed(rivals)}."
    return told


def not_told_apart(facts: Facts, chosen: Choice) -> list[tuple[str, str]]:
    """Give the configurations that were compared with the chosen one and are not established."""
    ours = (chosen.model, chosen.prompt)
    found = []
    for line in lines_of(facts.comparisons):
        pair = [(line.model_a, line.prompt_a), (line.model_b, line.prompt_b)]
        if ours in pair and line.adjusted > LEVEL:
            pair.remove(ours)
            found += pair
    return [one for one in found if one[1] != "-"]


def _models(facts: Facts) -> str:
    """Compare the models, each with its own frozen prompt."""
    lines = facts.comparisons
    pairs = lines[(lines["prompt_a"] == FROZEN) & (lines["prompt_b"] == FROZEN)]
    parts = [
        f"{clean(line.model_a)} less {clean(line.model_b)}: {verdict(line)}"
        for line in lines_of(pairs)
    ]
    return _sentence("The models, each with its own frozen prompt at temperature 0", parts)


def _gains(facts: Facts, what: str, other: Callable[[str], tuple[str, str]]) -> str:
    """Compare every model's frozen prompt with something else."""
    parts = [
        f"{clean(model)} {verdict(line)}"
        for model in facts.models
        if (line := facts.compared((model, FROZEN), other(model))) is not None
    ]
    return _sentence(f"{what}, the frozen prompts at temperature 0", parts)


def verdict(line: Any) -> str:
    """Say what a comparison establishes, or that it establishes nothing and what it could have."""
    gap = difference(line.difference, line.low, line.high)
    tested = f"adjusted {p_equals(line.adjusted)}, n = {line.n:,}"
    if line.adjusted <= LEVEL:
        return f"{gap} points ({tested})"
    if math.isnan(line.detectable):
        n = line.n_only_a + line.n_only_b
        power = f"; {counted(n, 'answer')} differ in being right, too few to establish one"
    else:
        wide = points(line.detectable).lstrip("+")
        power = f"; {wide} points would have been found four times in five"
    return f"no difference established, {gap} points ({tested}{power})"


def _temperature(facts: Facts) -> str:
    """Say what the highest temperature does to the frozen prompts."""
    if len(facts.temperatures) < 2:
        return ""
    low, high = facts.temperatures[0], facts.temperatures[-1]
    parts = [
        f"{clean(line.model)}, {_way(line.decoding)}, {effect(line)}"
        for line in lines_of(facts.effects)
        if line.prompt == FROZEN
    ]
    return _sentence(f"Temperature {high:g} instead of {low:g}, with the frozen prompts", parts)


def effect(line: Any) -> str:
    """Say what a change of temperature does to one prompt, or that nothing is established."""
    gap = difference(line.difference, line.low, line.high)
    if line.low <= 0 <= line.high:
        return f"no effect on accuracy established ({gap} points, n = {line.n:,})"
    return f"{gap} points (n = {line.n:,})"


def temperature_sentences(facts: Facts) -> list[str]:
    """Say, model by model, what the highest temperature does against the lowest one."""
    if len(facts.temperatures) < 2:
        return []
    low, high = facts.temperatures[0], facts.temperatures[-1]
    sentences = []
    for model in facts.models:
        for decoding in ("choose", "generate"):
            mine = facts.effects
            mine = mine[(mine["model"] == model) & (mine["decoding"] == decoding)]
            parts = [f"{clean(line.prompt)} {effect(line)}" for line in lines_of(mine)]
            about = f"{clean(model)}, {_way(decoding)}, {high:g} instead of {low:g}"
            sentences.append(_sentence(about, parts))
    return [one for one in sentences if one]


def _invalid(facts: Facts) -> str:
    """Say how often written answers cannot be read, at the highest temperature."""
    if not facts.temperatures:
        return ""
    high = facts.temperatures[-1]
    parts = []
    for model in facts.models:
        lines = [(p, facts.line(model, p, "generate", high)) for p in ("naive", FROZEN)]
        shares = [f"{percent(line.invalid)} % with {said(p)}" for p, line in lines if line]
        if shares:
            parts.append(f"{clean(model)} {listed(shares)}")
    return _sentence(f"Written answers at temperature {high:g} that name no label", parts)


def _shrinkage(facts: Facts) -> str:
    return _sentence(
        "From dev, where the search looked, to test, the frozen prompts moved",
        [
            f"{clean(run.model.name)} {shrinkage(run, line, 'dev')} points"
            for run in facts.evaluation.run.models
            if (line := facts.frozen_line(run.model.name)) is not None
        ],
    )


def shrinkage(run: ModelRun, line: Any, split: str) -> str:
    """Write a frozen prompt's accuracy on test less that on a split, in points.

    `line` is the summary's, of that prompt at temperature 0.
    """
    score, n = run.scores[split], line.n_examples
    ends = newcombe(round(line.accuracy * n), n, score.n_correct, score.n)
    return difference(line.accuracy - score.accuracy, *ends)


def _cost(facts: Facts, chosen: Choice | None) -> str:
    """Say what an answer of the chosen configuration costs."""
    if chosen is None:
        return ""
    return (
        f"An answer of {clean(chosen.model)} with {said(chosen.prompt)} reads "
        f"{chosen.line.input_tokens:,.0f} tokens on average, of which the part that all inputs "
        f"share is run once; {_seconds(facts, chosen)}."
    )


def _seconds(facts: Facts, chosen: Choice) -> str:
    """Say what the answers of the chosen configuration took on the machine of the run."""
    for taken in facts.evaluation.run.timings:
        if (taken.model, taken.prompt, taken.decoding) == (*chosen[:2], "choose"):
            n, seconds = chosen.line.n_examples, taken.seconds
            if taken.is_measured:
                return (
                    f"{counted(n, 'example')} took {seconds:,.0f} s on this machine, "
                    f"{n / seconds:.1f} a second"
                )
    return "its time was not measured, for answers of an earlier run were used again"


def _way(decoding: str) -> str:
    return "drawn labels" if decoding == "choose" else "written answers"


def _sentence(about: str, parts: Sequence[str]) -> str:
    """Give one sentence of several parts, or nothing without any."""
    return f"{about}: {'; '.join(parts)}." if parts else ""


def said(prompt: str) -> str:
    """Name a prompt in a sentence."""
    if prompt == FROZEN:
        return "its frozen prompt"
    if prompt.startswith(FROZEN_FOR):
        return f"the prompt frozen for {clean(prompt.removeprefix(FROZEN_FOR))}"
    return f"the {clean(prompt)} prompt"
