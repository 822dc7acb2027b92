"""The tally: how many rows got which label and which outcome, counted as they pass."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from burnish.tables import Added
from burnish.terminal import harmless


@dataclass(kw_only=True)
class Tally:
    """How many rows got which label and which outcome."""

    labels: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def counted(self, added: Iterable[Added]) -> Iterator[Added]:
        """Count what passes."""
        for one in added:
            self.outcomes[one.outcome] += 1
            if one.label is not None:
                self.labels[one.label] += 1
            yield one

    def lines(self, n_new: int, seconds: float) -> list[str]:
        """Say it in lines of their own, with how fast the new rows were labelled."""
        total = self.outcomes.total()
        counts = sorted(self.labels.items())
        counts += sorted((name, n) for name, n in self.outcomes.items() if name != "ok")
        names = [harmless(name).replace("\n", "\\n") for name, _ in counts]
        widest, digits = max(map(len, names), default=0), len(f"{total:,}")
        rate = n_new / max(seconds, 1e-9)
        speed = f"{rate:,.0f}" if rate >= 10 else f"{rate:.1f}"
        lines = [f"{total:,} rows; {n_new:,} labelled in {seconds:,.1f} s, {speed} rows/s"]
        for name, (_, n) in zip(names, counts, strict=True):
            lines.append(f"  {name:<{widest}}  {n:>{digits},}  {n / total:6.1%}")
        return lines
