"""What a loader hands over: examples, and the count of what it left out.

Owns the value only; reading belongs to `vader`, `imdb` and `table`, splitting to `splits`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from modules.tasks.example import Example


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """The examples of one source, in the source's order.

    `n_read` counts the rows of the source and `left_out` those that became no example, by reason,
    so that `n_read == len(examples) + sum(left_out.values())`. `revision` is the commit that was
    read, where the source has one.
    """

    examples: tuple[Example, ...]
    n_read: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    revision: str | None = None

    def __post_init__(self) -> None:
        if self.n_read != len(self.examples) + sum(self.left_out.values()):
            raise ValueError(f"{self.n_read} rows read, but the parts do not add up to it")
