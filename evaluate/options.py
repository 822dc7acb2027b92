"""The options of `python -m evaluate`, its presets, and their check."""

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluate.draws import Plan
from evaluate.ladder import NAMES
from modules.errors import UserError

_BASE: Mapping[str, Any] = {
    "task": "snippets",
    "models": None,
    "prompts": ["naive", "frozen"],
    "temperatures": [0.2, 0.8],
    "seeds": [0],
    "half_width": None,
    "detect": None,
    "n_generated": 60,
    "max_tokens": 16,
}
PRESETS: Mapping[str, Mapping[str, Any]] = {
    "slm-comparison": {
        "task": "imdb",
        "models": ["phi-3-mini", "qwen2-1.5b"],
        "prompts": list(NAMES),
        "seeds": [0, 1, 2],
        "half_width": 3.5,
    }
}
"""Named sets of options. An option that is given by itself wins over its preset."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What was asked for, checked. `half_width` and `detect` are fractions."""

    task: str
    models: tuple[str, ...] | None
    prompts: tuple[str, ...]
    plan: Plan
    n_generated: int
    half_width: float | None
    detect: float | None


def settings(options: argparse.Namespace) -> Settings:
    """Fill what was not given from the preset, then from the defaults, and check it all.

    Raises:
        UserError: a value out of its range, or two that do not go together.
    """
    preset = PRESETS[options.preset] if options.preset else {}
    given = {name: getattr(options, name) for name in _BASE if getattr(options, name) is not None}
    if options.n_generated is not None and options.n_generated < 0:
        raise UserError(f"--n-generated cannot be negative, got {options.n_generated}")
    if "half_width" in given and "detect" in given:
        raise UserError("--half-width and --detect both say how many examples: give one of them")
    if "detect" in given:
        preset = {name: value for name, value in preset.items() if name != "half_width"}
    chosen = {**_BASE, **preset, **given}
    for name in ("half_width", "detect"):
        if chosen[name] is not None and not 0 < chosen[name] < 50:
            raise UserError(
                f"--{name.replace('_', '-')} is in points, above 0 and below 50; got {chosen[name]}"
            )
    unknown = [name for name in chosen["prompts"] if name not in NAMES]
    if unknown:
        raise UserError(f"--prompts are {', '.join(NAMES)}; got {', '.join(unknown)}")
    return Settings(
        task=chosen["task"],
        models=None if chosen["models"] is None else tuple(dict.fromkeys(chosen["models"])),
        prompts=tuple(name for name in NAMES if name in chosen["prompts"]),
        plan=_plan(chosen["temperatures"], chosen["seeds"], chosen["max_tokens"]),
        n_generated=chosen["n_generated"],
        half_width=_fraction(chosen["half_width"]),
        detect=_fraction(chosen["detect"]),
    )


def _plan(temperatures: list[float], seeds: list[int], max_tokens: int) -> Plan:
    if any(not 0 <= t <= 10 for t in temperatures):
        raise UserError(f"temperatures lie between 0 and 10, got {temperatures}")
    if any(not -(2**63) <= seed < 2**63 for seed in seeds):
        raise UserError(f"--seeds are whole numbers of 64 bits, got {seeds}")
    if max_tokens < 1:
        raise UserError(f"--max-tokens must be at least 1, got {max_tokens}")
    return Plan(
        temperatures=tuple(sorted(set(temperatures))),
        seeds=tuple(dict.fromkeys(seeds)),
        max_tokens=max_tokens,
    )


def _fraction(points: float | None) -> float | None:
    return None if points is None else points / 100


def parser() -> argparse.ArgumentParser:
    """Make the parser."""
    made = argparse.ArgumentParser(
        prog="python -m evaluate",
        description="Prove frozen prompts on the held-out test split, and write the report.",
    )
    made.add_argument(
        "--task", help="a task's name; file-NAME for your own NAME.csv (default: snippets)"
    )
    made.add_argument("--data-folder", type=Path, help="imdb only: a local copy of the data set")
    add_options(made)
    return made


def add_options(made: argparse._ActionsContainer) -> None:
    """Add every option but the task's; those that a preset may set have no default of their own."""
    made.add_argument(
        "--preset",
        choices=list(PRESETS),
        help="slm-comparison: Phi-3-mini against Qwen2-1.5B on imdb, every prompt of the ladder, "
        "at 0.2 and 0.8",
    )
    _add_what(made)
    _add_how(made)


def _add_what(made: argparse._ActionsContainer) -> None:
    made.add_argument(
        "--artifacts",
        type=Path,
        nargs="+",
        default=[Path("artifacts")],
        help="a folder of frozen prompts, or the files themselves (default: artifacts)",
    )
    made.add_argument(
        "--search-seed", type=int, default=0, help="that of the frozen prompts (default: 0)"
    )
    made.add_argument(
        "--models", nargs="+", help="only these (default: the preset's, or all that have a prompt)"
    )
    made.add_argument(
        "--prompts",
        nargs="+",
        metavar="PROMPT",
        help=f"some of {', '.join(NAMES)} (default: naive frozen)",
    )
    made.add_argument("--temperatures", type=float, nargs="+", help="(default: 0.2 0.8)")
    made.add_argument("--seeds", type=int, nargs="+", help="of the draws (default: 0)")
    made.add_argument(
        "--half-width",
        type=float,
        metavar="POINTS",
        help="as many test examples as make the 95 %% interval this wide to each side",
    )
    made.add_argument(
        "--detect",
        type=float,
        metavar="POINTS",
        help="as many test examples as show a difference of so many points, with power 0.8",
    )
    made.add_argument(
        "--n-generated",
        type=int,
        help="test examples that are also answered by generated text (default: 60)",
    )


def _add_how(made: argparse._ActionsContainer) -> None:
    made.add_argument("--max-tokens", type=int, help="longest generated answer (default: 16)")
    made.add_argument(
        "--n-parity", type=int, default=20, help="examples also sent through dspy (default: 20)"
    )
    made.add_argument("--out", type=Path, help="(default: runs/evaluation/TASK)")
    made.add_argument("--dtype", help="(default: the one that the prompt was frozen in)")
    made.add_argument(
        "--no-cache",
        dest="cache",
        action="store_false",
        help="run everything, even what the answer cache has from an earlier run",
    )
    made.add_argument(
        "--anew", action="store_true", help="do not go on from what --out holds of an earlier run"
    )
    made.add_argument(
        "--report-only",
        action="store_true",
        help="write the report again from the rows in --out; no model is run",
    )
