"""How scores are written: percent with one decimal, the 95 % interval, and the n."""

from modules.prompts.records import Score


def percent(share: float) -> str:
    """Write a share of [0, 1] as percent with one decimal and no sign."""
    return f"{100 * share:.1f}"


def accuracy(score: Score) -> str:
    """Write an accuracy with its interval, as `85.0 [80.5, 88.6]`, in percent."""
    return f"{percent(score.accuracy)} [{percent(score.low)}, {percent(score.high)}]"


def told(score: Score) -> str:
    """Write a score in words, as `85.0 % [80.5, 88.6], 255 of 300`."""
    shares = f"{percent(score.accuracy)} % [{percent(score.low)}, {percent(score.high)}]"
    return f"{shares}, {score.n_correct:,} of {score.n:,}"


def overlap(one: Score, other: Score) -> bool:
    """Whether the two intervals share a point."""
    return one.low <= other.high and other.low <= one.high
