"""The lexicon: VADER's word list and rules, which learn nothing from the task's examples.

It owns the call and the threshold (Hutto and Gilbert, 2014, ICWSM 8, 216-225). On the sets that
were published with that article (snippets, products, tweets, editorials) its authors measured and
reported VADER themselves, so it is no stranger to them. On `imdb` it is.
"""

from collections.abc import Sequence

from vaderSentiment.vaderSentiment import (  # type: ignore[import-untyped,unused-ignore]
    SentimentIntensityAnalyzer,
)

from modules.tasks.example import Task

LEXICON = "VADER lexicon"

_NEGATIVE, _POSITIVE = "negative", "positive"


def has_polarity(task: Task) -> bool:
    """Tell whether the task's labels are exactly `negative` and `positive`, in any order."""
    return sorted(task.label_names) == [_NEGATIVE, _POSITIVE]


def lexicon_labels(texts: Sequence[str]) -> list[str]:
    """Give one label per text: `positive` where VADER's compound score is at least 0.

    The compound score lies in [-1, 1] and is exactly 0 for a text without any word of the lexicon,
    so such a text counts as positive. It is no probability, and none is made of it.
    """
    analyzer = SentimentIntensityAnalyzer()
    return [
        _POSITIVE if analyzer.polarity_scores(text)["compound"] >= 0 else _NEGATIVE
        for text in texts
    ]
