"""`burnish verify`: run a frozen prompt's own examples again and say whether the bits are equal.

The answer cache is not used, and the test split stays closed.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from burnish.finding import Finding, computes_alike, data_finding, machine_findings
from burnish.probing import Repeat, repeat, tolerance
from burnish.terminal import Piece, Screen, add_display_options
from modules.errors import UserError
from modules.lm import LocalModel, load_as_named
from modules.prompts import Artifact, load_artifact
from modules.prompts.records import Probe

NOT_VERIFIED = 1

_MUST_BE_SAME = ("weights", "data")


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What was found, in the order in which it is told.

    `repeated` is None where no probe could be run, for the reason `obstacle`.
    """

    findings: tuple[Finding, ...]
    repeated: Repeat | None
    obstacle: str = ""

    @property
    def reasons(self) -> list[str]:
        """Why the artifact is not verified; empty where it is."""
        other = [f"the {f.what} differ" for f in self.findings if self._decides(f)]
        if self.repeated is None:
            return [*other, self.obstacle]
        return other if self.repeated.holds else [*other, _apart(self.repeated)]

    def to_json(self) -> dict[str, Any]:
        """Give it as plain JSON values."""
        return {
            "verified": not self.reasons,
            "reasons": self.reasons,
            "findings": [finding.to_json() for finding in self.findings],
            "probes": None if self.repeated is None else self.repeated.to_json(),
        }

    @staticmethod
    def _decides(finding: Finding) -> bool:
        return finding.what in _MUST_BE_SAME and finding.verdict == "other"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `burnish verify`."""
    parser.add_argument("artifact", type=Path, help="a frozen prompt")
    parser.add_argument("--n", type=int, help="run only this many of its examples (default: all)")
    parser.add_argument("--dtype", help="(default: the one that the prompt was frozen in)")
    add_display_options(parser)


def run(options: argparse.Namespace) -> int:
    """Verify a frozen prompt and print what was found.

    Returns:
        0 verified, 1 not verified.

    Raises:
        UserError: the file is no artifact, `--n` is below 1, or the model cannot be had.
    """
    if options.n is not None and options.n < 1:
        raise UserError(f"--n must be at least 1, got {options.n}")
    artifact = load_artifact(options.artifact)
    model = load_as_named(artifact.model, options.dtype)
    found = verification(artifact, model, artifact.probes[: options.n])
    if options.json:
        print(json.dumps({"path": str(options.artifact), **found.to_json()}, indent=2))
    else:
        print("\n".join(drawn(found, options.artifact, Screen.of(options.color))))
    return NOT_VERIFIED if found.reasons else 0


def verification(artifact: Artifact, model: LocalModel, probes: Sequence[Probe]) -> Verification:
    """Compare what is here with what the file records, and run probes again."""
    findings = [*machine_findings(artifact, model.identity), data_finding(artifact)[0]]
    if not probes:
        return Verification(findings=tuple(findings), repeated=None, obstacle=_no_probes(artifact))
    allowed = _allowed(artifact, model, findings)
    try:
        repeated = repeat(model, artifact.prompts, probes, allowed)
    except (UserError, ValueError) as error:  # ValueError: too long, or answers that look alike
        obstacle = f"the model cannot read the prompt ({error})"
        return Verification(findings=tuple(findings), repeated=None, obstacle=obstacle)
    return Verification(findings=tuple(findings), repeated=repeated)


def drawn(found: Verification, path: Path, screen: Screen) -> list[str]:
    """Give the lines of the whole screen."""
    facts = [finding.fact() for finding in found.findings]
    if found.repeated is not None:
        facts.append(_probe_finding(found.repeated).fact())
    verdict = Piece("not verified", "removed") if found.reasons else Piece("verified", "added")
    said = "; ".join(found.reasons) if found.reasons else _held(found)
    return [
        *screen.heading(str(path)),
        *screen.facts(facts),
        *screen.lines([verdict, Piece(f": {said}")]),
    ]


def _allowed(artifact: Artifact, model: LocalModel, findings: Sequence[Finding]) -> float:
    """Give how far numbers may lie apart: not at all where all that they depend on is the same."""
    same = {finding.what for finding in findings if finding.verdict == "same"}
    if same >= {"weights", "dtype", "processor"} and computes_alike(artifact.versions):
        return 0.0
    return tolerance(artifact.model.dtype, model.identity.dtype)


def _no_probes(artifact: Artifact) -> str:
    which = "a file of version 1" if artifact.schema_version == 1 else "this file"
    return (
        f"{which} holds no examples to run again; search anew (burnish optimize) for one that does"
    )


def _probe_finding(repeated: Repeat) -> Finding:
    is_same = repeated.n_equal == repeated.n
    told = f"{repeated.n_equal} of {repeated.n} with equal bits"
    if not is_same:
        told += f"; log-probabilities differ by up to {repeated.largest:.2g}"
        if repeated.tolerance:
            told += f" ({repeated.tolerance:g} is allowed)"
        n = repeated.n_relabelled
        told += f"; {n or 'no'} label{'s' * (n > 1)} changed"
    return Finding(what="probes", verdict="same" if is_same else "other", told=told)


def _held(found: Verification) -> str:
    repeated = found.repeated
    assert repeated is not None
    if repeated.n_equal == repeated.n:
        return f"{_examples(repeated.n)} the same bits"
    return (
        f"{_examples(repeated.n)} the same numbers within {repeated.tolerance:g}, "
        f"as is allowed where dtype, libraries or processor differ"
    )


def _apart(repeated: Repeat) -> str:
    n = repeated.n - repeated.n_within
    if repeated.tolerance:
        return f"{_examples(n)} numbers that are more than {repeated.tolerance:g} away"
    return (
        f"{_examples(n)} other bits, though all that they depend on is the same; "
        "run python -m modules.lm check"
    )


def _examples(n: int) -> str:
    return "1 example gives" if n == 1 else f"{n} examples give"
